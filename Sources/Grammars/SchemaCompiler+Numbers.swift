import OrderedJSON

// Numbers: bounds and multiples.
extension SchemaCompiler {
  mutating func number(_ schema: Members, _ path: String, isWhole: Bool)
    throws(GrammarError) -> Expression
  {
    let keys = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
    guard keys.contains(where: { schema[$0] != nil }) else {
      return isWhole ? JSONGrammar.integer : JSONGrammar.number
    }
    var places = 0
    if !isWhole {
      var numbers: [DecimalNumber] = []
      for key in keys {
        if let number = try decimal(key, schema, path) { numbers.append(number) }
      }
      let whole = numbers.map(\.wholeDigits).max() ?? 0
      // Two places more than the bounds have; in all no more than doubles keep apart.
      places = min(
        (numbers.map(\.scale).max() ?? 0) + 2, max(0, NumberRange.exactDigits - max(1, whole)))
      if schema["multipleOf"] != nil { places = 0 }
    }
    let range = try bounds(schema, path, places: places)
    let limit = NumberRange.power(NumberRange.exactDigits) - 1
    let numbers = NumberRange(
      lowest: range.low ?? min(-limit, (range.high ?? 0) - limit),
      highest: range.high ?? max(limit, (range.low ?? 0) + limit), fractionDigits: range.places,
      divisor: range.divisor)
    guard numbers.lowest <= numbers.highest else {
      throw contradiction(path, "no number is within the bounds")
    }
    guard let automaton = numbers.automaton else {
      throw fault(path, "no number is within the bounds, or \"multipleOf\" is too large")
    }
    return .automaton(automaton)
  }

  func decimal(_ key: String, _ schema: Members, _ path: String) throws(GrammarError)
    -> DecimalNumber?
  {
    guard let value = schema[key] else { return nil }
    guard case .number(let text) = value, let number = DecimalNumber(text) else {
      throw fault("\(path)/\(key)", "expected a number")
    }
    return number
  }

  /// The bounds of a branch, both allowed, times ten to the power of `places`.
  func bounds(_ schema: Members, _ path: String, places: Int) throws(GrammarError) -> (
    low: Int?, high: Int?, divisor: Int, places: Int
  ) {
    func bound(_ key: String, _ rounding: FloatingPointRoundingRule) throws(GrammarError) -> Int? {
      guard let number = try decimal(key, schema, path) else { return nil }
      guard let scaled = number.scaled(places, rounding) else {
        throw fault("\(path)/\(key)", "more than \(NumberRange.mostDigits) digits")
      }
      guard key.hasPrefix("exclusive"), scaled.isExact else { return scaled.value }
      return scaled.value + (rounding == .up ? 1 : -1)
    }
    let low = [try bound("minimum", .up), try bound("exclusiveMinimum", .up)].compactMap { $0 }
    let high = [try bound("maximum", .down), try bound("exclusiveMaximum", .down)].compactMap { $0 }
    var divisor = 1
    if let number = try decimal("multipleOf", schema, path) {
      guard let value = number.scaled(0, .down), value.isExact, value.value > 0 else {
        throw fault("\(path)/multipleOf", "multiples of whole numbers alone are supported")
      }
      divisor = value.value
    }
    return (low.max(), high.min(), divisor, places)
  }
}
