extension Grammar {
  /// Reads GBNF, the grammar notation of llama.cpp (`grammars/README.md` there): rules
  /// `name ::= "text" | [a-z]+ other{2,5} # comment`, of which `root` stands for the whole text.
  ///
  /// - Throws: `GrammarError` naming the line.
  public init(gbnf text: String) throws(GrammarError) {
    var parser = GBNFParser(text)
    self = try parser.grammar()
  }
}

/// A recursive-descent parser of GBNF.
private struct GBNFParser {
  /// Parentheses within each other: far below what a thread's stack holds.
  private static let deepest = 200
  /// Of one repetition, as llama.cpp allows.
  private static let mostRepetitions = 2000

  private let text: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  private var names: [String: Int] = [:]
  private var order: [String] = []
  private var bodies: [Int: Grammar.Expression] = [:]

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func grammar() throws(GrammarError) -> Grammar {
    skipSpace(newlines: true)
    while current != nil {
      let name = try name()
      skipSpace(newlines: false)
      guard take("::=") else { throw fault("\"::=\"") }
      skipSpace(newlines: true)
      let id = id(of: name)
      guard bodies[id] == nil else {
        throw .syntax(line: line, found: "a second \"\(name)\"", expected: "each rule once")
      }
      bodies[id] = try choice(depth: 0)
      guard current == nil || current == "\n" else { throw fault("the end of the rule") }
      skipSpace(newlines: true)
    }
    guard let root = names["root"] else { throw .missingRule("root") }
    var rules: [Grammar.Rule] = []
    for (id, name) in order.enumerated() {
      guard let body = bodies[id] else { throw .missingRule(name) }
      rules.append(Grammar.Rule(name: name, body: body))
    }
    return Grammar(rules: rules, root: root)
  }

  private mutating func id(of name: String) -> Int {
    if let id = names[name] { return id }
    names[name] = order.count
    order.append(name)
    return order.count - 1
  }

  // MARK: Characters

  private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func advance() {
    if current == "\n" { line += 1 }
    position += 1
  }

  private mutating func take(_ word: String) -> Bool {
    guard text[position...].starts(with: word.unicodeScalars) else { return false }
    for _ in word.unicodeScalars { advance() }
    return true
  }

  private func fault(_ expected: String) -> GrammarError {
    let found = current.map { "\"\(String($0).debugDescription.dropFirst().dropLast())\"" }
    return .syntax(line: line, found: found ?? "the end", expected: expected)
  }

  /// Skips spaces and comments; a rule ends with its line unless something is open.
  private mutating func skipSpace(newlines: Bool) {
    while let scalar = current {
      switch scalar {
      case " ", "\t", "\r": advance()
      case "\n" where newlines: advance()
      case "#": while let next = current, next != "\n" { _ = next; advance() }
      default: return
      }
    }
  }

  private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
      || scalar == "-" || scalar == "_"
  }

  private mutating func name() throws(GrammarError) -> String {
    let name = String(String.UnicodeScalarView(text[position...].prefix(while: Self.isNamePart)))
    guard !name.isEmpty else { throw fault("the name of a rule") }
    position += name.unicodeScalars.count
    return name
  }

  // MARK: Expressions

  private mutating func choice(depth: Int) throws(GrammarError) -> Grammar.Expression {
    guard depth < Self.deepest else {
      throw .tooLarge("levels of parentheses", limit: Self.deepest)
    }
    var choices = [try sequence(depth: depth)]
    while take("|") {
      skipSpace(newlines: true)
      choices.append(try sequence(depth: depth))
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence(depth: Int) throws(GrammarError) -> Grammar.Expression {
    var parts: [Grammar.Expression] = []
    while let scalar = current, scalar != "|", scalar != ")", scalar != "\n" {
      var part: Grammar.Expression
      switch scalar {
      case "\"": part = try literal()
      case "[": part = .characters(try characters())
      case ".":
        advance()
        part = .characters(.all)
      case "(":
        advance()
        skipSpace(newlines: true)
        part = try choice(depth: depth + 1)
        guard take(")") else { throw fault("\")\"") }
      default:
        guard Self.isNamePart(scalar) else { throw fault("text, [characters], a rule or \"(\"") }
        part = .rule(id(of: try name()))
      }
      skipSpace(newlines: depth > 0)
      while let (least, most) = try repetition() {
        part = .repetition(part, least: least, most: most)
        skipSpace(newlines: depth > 0)
      }
      parts.append(part)
      if depth > 0 { skipSpace(newlines: true) }
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func repetition() throws(GrammarError) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard take("{") else { return nil }
    skipSpace(newlines: false)
    let least = try number()
    var most: Int? = least
    skipSpace(newlines: false)
    if take(",") {
      skipSpace(newlines: false)
      most = current == "}" ? nil : try number()
      skipSpace(newlines: false)
    }
    guard take("}") else { throw fault("\"}\"") }
    if let most, most < least {
      throw .syntax(line: line, found: "{\(least),\(most)}", expected: "the smaller number first")
    }
    return (least, most)
  }

  private mutating func number() throws(GrammarError) -> Int {
    let digits = text[position...].prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty else { throw fault("a number") }
    position += digits.count
    guard let value = Int(String(String.UnicodeScalarView(digits))),
      value <= Self.mostRepetitions
    else { throw .tooLarge("repetitions", limit: Self.mostRepetitions) }
    return value
  }

  private mutating func literal() throws(GrammarError) -> Grammar.Expression {
    advance()
    var parts: [Grammar.Expression] = []
    while let scalar = current, scalar != "\"" {
      guard scalar != "\n" else { break }
      parts.append(.characters(ScalarRanges(try character())))
    }
    guard take("\"") else { throw fault("a closing quote") }
    return .sequence(parts)
  }

  private mutating func characters() throws(GrammarError) -> ScalarRanges {
    advance()
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    while let scalar = current, scalar != "]" {
      _ = scalar
      let low = try character()
      guard current == "-", position + 1 < text.count, text[position + 1] != "]" else {
        ranges.append(low.value...low.value)
        continue
      }
      advance()
      let high = try character()
      guard low <= high else {
        throw .syntax(line: line, found: "\(low)-\(high)", expected: "the lower character first")
      }
      ranges.append(low.value...high.value)
    }
    guard take("]") else { throw fault("\"]\"") }
    let set = ScalarRanges(ranges)
    return isNegated ? set.complement : set
  }

  /// One character, which may be escaped.
  private mutating func character() throws(GrammarError) -> Unicode.Scalar {
    guard let scalar = current else { throw fault("a character") }
    guard scalar == "\\" else {
      advance()
      return scalar
    }
    advance()
    guard let letter = current else { throw fault("a character after \"\\\"") }
    let digits = ["x": 2, "u": 4, "U": 8][letter]
    if let digits {
      advance()
      let text = text[position...].prefix(digits)
      let word = String(String.UnicodeScalarView(text))
      guard text.count == digits, word.allSatisfy(\.isHexDigit),
        let value = UInt32(word, radix: 16), let result = Unicode.Scalar(value)
      else { throw fault("\(digits) hexadecimal digits of a character") }
      position += digits
      return result
    }
    let names: [Unicode.Scalar: Unicode.Scalar] = [
      "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "\"": "\"", "[": "[", "]": "]", "-": "-",
      "^": "^",
    ]
    guard let result = names[letter] else { throw fault("one of nrt\\\"[]-^xuU after \"\\\"") }
    advance()
    return result
  }
}
