/// Renders one template once: statements and expressions.
final class Interpreter {
  let limits: Template.Limits
  let now: Template.Moment
  private var stepsLeft: Int
  private let givenSize: Int
  private var depth = 0
  private let variables: Scope
  /// The line of what is being computed, for errors.
  private var line: Int?
  /// What may hold itself by way of its values.
  private var holders: [any ValueHolder] = []

  init(limits: Template.Limits, now: Template.Moment, variables: [String: Value]) {
    self.limits = limits
    self.now = now
    stepsLeft = limits.steps
    let globals = Scope(parent: nil)
    for (name, value) in Globals.functions { globals.values[name] = value }
    self.variables = Scope(parent: globals)
    for (name, value) in variables { self.variables.values[name] = value }
    givenSize = variables.values.reduce(0) { $0 + Self.size($1) }
    stepsLeft += givenSize
  }

  /// Values and code points; JSON bounds the depth.
  private static func size(_ value: Value) -> Int {
    switch value {
    case .text(let text): 1 + text.count
    case .list(let items), .tuple(let items): items.reduce(1) { $0 + size($1) }
    case .dictionary(let dictionary):
      dictionary.items.reduce(1) { $0 + size($1.key) + size($1.value) }
    default: 1
    }
  }

  func render(_ body: [Statement]) throws -> Text {
    defer { for holder in holders { holder.letGo() } }
    var output = Text(units: [])
    do {
      _ = try run(body, variables, &output)
    } catch var error as TemplateError {
      error.line = error.line ?? line
      throw error
    }
    return output
  }

  /// Counts `count` steps.
  func spend(_ count: Int = 1) throws {
    stepsLeft -= count
    guard stepsLeft >= 0 else {
      throw TemplateError(.limit, "the template takes more than \(limits.steps) steps")
    }
  }

  /// Keeps `holder` until the end, when it lets go of its values: objects that hold each other are
  /// freed, and long chains of them one by one.
  func keep(_ holder: some ValueHolder) { holders.append(holder) }

  private func keep(scope: Scope) {
    guard !scope.isKept else { return }
    scope.isKept = true
    keep(scope)
  }

  private func macro(_ macro: Macro, _ scope: Scope) -> Value {
    keep(scope: scope)
    return .object(MacroValue(macro, scope))
  }

  /// - Throws: `TemplateError` where `value` holds values in too many levels.
  private func bounded(_ value: Value) throws -> Value {
    guard value.depth <= Template.Limits.valueDepth else {
      throw TemplateError(
        .limit, "values in more than \(Template.Limits.valueDepth) levels within each other")
    }
    return value
  }

  /// Counts the making of a text.
  func spend(text count: Int) throws { try spend(1 + count / 16) }

  private func append(_ text: Text, to output: inout Text) throws {
    try spend(text: text.count)
    output.units += text.units
    guard output.count <= limits.output + 2 * givenSize else {
      throw TemplateError(.limit, "the template writes more than \(limits.output) characters")
    }
  }

  func nested<R>(_ body: () throws -> R) throws -> R {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Template.Limits.depth else {
      throw TemplateError(.limit, "more than \(Template.Limits.depth) levels of nesting")
    }
    return try body()
  }

  // MARK: Statements

  /// How a list of statements ended.
  enum Flow { case normal, `break`, `continue` }

  func run(_ body: [Statement], _ scope: Scope, _ output: inout Text) throws -> Flow {
    for statement in body {
      try spend()
      let flow = try run(statement, scope, &output)
      if flow != .normal { return flow }
    }
    return .normal
  }

  private func run(_ statement: Statement, _ scope: Scope, _ output: inout Text) throws -> Flow {
    switch statement {
    case .text(let text): try append(text, to: &output)
    case .output(let expression):
      try append(try string(try evaluate(expression, scope)), to: &output)
    case .set(let target, let expression):
      try assign(target, try evaluate(expression, scope), scope)
    case .conditional(let branches, let otherwise):
      for branch in branches where try evaluate(branch.condition, scope).isTrue {
        return try nested { try run(branch.body, scope, &output) }
      }
      return try nested { try run(otherwise, scope, &output) }
    case .loop(let loop): try nested { try run(loop, scope, &output) }
    case .break: return .break
    case .continue: return .continue
    case .macro(let macro):
      try assign(.name(macro.name), self.macro(macro, scope), scope)
    case .scope(let body): return try nested { try run(body, Scope(parent: scope), &output) }
    default: try nested { try runBlock(statement, scope, &output) }
    }
    return .normal
  }

