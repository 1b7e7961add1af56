/// Tags and what they enclose.
extension Parser {
  /// Statements up to a tag of one of the names, which is left at its name; or the template's end, where
  /// there are no names.
  mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
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

  mutating func filterCall() throws(TemplateError) -> (name: String, arguments: Arguments) {
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
}
