/// What stands between braces, and behind the names of tags.
extension Parser {
  /// An expression, or several with commas between, which are a tuple.
  mutating func tuple(allowsConditional: Bool = true, end: String? = nil)
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

  mutating func expression() throws(TemplateError) -> Expression {
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

  mutating func disjunction() throws(TemplateError) -> Expression {
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

  mutating func arguments() throws(TemplateError) -> Arguments {
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
