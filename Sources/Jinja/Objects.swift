// @unchecked Sendable below: each belongs to one rendering, which one thread does.

/// The variables of a block, on top of those around it.
final class Scope: @unchecked Sendable {
  var values: [String: Value] = [:]
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
final class Namespace: TemplateObject, @unchecked Sendable {
  var values: [String: Value]
  let typeName = "namespace"

  init(_ values: [String: Value]) { self.values = values }
}

/// A macro, and the variables where it was defined.
final class MacroValue: TemplateObject, @unchecked Sendable {
  let macro: Macro
  let scope: Scope
  let typeName = "macro"

  init(_ macro: Macro, _ scope: Scope) {
    self.macro = macro
    self.scope = scope
  }
}

/// `loop` inside a loop.
final class LoopState: TemplateObject, @unchecked Sendable {
  let items: [Value]
  let loop: Loop
  let depth: Int
  let scope: Scope
  var index = 0
  /// What `changed` was last asked about.
  var lastAsked: [Value]?
  let typeName = "loop"

  init(_ items: [Value], loop: Loop, depth: Int, scope: Scope) {
    self.items = items
    self.loop = loop
    self.depth = depth
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
    case "depth": .int(depth + 1)
    case "depth0": .int(depth)
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
        Function("changed") { [self] interpreter, arguments in
          defer { lastAsked = arguments.positional }
          guard let lastAsked else { return .bool(true) }
          return .bool(
            try !interpreter.equals(.list(lastAsked), .list(arguments.positional)))
        })
    default: nil
    }
  }
}

/// A function of the language itself, or a method together with its value.
final class Function: TemplateObject, @unchecked Sendable {
  let name: String
  let body: (Interpreter, CallArguments) throws -> Value
  let typeName = "function"

  init(_ name: String, _ body: @escaping (Interpreter, CallArguments) throws -> Value) {
    self.name = name
    self.body = body
  }
}

/// `cycler(...)`: its items in turn.
final class Cycler: TemplateObject, @unchecked Sendable {
  let items: [Value]
  var position = 0
  let typeName = "cycler"

  init(_ items: [Value]) { self.items = items }

  func attribute(_ name: String) -> Value? {
    switch name {
    case "current": items[position]
    case "next":
      .object(
        Function("next") { [self] _, _ in
          defer { position = (position + 1) % items.count }
          return items[position]
        })
    case "reset":
      .object(
        Function("reset") { [self] _, _ in
          position = 0
          return .none
        })
    default: nil
    }
  }
}
