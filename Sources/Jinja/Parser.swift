/// Reads a template into statements, by jinja2's grammar.
struct Parser {
  private let tokens: [Token]
  private var position = 0
  private var depth = 0
  private var loops = 0
  /// Variables that were named since the current macro began.
  private var usedNames: Set<String> = []

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

  private var current: Token { tokens[position] }

  private func fault(_ message: String) -> TemplateError {
    TemplateError(.syntax, message, line: current.line)
  }

  private func unexpected(_ expected: String) -> TemplateError {
    let found: String
    switch current.kind {
    case .end: found = "the end of the template"
    case .blockEnd: found = "'%}'"
    case .variableEnd: found = "'}}'"
    default: found = "'\(current.text.prefix(40))'"
    }
    return fault("expected \(expected), found \(found)")
  }

  private mutating func next() -> Token {
    defer { if position < tokens.count - 1 { position += 1 } }
    return current
  }

  private func isSymbol(_ text: String) -> Bool {
    current.kind == .symbol && current.text == text
  }

  private func isName(_ text: String) -> Bool { current.kind == .name && current.text == text }

  private mutating func take(symbol: String) -> Bool {
    guard isSymbol(symbol) else { return false }
    position += 1
    return true
  }

  private mutating func take(name: String) -> Bool {
    guard isName(name) else { return false }
    position += 1
    return true
  }

  private mutating func expect(symbol: String) throws(TemplateError) {
    guard take(symbol: symbol) else { throw unexpected("'\(symbol)'") }
  }

  private mutating func expect(name: String) throws(TemplateError) {
    guard take(name: name) else { throw unexpected("'\(name)'") }
  }

  private mutating func expectName() throws(TemplateError) -> String {
    guard current.kind == .name else { throw unexpected("a name") }
    return next().text
  }

  private mutating func expectEndOfTag() throws(TemplateError) {
    guard current.kind == .blockEnd else { throw unexpected("'%}'") }
    position += 1
  }

  /// Runs `body` one level deeper.
  private mutating func nested<R>(_ body: (inout Parser) throws(TemplateError) -> R)
    throws(TemplateError) -> R
  {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { throw Self.tooDeep(current.line) }
    return try body(&self)
  }

  // MARK: Statements