  /// Blocks whose text goes through something.
  private func runBlock(_ statement: Statement, _ scope: Scope, _ output: inout Text) throws {
    switch statement {
    case .setBlock(let target, let filter, let body):
      let text = try capture(body, Scope(parent: scope))
      try assign(target, try apply(filter, to: text, scope), scope)
    case .filterBlock(let filter, let body):
      let text = try capture(body, Scope(parent: scope))
      try append(try string(try apply(filter, to: text, scope)), to: &output)
    case .callBlock(let call, let caller):
      let inner = Scope(parent: scope)
      guard case .access(let base, var accesses) = call,
        case .call(var arguments, let line)? = accesses.popLast()
      else { return }
      inner.values["caller"] = macro(caller, scope)
      arguments.named.append(("caller", .variable("caller", line: line)))
      accesses.append(.call(arguments, line: line))
      try append(try string(try evaluate(.access(base, accesses), inner)), to: &output)
    case .with(let bindings, let body):
      let inner = Scope(parent: scope)
      for binding in bindings {
        try assign(binding.target, try evaluate(binding.value, scope), inner)
      }
      _ = try run(body, inner, &output)
    default: break
    }
  }

  private func capture(_ body: [Statement], _ scope: Scope) throws -> Value {
    var text = Text(units: [])
    _ = try run(body, scope, &text)
    return .text(text)
  }

  private func apply(_ filtering: Filtering?, to value: Value, _ scope: Scope) throws -> Value {
    var value = value
    for filter in filtering?.filters ?? [] {
      line = filtering?.line
      value = try bounded(
        try self.filter(filter.name, value, try evaluate(filter.arguments, scope)))
    }
    return value
  }

  private func assign(_ target: Target, _ value: Value, _ scope: Scope) throws {
    switch target {
    case .name(let name): scope.values[name] = value
    case .attribute(let name, let attribute):
      guard case .object(let object)? = scope.find(name), let namespace = object as? Namespace
      else {
        throw TemplateError.failure("cannot assign to an attribute of what is no namespace")
      }
      guard !attribute.hasPrefix("_") else {
        throw TemplateError.failure("a namespace has no attributes that begin with '_'")
      }
      namespace.values[attribute] = value
    case .tuple(let targets):
      let items = try self.items(value)
      guard items.count == targets.count else {
        throw TemplateError.failure("\(items.count) values for \(targets.count) names")
      }
      for (target, item) in zip(targets, items) { try assign(target, item, scope) }
    }
  }

  // MARK: Loops

  private func run(_ loop: Loop, _ scope: Scope, _ output: inout Text) throws {
    line = loop.line
    try run(loop, over: try evaluate(loop.items, scope), level: 0, scope, &output)
  }

  /// - Parameter level: how often the loop has called itself.
  func run(_ loop: Loop, over value: Value, level: Int, _ scope: Scope, _ output: inout Text) throws
  {
    var items = try self.items(value)
    if let condition = loop.condition {
      items = try items.filter { item in
        try spend()
        let inner = Scope(parent: scope)
        try assign(loop.target, item, inner)
        return try evaluate(condition, inner).isTrue
      }
    }
    let state = LoopState(items, loop: loop, level: level, scope: scope)
    keep(scope: scope)
    // As in jinja2, 'else' is for loops of which no round came to its end.
    var isElse = true
    for (index, item) in items.enumerated() {
      try spend()
      state.index = index
      let inner = Scope(parent: scope)
      inner.values["loop"] = .object(state)
      try assign(loop.target, item, inner)
      let flow = try run(loop.body, inner, &output)
      if flow == .normal { isElse = false }
      if flow == .break { break }
    }
    if isElse { _ = try run(loop.otherwise, Scope(parent: scope), &output) }
  }

  // MARK: Expressions

  func evaluate(_ expression: Expression, _ scope: Scope) throws -> Value {
    switch expression {
    case .literal(let value): return value
    case .variable(let name, let line):
      self.line = line
      return scope.find(name) ?? .undefined(name)
    case .access(let base, let accesses): return try evaluate(base, accesses, scope)
    default:
      try spend()
      return try bounded(try nested { try evaluateCompound(expression, scope) })
    }
  }

