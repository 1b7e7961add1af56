import OrderedJSON

extension Grammar {
  /// The JSON texts that are valid under a JSON Schema (draft 2020-12), written in one line as Python's
  /// `json.dumps` does, properties in the schema's order.
  ///
  /// Supported are `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `items`,
  /// `prefixItems`, `anyOf`, `allOf`, `$ref` within the schema, recursion included, bounds of numbers,
  /// lengths and counts, `multipleOf` of whole numbers, `pattern`, the usual `format`s, and `oneOf` where at most
  /// one part can hold. What may be left out of an object beyond `properties` is left out. Other
  /// keywords that change what is valid are errors.
  ///
  /// - Throws: `GrammarError.schema` naming the place.
  public init(jsonSchema text: String) throws(GrammarError) {
    let schema: JSON
    do {
      schema = try JSON(parsing: Array(text.utf8))
    } catch {
      throw .schema(path: "", reason: "byte \(error.position): expected \(error.expected)")
    }
    try self.init(jsonSchema: schema)
  }

  package init(jsonSchema schema: JSON) throws(GrammarError) {
    var compiler = SchemaCompiler(schema)
    self = try compiler.grammar()
  }
}

/// Turns a JSON Schema into rules.
struct SchemaCompiler {
  typealias Expression = Grammar.Expression
  typealias Members = SchemaBranches.Members

  private static let deepest = 100
  /// Of items, characters and properties. Larger upper bounds are lowered to it: what is valid still is.
  private static let mostRepetitions = 2000

  private let branches: SchemaBranches
  private let document: JSON
  private var rules: [Grammar.Rule] = []
  /// Rules by what they stand for.
  private var known: [String: Int] = [:]

  init(_ schema: JSON) {
    document = schema
    branches = SchemaBranches(document: schema)
  }

  mutating func grammar() throws(GrammarError) -> Grammar {
    let root = try rule("#") { (compiler) throws(GrammarError) in
      try compiler.value(compiler.document, "", 0)
    }
    return Grammar(rules: rules, root: root)
  }

  private func fault(_ path: String, _ reason: String) -> GrammarError {
    SchemaBranches.fault(path, reason)
  }

  /// The rule with a name, made when it is first asked for; it may lead to itself.
  private mutating func rule(
    _ name: String, _ body: (inout SchemaCompiler) throws(GrammarError) -> Expression
  ) throws(GrammarError) -> Int {
    if let rule = known[name] { return rule }
    let rule = rules.count
    known[name] = rule
    rules.append(Grammar.Rule(name: name, body: .nothing))
    rules[rule].body = try body(&self)
    return rule
  }

  // MARK: Values