  /// Statements up to a tag of one of the names, which is left at its name; or the template's end, where
  /// there are no names.
  private mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
    var body: [Statement] = []
    while true {
      switch current.kind {
      case .end:
        guard ends.isEmpty else { throw unexpected("'\(ends.joined(separator: "' or '"))'") }
        return body
      case .data: body.append(.text(Text(next().text)))
      case .variableStart:
        position += 1
        body.append(.output(try tuple()))
        guard current.kind == .variableEnd else { throw unexpected("'}}'") }
        position += 1
      case .blockStart:
        position += 1
        guard current.kind == .name else { throw unexpected("the name of a tag") }
        if ends.contains(current.text) { return body }
        body.append(try nested { (parser) throws(TemplateError) in try parser.statement() })
      default: throw unexpected("text or a tag")
      }
    }
  }

  /// The body of a block and its end tag.
  private mutating func body(until end: String) throws(TemplateError) -> [Statement] {
    try expectEndOfTag()
    let body = try statements(until: [end])
    position += 1
    return body
  }

  private mutating func statement() throws(TemplateError) -> Statement {
    let tag = next()
    let statement: Statement
    switch tag.text {
    case "if": statement = try conditional()
    case "for": statement = try loop(tag.line)
    case "set": statement = try assignment(tag.line)
    case "macro": statement = .macro(try macro())
    case "call": statement = try callBlock()
    case "filter":
      let filters = try filtering(tag.line)
      statement = .filterBlock(filters, body: try body(until: "endfilter"))
    case "with": statement = try with()
    case "generation": statement = .scope(try body(until: "endgeneration"))
    case "break", "continue":
      guard loops > 0 else { throw fault("'\(tag.text)' outside of a loop") }
      statement = tag.text == "break" ? .break : .continue
    case "include", "import", "from", "extends", "block", "autoescape", "trans", "do":
      throw TemplateError(.syntax, "'\(tag.text)' is not supported", line: tag.line)
    default:
      throw TemplateError(.syntax, "unknown tag '\(tag.text.prefix(40))'", line: tag.line)
    }
    try expectEndOfTag()
    return statement
  }

  private mutating func conditional() throws(TemplateError) -> Statement {
    var branches: [(condition: Expression, body: [Statement])] = []
    while true {
      let condition = try tuple(allowsConditional: false)
      try expectEndOfTag()
      branches.append((condition, try statements(until: ["elif", "else", "endif"])))
      let tag = next().text
      if tag == "elif" { continue }
      let otherwise = tag == "else" ? try body(until: "endif") : []
      return .conditional(branches, otherwise: otherwise)
    }
  }

  private mutating func loop(_ line: Int) throws(TemplateError) -> Statement {
    let target = try target(end: "in")
    try expect(name: "in")
    let items = try tuple(allowsConditional: false, end: "recursive")
    let condition = take(name: "if") ? try expression() : nil
    let isRecursive = take(name: "recursive")
    try expectEndOfTag()
    loops += 1
    let body = try statements(until: ["endfor", "else"])
    loops -= 1
    let otherwise = next().text == "else" ? try self.body(until: "endfor") : []
    return .loop(
      Loop(
        target: target, items: items, condition: condition, isRecursive: isRecursive, body: body,
        otherwise: otherwise, line: line))
  }

  private mutating func assignment(_ line: Int) throws(TemplateError) -> Statement {
    let target = try target(end: nil)
    if take(symbol: "=") { return .set(target, try tuple()) }
    let filter = isSymbol("|") ? try filtering(line) : nil
    return .setBlock(target, filter: filter, body: try body(until: "endset"))
  }

  private mutating func macro() throws(TemplateError) -> Macro {
    let name = try expectName()
    return try macro(name, try parameters(), until: "endmacro")
  }

  private mutating func macro(
    _ name: String, _ parameters: [(name: String, value: Expression?)], until end: String
  ) throws(TemplateError) -> Macro {
    // Loops around a macro are not the macro's.
    let outer = (loops, usedNames)
    (loops, usedNames) = (0, [])
    defer {
      loops = outer.0
      usedNames.formUnion(outer.1)
    }
    let body = try body(until: end)
    return Macro(
      name: name, parameters: parameters, body: body, takesMore: usedNames.contains("varargs"),
      takesNamed: usedNames.contains("kwargs"))
  }

  private mutating func parameters() throws(TemplateError) -> [(name: String, value: Expression?)] {
    try expect(symbol: "(")
    var parameters: [(name: String, value: Expression?)] = []
    while !isSymbol(")") {
      if !parameters.isEmpty { try expect(symbol: ",") }
      let name = try expectName()
      if take(symbol: "=") {
        parameters.append((name, try expression()))
      } else {
        guard parameters.allSatisfy({ $0.value == nil }) else {
          throw fault("a parameter without a default behind one with a default")
        }
        parameters.append((name, nil))
      }
    }
    try expect(symbol: ")")
    return parameters
  }

  private mutating func callBlock() throws(TemplateError) -> Statement {
    let parameters = isSymbol("(") ? try parameters() : []
    let call = try expression()
    guard case .access(_, let accesses) = call, case .call? = accesses.last else {
      throw fault("expected a call")
    }
    return .callBlock(call, caller: try macro("caller", parameters, until: "endcall"))
  }

  private mutating func filtering(_ line: Int) throws(TemplateError) -> Filtering {
    var filters: [(name: String, arguments: Arguments)] = []
    _ = take(symbol: "|")
    repeat { filters.append(try filterCall()) } while take(symbol: "|")
    return Filtering(filters: filters, line: line)
  }

  private mutating func filterCall() throws(TemplateError) -> (name: String, arguments: Arguments) {
    var name = try expectName()
    while take(symbol: ".") { name += "." + (try expectName()) }
    return (name, isSymbol("(") ? try arguments() : Arguments())
  }

  private mutating func with() throws(TemplateError) -> Statement {
    var bindings: [(target: Target, value: Expression)] = []
    while current.kind != .blockEnd {
      if !bindings.isEmpty { try expect(symbol: ",") }
      let target = try target(end: nil)
      try expect(symbol: "=")
      bindings.append((target, try expression()))
    }
    return .with(bindings, body: try body(until: "endwith"))
  }

  /// - Parameter end: a name that ends a list of targets, as `in` does.
  private mutating func target(end: String?) throws(TemplateError) -> Target {
    try nested { (parser) throws(TemplateError) in
      var targets = [try parser.singleTarget()]
      var isTuple = false
      while parser.take(symbol: ",") {
        isTuple = true
        if let end, parser.isName(end) { break }
        if parser.isSymbol("=") || parser.isSymbol(")") { break }
        targets.append(try parser.singleTarget())
      }
      return isTuple ? .tuple(targets) : targets[0]
    }
  }

  private mutating func singleTarget() throws(TemplateError) -> Target {
    if take(symbol: "(") {
      let target = try target(end: nil)
      try expect(symbol: ")")
      return target
    }
    let name = try expectName()
    guard !Self.reserved.contains(name) else { throw fault("cannot assign to '\(name)'") }
    return take(symbol: ".") ? .attribute(name, try expectName()) : .name(name)
  }

  private static let reserved: Set = [
    "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else",
  ]

  // MARK: Expressions

  /// An expression, or several with commas between, which are a tuple.
  private mutating func tuple(allowsConditional: Bool = true, end: String? = nil)
    throws(TemplateError) -> Expression
  {
    func endsHere(_ parser: Parser) -> Bool {
      switch parser.current.kind {
      case .blockEnd, .variableEnd, .end: true
      default:
        parser.isSymbol(")") || parser.isSymbol("]") || (end.map { parser.isName($0) } ?? false)
      }
    }
    let first = try allowsConditional ? expression() : disjunction()
    guard isSymbol(",") else { return first }
    var items = [first]
    while take(symbol: ","), !endsHere(self) {
      items.append(try allowsConditional ? expression() : disjunction())
    }
    return .tuple(items)
  }

  private mutating func expression() throws(TemplateError) -> Expression {
    try nested { (parser) throws(TemplateError) in
      var result = try parser.disjunction()
      var count = 0
      while parser.take(name: "if") {
        count += 1
        guard count < 10 else { throw parser.fault("too many conditions behind each other") }
        let condition = try parser.disjunction()
        let otherwise = parser.take(name: "else") ? try parser.expression() : nil
        result = .conditional(condition: condition, then: result, otherwise: otherwise)
      }
      return result
    }
  }

  private mutating func disjunction() throws(TemplateError) -> Expression {
    var operands = [try conjunction()]
    while take(name: "or") { operands.append(try conjunction()) }
    return operands.count == 1 ? operands[0] : .or(operands)
  }

  private mutating func conjunction() throws(TemplateError) -> Expression {
    var operands = [try negation()]
    while take(name: "and") { operands.append(try negation()) }
    return operands.count == 1 ? operands[0] : .and(operands)
  }

  private mutating func negation() throws(TemplateError) -> Expression {
    guard take(name: "not") else { return try comparison() }
    return try nested { (parser) throws(TemplateError) in .unary(.not, try parser.negation()) }
  }

  private mutating func comparison() throws(TemplateError) -> Expression {
    let line = current.line
    let first = try sum()
    var rest: [(operation: Comparison, operand: Expression)] = []
    while let comparison = comparisonOperator() { rest.append((comparison, try sum())) }
    return rest.isEmpty ? first : .comparison(first, rest, line: line)
  }

  private mutating func comparisonOperator() -> Comparison? {
    if current.kind == .symbol, let found = Comparison(rawValue: current.text) {
      position += 1
      return found
    }
    if take(name: "in") { return .in }
    if isName("not"), tokens[position + 1].kind == .name, tokens[position + 1].text == "in" {
      position += 2
      return .notIn
    }
    return nil
  }

  /// Operands with one of `operators` between them.
  private mutating func chain(
    of operators: BinaryOperator..., operand: (inout Parser) throws(TemplateError) -> Expression
  ) throws(TemplateError) -> Expression {
    let line = current.line
    let first = try operand(&self)
    var rest: [(operation: BinaryOperator, operand: Expression)] = []
    while current.kind == .symbol, let found = BinaryOperator(rawValue: current.text),
      operators.contains(found)
    {
      position += 1
      rest.append((found, try operand(&self)))
    }
    return rest.isEmpty ? first : .chain(first, rest, line: line)
  }

  private mutating func sum() throws(TemplateError) -> Expression {
    try chain(of: .add, .subtract) { (parser) throws(TemplateError) in try parser.concatenation() }
  }

  private mutating func concatenation() throws(TemplateError) -> Expression {
    try chain(of: .concatenate) { (parser) throws(TemplateError) in try parser.product() }
  }

  private mutating func product() throws(TemplateError) -> Expression {
    try chain(of: .multiply, .divide, .floorDivide, .remainder) { (parser) throws(TemplateError) in
      try parser.chain(of: .power) { (parser) throws(TemplateError) in try parser.unary() }
    }
  }

  private mutating func unary(withFilters: Bool = true) throws(TemplateError) -> Expression {
    var result: Expression
    var accesses: [Access] = []
    if isSymbol("-") || isSymbol("+") {
      let sign: UnaryOperator = next().text == "-" ? .minus : .plus
      result = try nested { (parser) throws(TemplateError) in
        .unary(sign, try parser.unary(withFilters: false))
      }
    } else {
      result = try primary()
      try postfixes(into: &accesses)
    }
    if withFilters { try filters(into: &accesses) }
    return accesses.isEmpty ? result : .access(result, accesses)
  }

  private mutating func primary() throws(TemplateError) -> Expression {
    let token = current
    switch token.kind {
    case .name:
      position += 1
      switch token.text {
      case "true", "True": return .literal(.bool(true))
      case "false", "False": return .literal(.bool(false))
      case "none", "None": return .literal(.none)
      default:
        usedNames.insert(token.text)
        return .variable(token.text, line: token.line)
      }
    case .string:
      var text = ""
      while current.kind == .string { text += next().text }
      return .literal(.string(text))
    case .integer:
      position += 1
      return .literal(try integer(token))
    case .float:
      position += 1
      return .literal(.float(Double(token.text) ?? 0))
    case .symbol where token.text == "(": return try parentheses()
    case .symbol where token.text == "[": return try list()
    case .symbol where token.text == "{": return try dictionary()
    default: throw unexpected("an expression")
    }
  }

  private func integer(_ token: Token) throws(TemplateError) -> Value {
    let bases: [Substring: Int] = ["0x": 16, "0o": 8, "0b": 2]
    guard let base = bases[token.text.lowercased().prefix(2)] else {
      return Int(token.text).map { .int($0) } ?? .largeInteger(token.text)
    }
    guard let value = Int(token.text.dropFirst(2), radix: base) else {
      throw TemplateError(.syntax, "\(token.text.prefix(40)) is too large", line: token.line)
    }
    return .int(value)
  }

  private mutating func parentheses() throws(TemplateError) -> Expression {
    position += 1
    if take(symbol: ")") { return .tuple([]) }
    let inner = try nested { (parser) throws(TemplateError) in try parser.tuple() }
    try expect(symbol: ")")
    return inner
  }

  private mutating func list() throws(TemplateError) -> Expression {
    position += 1
    var items: [Expression] = []
    while !isSymbol("]") {
      if !items.isEmpty { try expect(symbol: ",") }
      if isSymbol("]") { break }
      items.append(try expression())
    }
    try expect(symbol: "]")
    return .list(items)
  }

  private mutating func dictionary() throws(TemplateError) -> Expression {
    position += 1
    var items: [(key: Expression, value: Expression)] = []
    while !isSymbol("}") {
      if !items.isEmpty { try expect(symbol: ",") }
      if isSymbol("}") { break }
      let key = try expression()
      try expect(symbol: ":")
      items.append((key, try expression()))
    }
    try expect(symbol: "}")
    return .dictionary(items)
  }

  /// Attributes, items and calls behind a value.
  private mutating func postfixes(into accesses: inout [Access]) throws(TemplateError) {
    while true {
      let line = current.line
      if take(symbol: ".") {
        if current.kind == .integer {
          accesses.append(.item(.literal(try integer(next())), line: line))
        } else {
          accesses.append(.attribute(try expectName(), line: line))
        }
      } else if isSymbol("[") {
        accesses.append(try subscripting(line))
      } else if isSymbol("(") {
        accesses.append(.call(try arguments(), line: line))
      } else {
        return
      }
    }
  }

  private mutating func subscripting(_ line: Int) throws(TemplateError) -> Access {
    position += 1
    var bounds: [Expression?] = [nil]
    while !isSymbol("]") {
      if take(symbol: ":") {
        guard bounds.count < 3 else { throw unexpected("']'") }
        bounds.append(nil)
      } else {
        bounds[bounds.count - 1] = try tuple()
        guard isSymbol(":") || isSymbol("]") else { throw unexpected("']'") }
      }
    }
    position += 1
    if bounds.count > 1 {
      return .slice(
        Slice(start: bounds[0], stop: bounds[1], step: bounds.count > 2 ? bounds[2] : nil),
        line: line)
    }
    guard let index = bounds[0] else { throw unexpected("an expression") }
    return .item(index, line: line)
  }

  private mutating func arguments() throws(TemplateError) -> Arguments {
    try expect(symbol: "(")
    var arguments = Arguments()
    var isFirst = true
    while !isSymbol(")") {
      if !isFirst { try expect(symbol: ",") }
      isFirst = false
      if isSymbol(")") { break }
      if take(symbol: "**") {
        arguments.namedSpread = try expression()
      } else if take(symbol: "*") {
        arguments.spread = try expression()
      } else if current.kind == .name, tokens[position + 1].kind == .symbol,
        tokens[position + 1].text == "="
      {
        let name = next().text
        position += 1
        arguments.named.append((name, try expression()))
      } else {
        guard arguments.named.isEmpty else {
          throw fault("an argument without a name behind one with a name")
        }
        arguments.positional.append(try expression())
      }
    }
    try expect(symbol: ")")
    return arguments
  }

  /// Filters and tests behind a value.
  private mutating func filters(into accesses: inout [Access]) throws(TemplateError) {
    while true {
      let line = current.line
      if take(symbol: "|") {
        let (name, arguments) = try filterCall()
        accesses.append(.filter(name, arguments, line: line))
      } else if take(name: "is") {
        accesses.append(try test(line))
      } else if isSymbol("(") {
        accesses.append(.call(try arguments(), line: line))
      } else {
        return
      }
    }
  }

  private mutating func test(_ line: Int) throws(TemplateError) -> Access {
    let isNegated = take(name: "not")
    let name = try expectName()
    var arguments = Arguments()
    if isSymbol("(") {
      arguments = try self.arguments()
    } else if startsArgument {
      if isName("is") { throw fault("tests cannot be chained with 'is'") }
      let value = try primary()
      var accesses: [Access] = []
      try postfixes(into: &accesses)
      arguments.positional = [accesses.isEmpty ? value : .access(value, accesses)]
    }
    return .test(name, arguments, isNegated: isNegated, line: line)
  }

  /// Whether what comes next is the argument of a test, written without parentheses.
  private var startsArgument: Bool {
    switch current.kind {
    case .string, .integer, .float: true
    case .name: !["else", "or", "and", "if", "recursive"].contains(current.text)
    case .symbol: current.text == "[" || current.text == "{"
    default: false
    }
  }
}
