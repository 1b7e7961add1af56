// @unchecked Sendable below: each belongs to one rendering, which one thread does.

/// Something whose values change, so that it may come to hold itself.
protocol ValueHolder: AnyObject {
  func letGo()
}

/// The variables of a block, on top of those around it.
final class Scope: ValueHolder, @unchecked Sendable {
  var values: [String: Value] = [:]
  /// Whether the interpreter keeps it.
  var isKept = false
  private let parent: Scope?

  init(parent: Scope?) { self.parent = parent }

  func find(_ name: String) -> Value? {
    var scope: Scope? = self
    while let here = scope {
      if let value = here.values[name] { return value }
      scope = here.parent
    }
    return nil
  }

  func letGo() { values = [:] }
}

/// What a call is given.
struct CallArguments {
  var positional: [Value] = []
  private(set) var named: [String: Value] = [:]
  /// Names in the order in which they came.
  private(set) var names: [String] = []

  init(_ positional: [Value] = []) { self.positional = positional }

  mutating func set(_ name: String, _ value: Value) {
    if named.updateValue(value, forKey: name) == nil { names.append(name) }
  }

  mutating func take(_ name: String) -> Value? {
    names.removeAll { $0 == name }
    return named.removeValue(forKey: name)
  }

  /// Without the first positional one.
  var dropFirst: CallArguments {
    var rest = self
    rest.positional = Array(positional.dropFirst())
    return rest
  }

  /// The argument at `place` or called `name`.
  func value(_ place: Int, _ name: String) -> Value? {
    place < positional.count ? positional[place] : named[name]
  }
}

/// `namespace(...)`: variables that blocks inside may change.
final class Namespace: TemplateObject, ValueHolder, @unchecked Sendable {
  var values: [String: Value]
  let typeName = "namespace"
  let depth = 0

  init(_ values: [String: Value]) { self.values = values }

  func letGo() { values = [:] }
}

/// A macro, and the variables where it was defined.
final class MacroValue: TemplateObject, @unchecked Sendable {
  let macro: Macro
  let scope: Scope
  let typeName = "macro"
  let depth = 0

  init(_ macro: Macro, _ scope: Scope) {
    self.macro = macro
    self.scope = scope
  }
}

/// `loop` inside a loop.
final class LoopState: TemplateObject, ValueHolder, @unchecked Sendable {
  let items: ValueList
  let loop: Loop
  /// How often the loop has called itself.
  let level: Int
  let scope: Scope
  var index = 0
  /// What `changed` was last asked about.
  var lastAsked: [Value]?
  let typeName = "loop"

  var depth: Int { items.depth }

  init(_ items: [Value], loop: Loop, level: Int, scope: Scope) {
    self.items = ValueList(items)
    self.loop = loop
    self.level = level
    self.scope = scope
  }

  func attribute(_ name: String) -> Value? {
    switch name {
    case "index": .int(index + 1)
    case "index0": .int(index)
    case "revindex": .int(items.count - index)
    case "revindex0": .int(items.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == items.count - 1)
    case "length": .int(items.count)
    case "depth": .int(level + 1)
    case "depth0": .int(level)
    case "previtem": index > 0 ? items[index - 1] : .undefined("there is no previous item")
    case "nextitem":
      index + 1 < items.count ? items[index + 1] : .undefined("there is no next item")
    case "cycle":
      .object(
        Function("cycle") { [index] _, arguments in
          guard !arguments.positional.isEmpty else {
            throw TemplateError.failure("no items for cycling given")
          }
          return arguments.positional[index % arguments.positional.count]
        })
    case "changed":
      .object(
        Function("changed", depth: depth) { [self] interpreter, arguments in
          if lastAsked == nil { interpreter.keep(self) }
          defer { lastAsked = arguments.positional }
          guard let lastAsked else { return .bool(true) }
          return .bool(
            try !interpreter.equals(.list(lastAsked), .list(arguments.positional)))
        })
    default: nil
    }
  }

  func letGo() { lastAsked = nil }
}

/// A function of the language itself, or a method together with its value.
final class Function: TemplateObject, @unchecked Sendable {
  let name: String
  let body: (Interpreter, CallArguments) throws -> Value
  let typeName = "function"
  let depth: Int

  /// - Parameter depth: that of the value that `body` holds.
  init(
    _ name: String, depth: Int = 0,
    _ body: @escaping (Interpreter, CallArguments) throws -> Value
  ) {
    self.name = name
    self.depth = 1 + depth
    self.body = body
  }
}

/// `cycler(...)`: its items in turn.
final class Cycler: TemplateObject, @unchecked Sendable {
  let items: ValueList
  var position = 0
  var depth: Int { items.depth }
  let typeName = "cycler"

  init(_ items: [Value]) { self.items = ValueList(items) }

  func attribute(_ name: String) -> Value? {
    switch name {
    case "current": items[position]
    case "next":
      .object(
        Function("next", depth: depth) { [self] _, _ in
          defer { position = (position + 1) % items.count }
          return items[position]
        })
    case "reset":
      .object(
        Function("reset", depth: depth) { [self] _, _ in
          position = 0
          return .none
        })
    default: nil
    }
  }
}