  private mutating func value(_ schema: JSON, _ path: String, _ depth: Int) throws(GrammarError)
    -> Expression
  {
    guard depth < Self.deepest else { throw fault(path, "more than \(Self.deepest) levels") }
    if let reference = SchemaBranches.soleReference(schema) {
      let target = try branches.resolve(reference, path)
      if reference != "#", SchemaBranches.soleReference(target) == reference {
        throw fault(path, "a reference to itself")
      }
      return .rule(
        try rule(reference) { (compiler) throws(GrammarError) in
          try compiler.value(target, reference, depth + 1)
        })
    }
    var choices: [Expression] = []
    var reasons: [GrammarError] = []
    if let (keyword, parts) = SchemaBranches.soleChoice(schema) {
      // Throws where it cannot be told that one holds alone.
      if keyword == "oneOf" { _ = try branches.branches(of: schema, path) }
      // Each by itself, as references in them may lead back here.
      for (index, part) in parts.enumerated() {
        if case .bool(false) = part { continue }
        do { choices.append(try value(part, "\(path)/\(index)", depth + 1)) } catch {
          reasons.append(error)
        }
      }
    } else {
      for branch in try branches.branches(of: schema, path) {
        // A branch that nothing fits leaves the others.
        do { choices += try alternatives(branch, path, depth) } catch { reasons.append(error) }
      }
    }
    if choices.isEmpty { throw reasons.first ?? fault(path, "no value is valid") }
    if let reason = reasons.first(where: { !$0.isContradiction }) { throw reason }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  /// What a schema without `type` is about, by its other keywords.
  private static let impliedTypes: [(type: String, keywords: Set<String>)] = [
    (
      "object",
      ["properties", "required", "additionalProperties", "minProperties", "maxProperties"]
    ),
    ("array", ["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]),
    ("string", ["minLength", "maxLength", "pattern", "format"]),
    ("number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
  ]

  private mutating func alternatives(_ schema: Members, _ path: String, _ depth: Int)
    throws(GrammarError) -> [Expression]
  {
    if let values = schema["enum"] ?? schema["const"].map({ .array([$0]) }) {
      guard case .array(let list) = values else { throw fault(path, "\"enum\" is a list") }
      let both = schema["enum"] != nil ? schema["const"] : nil
      var valid: [JSON] = []
      for value in list where both.map({ $0.isEqual(to: value) }) ?? true {
        if try isValid(value, schema, path) { valid.append(value) }
      }
      guard !valid.isEmpty else { throw contradiction(path, "no value of the list is valid") }
      return valid.map { .text($0.text) }
    }
    var types = SchemaTypes.of(schema)
    if schema["type"] == nil {
      let implied = Self.impliedTypes.filter { rule in
        rule.keywords.contains { schema[$0] != nil }
      }.map(\.type)
      guard !implied.isEmpty else { return [.rule(try anything())] }
      types = Set(implied)
    }
    if let unknown = types.first(where: { !SchemaTypes.all.contains($0) }) {
      throw fault(path + "/type", "\"\(unknown)\" is not a type")
    }
    if types.contains("number") { types.remove("integer") }
    var result: [Expression] = []
    for type in SchemaTypes.all where types.contains(type) {
      switch type {
      case "object": result.append(try object(schema, path, depth))
      case "array": result.append(try array(schema, path, depth))
      case "string": result.append(try string(schema, path))
      case "number", "integer": result.append(try number(schema, path, isWhole: type == "integer"))
      case "boolean": result.append(.choice([.text("true"), .text("false")]))
      default: result.append(.text("null"))
      }
    }
    return result
  }

  private func contradiction(_ path: String, _ reason: String) -> GrammarError {
    fault(path, reason + GrammarError.contradiction)
  }

  /// Whether a value of a list is valid by what stands beside the list.
  private func isValid(_ value: JSON, _ schema: Members, _ path: String) throws(GrammarError)
    -> Bool
  {
    let type = SchemaTypes.of(value: value)
    guard SchemaTypes.of(schema.filter { $0.key == "type" }).contains(type) else { return false }
    switch value {
    case .number(let text):
      let range = try bounds(schema, path, places: DecimalNumber(text)?.scale ?? 0)
      guard let number = DecimalNumber(text)?.scaled(range.places, .down), number.isExact else {
        throw fault(path, "the number \(text) has too many digits")
      }
      return (range.low ?? .min) <= number.value && number.value <= (range.high ?? .max)
        && (range.divisor == 1 || number.value % range.divisor == 0)
    case .string(let text):
      guard schema["pattern"] == nil else {
        throw fault(path, "\"pattern\" beside a list of values is not supported")
      }
      let least = try count("minLength", schema, path) ?? 0
      let most = try count("maxLength", schema, path) ?? .max
      return least <= text.unicodeScalars.count && text.unicodeScalars.count <= most
    case .object, .array:
      let others = schema.first { member in
        !["enum", "const", "type"].contains(member.key)
      }
      if let others {
        throw fault(path, "\"\(others.key)\" beside a list of values is not supported")
      }
      return true
    default: return true
    }
  }

  /// Any JSON value.
  private mutating func anything() throws(GrammarError) -> Int {
    let text = Expression.rule(try string(least: 0, most: nil))
    return try rule("any value") { (compiler) throws(GrammarError) in
      let value = Expression.rule(compiler.known["any value"] ?? 0)
      let member = Expression.sequence([text, .text(": "), value])
      return .choice([
        Self.list("{", member, "}", least: 0, most: nil),
        Self.list("[", value, "]", least: 0, most: nil),
        text, JSONGrammar.number, .text("true"), .text("false"), .text("null"),
      ])
    }
  }

  /// Parts with commas between them.
  private static func list(
    _ open: String, _ part: Expression, _ close: String, least: Int, most: Int?
  ) -> Expression {
    let none = Expression.text(open + close)
    if most == 0 { return none }
    let some = Expression.sequence([
      .text(open), part,
      .repetition(
        .sequence([.text(", "), part]), least: max(0, least - 1), most: most.map { $0 - 1 }),
      .text(close),
    ])
    return least == 0 ? .choice([none, some]) : some
  }

  // MARK: Strings

  private mutating func string(least: Int, most: Int?) throws(GrammarError) -> Int {
    try rule("string of \(least) to \(most.map { "\($0)" } ?? "any number of") characters") {
      (_) throws(GrammarError) in JSONGrammar.string(least: least, most: most)
    }
  }

  private mutating func string(_ schema: Members, _ path: String) throws(GrammarError)
    -> Expression
  {
    let least = try count("minLength", schema, path) ?? 0
    let most = try count("maxLength", schema, path)
    guard least <= most ?? .max else {
      throw contradiction(path, "\"minLength\" is more than \"maxLength\"")
    }
    var pattern: String?
    if let value = schema["pattern"] {
      guard case .string(let text) = value else { throw fault(path, "\"pattern\" is a string") }
      pattern = text
    } else if case .string(let format)? = schema["format"] {
      pattern = StringFormats.patterns[format]
    }
    guard let pattern else {
      return .rule(
        try string(least: least, most: most.map { max(least, min($0, Self.mostRepetitions)) }))
    }
    let body: Expression
    do { body = try PatternParser.parse(pattern) } catch { throw fault(path, error.reason) }
    let lengths = body.lengths
    guard least <= lengths.least, lengths.most ?? .max <= most ?? .max else {
      throw fault(
        path, "lengths beside a pattern that does not keep them by itself are not supported")
    }
    return .rule(
      try rule("pattern \(pattern)") { (_) throws(GrammarError) in
        .sequence([.text("\""), body, .text("\"")])
      })
  }

  /// A count, at most `mostRepetitions` where it is a lower bound.
  private func count(_ key: String, _ schema: Members, _ path: String) throws(GrammarError) -> Int?
  {
    guard let value = schema[key] else { return nil }
    guard case .number(let text) = value, let number = DecimalNumber(text), number.scale == 0,
      !number.isNegative
    else { throw fault("\(path)/\(key)", "expected a whole number, 0 or more") }
    let count = number.scaled(0, .down)?.value ?? .max
    if key.hasPrefix("min"), count > Self.mostRepetitions {
      throw fault("\(path)/\(key)", "more than \(Self.mostRepetitions)")
    }
    return count
  }

  // MARK: Numbers

  private mutating func number(_ schema: Members, _ path: String, isWhole: Bool)
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

  private func decimal(_ key: String, _ schema: Members, _ path: String) throws(GrammarError)
    -> DecimalNumber?
  {
    guard let value = schema[key] else { return nil }
    guard case .number(let text) = value, let number = DecimalNumber(text) else {
      throw fault("\(path)/\(key)", "expected a number")
    }
    return number
  }

  /// The bounds of a branch, both allowed, times ten to the power of `places`.
  private func bounds(_ schema: Members, _ path: String, places: Int) throws(GrammarError) -> (
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

  // MARK: Arrays

  private mutating func array(_ schema: Members, _ path: String, _ depth: Int)
    throws(GrammarError) -> Expression
  {
    var first: [JSON] = []
    var rest = schema["items"] ?? .bool(true)
    if let prefix = schema["prefixItems"] { first = try SchemaBranches.list(prefix, path) }
    if case .array(let items) = rest {
      // Before draft 2020-12.
      first = items
      rest = schema["additionalItems"] ?? .bool(true)
    }
    let least = try count("minItems", schema, path) ?? 0
    var most = try count("maxItems", schema, path) ?? .max
    guard least <= most else { throw contradiction(path, "\"minItems\" is more than \"maxItems\"") }
    if case .bool(true)? = schema["uniqueItems"] {
      guard least <= 1 else { throw fault(path, "\"uniqueItems\" is not supported") }
      most = min(most, 1)
    }
    if case .bool(false) = rest { most = min(most, first.count) }
    guard least <= most else { throw contradiction(path, "there are not enough items") }
    var items: [Expression] = []
    for (index, item) in first.enumerated() where index < most {
      items.append(
        try part(item, "\(path)/prefixItems/\(index)", depth))
    }
    let upper = most == .max ? nil : max(least, min(most, Self.mostRepetitions))
    guard !items.isEmpty else {
      let item = upper == 0 ? .nothing : try part(rest, path + "/items", depth)
      return Self.list("[", item, "]", least: least, most: upper)
    }
    // After each item but the last that has to be there the list may end.
    var tail = Expression.nothing
    if upper ?? .max > items.count {
      tail = .repetition(
        .sequence([.text(", "), try part(rest, path + "/items", depth)]),
        least: max(0, least - items.count), most: upper.map { $0 - items.count })
    }
    for index in items.indices.reversed() {
      let item = Expression.sequence([.text(index == 0 ? "" : ", "), items[index], tail])
      tail = index < least ? item : .optional(item)
    }
    return .sequence([.text("["), tail, .text("]")])
  }

  /// A rule of its own for a part, which may be used more than once.
  private mutating func part(_ schema: JSON, _ path: String, _ depth: Int) throws(GrammarError)
    -> Expression
  {
    .rule(
      try rule("\(path) #\(rules.count)") { (compiler) throws(GrammarError) in
        try compiler.value(schema, path, depth + 1)
      })
  }

  // MARK: Objects

  private struct Property {
    let text: Expression
    let isRequired: Bool
  }

  private mutating func object(_ schema: Members, _ path: String, _ depth: Int)
    throws(GrammarError) -> Expression
  {
    var declared: Members = []
    if let value = schema["properties"] {
      guard case .object(let members) = value else {
        throw fault(path + "/properties", "expected an object")
      }
      declared = members
    }
    if let required = schema["required"] {
      guard case .array(let keys) = required else {
        throw fault(path + "/required", "expected a list")
      }
      for key in keys {
        guard case .string(let key) = key else {
          throw fault(path + "/required", "expected strings")
        }
        if declared[key] == nil {
          declared.append((key, schema["additionalProperties"] ?? .bool(true)))
        }
      }
    }
    let least = try count("minProperties", schema, path) ?? 0
    let most = try count("maxProperties", schema, path) ?? .max
    if declared.isEmpty { return try map(schema, path, depth, least: least, most: most) }

    let required = SchemaBranches.required(schema)
    var properties: [Property] = []
    for (key, value) in declared {
      let place = "\(path)/properties/\(key)"
      if case .bool(false) = value {
        guard !required.contains(key) else {
          throw contradiction(place, "the property has to be there and has no valid value")
        }
        continue
      }
      let text: Expression
      do {
        text = try self.value(value, place, depth + 1)
      } catch {
        // What cannot be is left out where it may.
        guard error.isContradiction, !required.contains(key) else { throw error }
        continue
      }
      properties.append(
        Property(
          text: .sequence([.text(JSON.quoted(key) + ": "), text]),
          isRequired: required.contains(key)))
    }
    guard required.count <= most else {
      throw contradiction(path, "more properties are required than \"maxProperties\" allows")
    }
    guard least <= required.count, most >= properties.count else {
      throw fault(path, "counts of properties beside optional ones are not supported")
    }
    return .sequence([.text("{"), try members(properties, path), .text("}")])
  }

  /// Properties in their order, the optional ones or not.
  private mutating func members(_ properties: [Property], _ path: String) throws(GrammarError)
    -> Expression
  {
    // What follows each of them.
    var tails = [Expression.nothing]
    for (index, property) in properties.enumerated().reversed() where index > 0 {
      let next = Expression.sequence([.text(", "), property.text])
      let tail = Expression.sequence([
        property.isRequired ? next : .optional(next), tails[0],
      ])
      // Several beginnings may lead to it.
      let name = "\(path) from property \(index) of \(properties.count) #\(rules.count)"
      let rule = try rule(name) { (_) throws(GrammarError) in tail }
      tails.insert(.rule(rule), at: 0)
    }
    var beginnings: [Expression] = []
    for (property, tail) in zip(properties, tails) {
      beginnings.append(.sequence([property.text, tail]))
      if property.isRequired { return .choice(beginnings) }
    }
    return .choice(beginnings + [.nothing])
  }

  /// An object with any keys. A key may come twice, of which the last counts.
  private mutating func map(
    _ schema: Members, _ path: String, _ depth: Int, least: Int, most: Int
  ) throws(GrammarError) -> Expression {
    let values = schema["additionalProperties"] ?? .bool(true)
    if case .bool(false) = values {
      guard least == 0 else { throw contradiction(path, "no properties are allowed") }
      return .text("{}")
    }
    guard least <= most else {
      throw contradiction(path, "\"minProperties\" is more than \"maxProperties\"")
    }
    guard least <= 1 else { throw fault(path, "\"minProperties\" of more than 1 is not supported") }
    let key = Expression.rule(try string(least: 0, most: nil))
    let value = most == 0 ? .nothing : try part(values, path + "/additionalProperties", depth)
    return Self.list(
      "{", .sequence([key, .text(": "), value]), "}", least: least,
      most: most == .max ? nil : min(most, Self.mostRepetitions))
  }
}

extension GrammarError {
  /// Ends the reason of a part that no value fits, which a choice may do without.
  fileprivate static let contradiction = ": nothing is valid"

  fileprivate var isContradiction: Bool {
    if case .schema(_, let reason) = self { reason.hasSuffix(Self.contradiction) } else { false }
  }
}

extension Grammar.Expression {
  /// The characters that its texts have, escapes in JSON counted as one; nil is many.
  fileprivate var lengths: (least: Int, most: Int?) {
    /// Far beyond any limit, and far from what overflows.
    let many = 1 << 30
    func bounded(_ lengths: (Int, Int?)) -> (least: Int, most: Int?) {
      (min(lengths.0, many), lengths.1.flatMap { $0 < many ? $0 : nil })
    }
    switch self {
    case .characters: return (1, 1)
    case .sequence(let parts):
      if case .characters(let set)? = parts.first, set == ScalarRanges("\\") { return (1, 1) }
      return parts.map(\.lengths).reduce((0, 0)) { total, part in
        bounded(
          (total.least + part.least, total.most.flatMap { most in part.most.map { most + $0 } }))
      }
    case .choice(let choices):
      let all = choices.map(\.lengths)
      let most = all.contains { $0.most == nil } ? nil : all.compactMap(\.most).max() ?? 0
      return (all.map(\.least).min() ?? 0, most)
    case .repetition(let part, let least, let most):
      let lengths = part.lengths
      return bounded(
        (least * lengths.least, most.flatMap { most in lengths.most.map { most * $0 } }))
    case .rule, .automaton: return (0, nil)
    }
  }
}
