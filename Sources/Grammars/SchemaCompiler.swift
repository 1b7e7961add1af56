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
  static let mostRepetitions = 2000

  let branches: SchemaBranches
  private let document: JSON
  private(set) var rules: [Grammar.Rule] = []
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

  func fault(_ path: String, _ reason: String) -> GrammarError {
    SchemaBranches.fault(path, reason)
  }

  /// The rule with a name, made when it is first asked for; it may lead to itself.
  mutating func rule(
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

  mutating func value(_ schema: JSON, _ path: String, _ depth: Int) throws(GrammarError)
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

  mutating func alternatives(_ schema: Members, _ path: String, _ depth: Int)
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

  func contradiction(_ path: String, _ reason: String) -> GrammarError {
    fault(path, reason + GrammarError.contradiction)
  }

  /// Whether a value of a list is valid by what stands beside the list.
  func isValid(_ value: JSON, _ schema: Members, _ path: String) throws(GrammarError)
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
  mutating func anything() throws(GrammarError) -> Int {
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
  static func list(
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
}

extension GrammarError {
  /// Ends the reason of a part that no value fits, which a choice may do without.
  static let contradiction = ": nothing is valid"

  var isContradiction: Bool {
    if case .schema(_, let reason) = self { reason.hasSuffix(Self.contradiction) } else { false }
  }
}
