import OrderedJSON

/// Makes one branch of two that have to hold both.
enum SchemaMerge {
  typealias Members = SchemaBranches.Members

  /// - Throws: `GrammarError.schema` where what both say together cannot be said by one.
  static func merge(_ a: Members, _ b: Members, _ path: String) throws(GrammarError) -> Members {
    var result: Members = []
    let (a, b) = (close(a, against: b), close(b, against: a))
    for (key, value) in a {
      guard let other = b[key] else {
        result.append((key, value))
        continue
      }
      result.append((key, try merge(key, value, other, path)))
    }
    result += b.filter { a[$0.key] == nil }
    return result
  }

  /// `additionalProperties: false` looks at the properties beside it alone: those of the other branch are
  /// forbidden.
  private static func close(_ schema: Members, against other: Members) -> Members {
    guard case .object(let theirs)? = other["properties"],
      let additional = schema["additionalProperties"]
    else { return schema }
    var properties: Members = []
    if case .object(let own)? = schema["properties"] { properties = own }
    for (key, _) in theirs where properties[key] == nil { properties.append((key, additional)) }
    return schema.filter { $0.key != "properties" } + [("properties", .object(properties))]
  }

  private static func merge(_ key: String, _ a: JSON, _ b: JSON, _ path: String)
    throws(GrammarError) -> JSON
  {
    switch key {
    case "type":
      let types = SchemaTypes.of([("type", a)]).intersection(SchemaTypes.of([("type", b)]))
      guard !types.isEmpty else {
        throw SchemaBranches.fault(path, "no type is allowed by all of its parts")
      }
      return .array(SchemaTypes.all.filter(types.contains).map { .string($0) })
    case "enum":
      guard case .array(let left) = a, case .array(let right) = b else { break }
      return .array(left.filter { value in right.contains { $0.isEqual(to: value) } })
    case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties":
      return try extreme(a, b, path, .up)
    case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
      return try extreme(a, b, path, .down)
    case "required":
      guard case .array(let left) = a, case .array(let right) = b else { break }
      return .array(left + right.filter { value in !left.contains { $0.isEqual(to: value) } })
    case "properties":
      guard case .object(let left) = a, case .object(let right) = b else { break }
      return .object(
        left.map { member in
          (member.key, right[member.key].map { both(member.value, $0) } ?? member.value)
        } + right.filter { left[$0.key] == nil })
    case "items", "additionalProperties": return both(a, b)
    case "uniqueItems": if case .bool(true) = a { return a } else { return b }
    default: break
    }
    guard a.isEqual(to: b) else {
      throw SchemaBranches.fault(path, "two different \"\(key)\" that have to hold both")
    }
    return a
  }

  private static func both(_ a: JSON, _ b: JSON) -> JSON {
    switch (a, b) {
    case (.bool(true), _): b
    case (_, .bool(true)): a
    case (.bool(false), _), (_, .bool(false)): .bool(false)
    default: .object([("allOf", .array([a, b]))])
    }
  }

  /// The larger (`.up`) or the smaller (`.down`) of two numbers.
  private static func extreme(
    _ a: JSON, _ b: JSON, _ path: String, _ direction: FloatingPointRoundingRule
  ) throws(GrammarError) -> JSON {
    guard case .number(let left) = a, case .number(let right) = b,
      let places = [left, right].compactMap({ DecimalNumber($0)?.scale }).max(),
      let first = DecimalNumber(left)?.scaled(places, .down),
      let second = DecimalNumber(right)?.scaled(places, .down)
    else { throw SchemaBranches.fault(path, "a bound that is not a number of up to 18 digits") }
    return (first.value > second.value) == (direction == .up) ? a : b
  }
}