  private func evaluateCompound(_ expression: Expression, _ scope: Scope) throws -> Value {
    switch expression {
    case .list(let items): return .list(try items.map { try evaluate($0, scope) })
    case .tuple(let items): return .tuple(try items.map { try evaluate($0, scope) })
    case .dictionary(let items): return try dictionary(items, scope)
    case .chain(let first, let rest, let line): return try chain(first, rest, line, scope)
    case .comparison(let first, let rest, let line): return try compare(first, rest, line, scope)
    case .unary(let sign, let operand): return try apply(sign, try evaluate(operand, scope))
    case .and(let operands):
      return try firstOf(operands, scope) { !$0.isTrue }
    case .or(let operands):
      return try firstOf(operands, scope) { $0.isTrue }
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition, scope).isTrue { return try evaluate(then, scope) }
      return try otherwise.map { try evaluate($0, scope) } ?? .undefined("an 'if' without 'else'")
    default: return .none
    }
  }

  /// The first operand that decides, or the last.
  private func firstOf(_ operands: [Expression], _ scope: Scope, _ decides: (Value) -> Bool) throws
    -> Value
  {
    var value = Value.none
    for operand in operands {
      value = try evaluate(operand, scope)
      if decides(value) { break }
    }
    return value
  }

  private func dictionary(_ items: [(key: Expression, value: Expression)], _ scope: Scope) throws
    -> Value
  {
    var dictionary = ValueDictionary()
    for item in items {
      let key = try evaluate(item.key, scope)
      try requireHashable(key)
      dictionary[key] = try evaluate(item.value, scope)
    }
    return .dictionary(dictionary)
  }

  /// - Throws: `TemplateError` where Python could not use `key` in a dict.
  func requireHashable(_ key: Value) throws {
    guard try isHashable(key) else {
      throw TemplateError.failure("a \(key.typeName) cannot be a key")
    }
  }

  func isHashable(_ key: Value) throws -> Bool {
    switch key {
    case .list, .dictionary: return false
    case .text, .tuple: try measure(key)
    default: break
    }
    guard case .tuple(let items) = key else { return true }
    return try items.allSatisfy(isHashable)
  }

  private func chain(
    _ first: Expression, _ rest: [(operation: BinaryOperator, operand: Expression)], _ line: Int,
    _ scope: Scope
  ) throws -> Value {
    var value = try evaluate(first, scope)
    for (operation, operand) in rest {
      try spend()
      let right = try evaluate(operand, scope)
      self.line = line
      value = try apply(operation, value, right)
    }
    return value
  }

  private func compare(
    _ first: Expression, _ rest: [(operation: Comparison, operand: Expression)], _ line: Int,
    _ scope: Scope
  ) throws -> Value {
    var left = try evaluate(first, scope)
    for (comparison, operand) in rest {
      let right = try evaluate(operand, scope)
      self.line = line
      guard try holds(comparison, left, right) else { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  private func evaluate(_ base: Expression, _ accesses: [Access], _ scope: Scope) throws -> Value {
    var value = try evaluate(base, scope)
    for access in accesses {
      try spend()
      switch access {
      case .attribute(let name, let line):
        self.line = line
        value = try attribute(name, of: value)
      case .item(let key, let line):
        let key = try nested { try evaluate(key, scope) }
        self.line = line
        value = try item(key, of: value)
      case .slice(let slice, let line): value = try evaluate(slice, line, of: value, scope)
      case .call(let arguments, let line):
        let arguments = try nested { try evaluate(arguments, scope) }
        self.line = line
        value = try nested { try call(value, arguments) }
      case .filter(let name, let arguments, let line):
        let arguments = try nested { try evaluate(arguments, scope) }
        self.line = line
        value = try filter(name, value, arguments)
      case .test(let name, let arguments, let isNegated, let line):
        let arguments = try nested { try evaluate(arguments, scope) }
        self.line = line
        value = .bool(try test(name, value, arguments) != isNegated)
      }
      value = try bounded(value)
    }
    return value
  }

  private func evaluate(_ slice: Slice, _ line: Int, of value: Value, _ scope: Scope) throws
    -> Value
  {
    let bounds = try nested {
      try [slice.start, slice.stop, slice.step].map { bound in
        try bound.map { try evaluate($0, scope) }
      }
    }
    self.line = line
    return try self.slice(value, bounds)
  }

  func evaluate(_ arguments: Arguments, _ scope: Scope) throws -> CallArguments {
    var result = CallArguments(try arguments.positional.map { try evaluate($0, scope) })
    for (name, value) in arguments.named { result.set(name, try evaluate(value, scope)) }
    if let spread = arguments.spread { result.positional += try items(try evaluate(spread, scope)) }
    if let spread = arguments.namedSpread {
      guard case .dictionary(let dictionary) = try evaluate(spread, scope) else {
        throw TemplateError.failure("what follows '**' is no dict")
      }
      for (key, value) in dictionary.items { result.set(try string(key).string, value) }
    }
    return result
  }

  // MARK: Macros

  func call(_ macro: MacroValue, _ arguments: CallArguments) throws -> Value {
    // A scope and its values take as long as some steps, all calls of a template as long as its steps may.
    try spend(8 + macro.macro.parameters.count)
    let scope = Scope(parent: macro.scope)
    var positional = arguments.positional[...]
    var named = arguments
    scope.values["caller"] = named.take("caller") ?? .undefined("caller")
    for parameter in macro.macro.parameters {
      if let value = positional.popFirst() {
        guard named.named[parameter.name] == nil else {
          throw TemplateError.failure("two values for the parameter '\(parameter.name)'")
        }
        scope.values[parameter.name] = value
      } else if let value = named.take(parameter.name) {
        scope.values[parameter.name] = value
      } else {
        scope.values[parameter.name] =
          try parameter.value.map { try evaluate($0, scope) } ?? .undefined(parameter.name)
      }
    }
    guard positional.isEmpty || macro.macro.takesMore, named.names.isEmpty || macro.macro.takesNamed
    else { throw TemplateError.failure("too many arguments for the macro '\(macro.macro.name)'") }
    scope.values["varargs"] = .tuple(Array(positional))
    var rest = ValueDictionary()
    for name in named.names { rest[.string(name)] = named.named[name] }
    scope.values["kwargs"] = .dictionary(rest)
    return try capture(macro.macro.body, scope)
  }
}
