import OrderedJSON

// Strings: lengths, patterns, formats.
extension SchemaCompiler {
  mutating func string(least: Int, most: Int?) throws(GrammarError) -> Int {
    try rule("string of \(least) to \(most.map { "\($0)" } ?? "any number of") characters") {
      (_) throws(GrammarError) in JSONGrammar.string(least: least, most: most)
    }
  }

  mutating func string(_ schema: Members, _ path: String) throws(GrammarError)
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
  func count(_ key: String, _ schema: Members, _ path: String) throws(GrammarError) -> Int? {
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
