/// Reads a template into statements, by jinja2's grammar: this file walks over the tokens, two others know
/// statements and expressions.
struct Parser {
  let tokens: [Token]
  var position = 0
  var depth = 0
  var loops = 0
  /// Variables that were named since the current macro began.
  var usedNames: Set<String> = []

  /// Nesting of expressions and blocks: far beyond what templates need, far below what a thread's
  /// stack holds.
  static let deepest = 100

  static func tooDeep(_ line: Int) -> TemplateError {
    TemplateError(.limit, "more than \(deepest) levels of nesting", line: line)
  }

  static func parse(_ source: String) throws(TemplateError) -> [Statement] {
    var parser = Parser(tokens: try Lexer.tokens(of: source))
    let body = try parser.statements(until: [])
    return body
  }

  private init(tokens: [Token]) { self.tokens = tokens }

  var current: Token { tokens[position] }

  func fault(_ message: String) -> TemplateError {
    TemplateError(.syntax, message, line: current.line)
  }

  func unexpected(_ expected: String) -> TemplateError {
    let found: String
    switch current.kind {
    case .end: found = "the end of the template"
    case .blockEnd: found = "'%}'"
    case .variableEnd: found = "'}}'"
    default: found = "'\(current.text.prefix(40))'"
    }
    return fault("expected \(expected), found \(found)")
  }

  mutating func next() -> Token {
    defer { if position < tokens.count - 1 { position += 1 } }
    return current
  }

  func isSymbol(_ text: String) -> Bool {
    current.kind == .symbol && current.text == text
  }

  func isName(_ text: String) -> Bool { current.kind == .name && current.text == text }

  mutating func take(symbol: String) -> Bool {
    guard isSymbol(symbol) else { return false }
    position += 1
    return true
  }

  mutating func take(name: String) -> Bool {
    guard isName(name) else { return false }
    position += 1
    return true
  }

  mutating func expect(symbol: String) throws(TemplateError) {
    guard take(symbol: symbol) else { throw unexpected("'\(symbol)'") }
  }

  mutating func expect(name: String) throws(TemplateError) {
    guard take(name: name) else { throw unexpected("'\(name)'") }
  }

  mutating func expectName() throws(TemplateError) -> String {
    guard current.kind == .name else { throw unexpected("a name") }
    return next().text
  }

  mutating func expectEndOfTag() throws(TemplateError) {
    guard current.kind == .blockEnd else { throw unexpected("'%}'") }
    position += 1
  }

  /// Runs `body` one level deeper.
  mutating func nested<R>(_ body: (inout Parser) throws(TemplateError) -> R)
    throws(TemplateError) -> R
  {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw Self.tooDeep(current.line) }
    return try body(&self)
  }
}
