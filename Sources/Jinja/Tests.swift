/// What follows `is`.
extension Interpreter {
  func test(_ name: String, _ value: Value, _ arguments: CallArguments) throws -> Bool {
    func other() throws -> Value {
      guard let other = arguments.value(0, "other") else {
        throw TemplateError.failure("the test '\(name)' needs an argument")
      }
      return other
    }
    func integer() throws -> Int {
      guard let integer = value.integer else {
        if let number = value.number { return Int(exactly: number) ?? 0 }
        throw TemplateError.failure("the test '\(name)' of a \(value.typeName)")
      }
      return integer
    }
    if case .text(let text) = value { try spend(text: text.count) }
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": return isNone(value)
    case "boolean": return value.typeName == "bool"
    case "true": return value.typeName == "bool" && value.isTrue
    case "false": return value.typeName == "bool" && !value.isTrue
    case "integer": return value.typeName == "int"
    case "float": return value.typeName == "float"
    case "number": return value.number != nil
    case "string": return value.typeName == "string"
    case "mapping": return value.typeName == "dict"
    case "sequence":
      return ["undefined", "string", "list", "tuple", "dict"].contains(value.typeName)
    case "iterable":
      return ["undefined", "string", "list", "tuple", "dict", "loop"].contains(value.typeName)
    case "callable": return ["function", "macro", "cycler"].contains(value.typeName)
    case "even": return try integer() % 2 == 0
    case "odd": return try integer() % 2 != 0
    case "divisibleby":
      let divisor = try other().integer ?? 0
      guard divisor != 0 else { throw TemplateError.failure("division by zero") }
      return try integer().remainderReportingOverflow(dividingBy: divisor).partialValue == 0
    case "sameas": return isSame(value, try other())
    case "lower", "upper":
      let text = try string(value)
      let changed = name == "lower" ? text.lowercased : text.uppercased
      return changed == text && text.lowercased != text.uppercased
    case "in": return try holds(.in, value, try other())
    case "eq", "equalto", "==": return try holds(.equal, value, try other())
    case "ne", "!=": return try holds(.notEqual, value, try other())
    case "lt", "lessthan", "<": return try holds(.less, value, try other())
    case "le", "<=": return try holds(.lessOrEqual, value, try other())
    case "gt", "greaterthan", ">": return try holds(.greater, value, try other())
    case "ge", ">=": return try holds(.greaterOrEqual, value, try other())
    case "escaped": return try string(value).isMarkup
    case "filter": return Self.filterNames.contains(try string(value).string)
    default: throw TemplateError(.syntax, "no test named '\(name)'")
    }
  }

  /// As Python's `is`, for what cannot be told apart from a copy.
  private func isSame(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.bool, .bool), (.none, .none), (.object, .object), (.int, .int): a == b
    case (.text(let first), .text(let second)): first == second
    default: false
    }
  }
}
