/// What stands behind a value: attributes, items, slices, calls.
extension Interpreter {
  func attribute(_ name: String, of value: Value) throws -> Value {
    switch value {
    case .undefined(let what): throw TemplateError.failure("'\(what)' is undefined")
    case .object(let object):
      if let found = attribute(name, of: object) { return found }
    case .dictionary(let dictionary):
      if let method = method(name, of: value) { return method }
      if let found = dictionary[.string(name)] { return found }
    default:
      if let method = method(name, of: value) { return method }
    }
    // Python has these everywhere, and templates that ask for them are after something.
    guard !(name.hasPrefix("__") && name.hasSuffix("__")) else {
      throw TemplateError.failure("access to attribute '\(name)' of a \(value.typeName) is unsafe")
    }
    return .undefined("\(value.typeName) has no attribute '\(name)'")
  }

  private func attribute(_ name: String, of object: any TemplateObject) -> Value? {
    switch object {
    case let namespace as Namespace: namespace.values[name]
    case let loop as LoopState: loop.attribute(name)
    case let cycler as Cycler: cycler.attribute(name)
    case let macro as MacroValue where name == "name": .string(macro.macro.name)
    default: nil
    }
  }

  func item(_ key: Value, of value: Value) throws -> Value {
    switch value {
    case .undefined(let what): throw TemplateError.failure("'\(what)' is undefined")
    case .dictionary(let dictionary):
      if try isHashable(key), let found = dictionary[key] { return found }
    case .list(let items), .tuple(let items):
      if let place = place(key, count: items.count) { return items[place] }
    case .text(let text):
      if let place = place(key, count: text.count) { return .text(text[place..<place + 1]) }
    default: break
    }
    if case .text(let name) = key { return try attribute(name.string, of: value) }
    return .undefined("\(value.typeName) has no element \(try string(key).string)")
  }

  /// Where an index points to, counted from the end where it is negative; nil outside.
  private func place(_ key: Value, count: Int) -> Int? {
    guard let index = key.integer else { return nil }
    let place = index < 0 ? index + count : index
    return (0..<count).contains(place) ? place : nil
  }

  func slice(_ value: Value, _ bounds: [Value?]) throws -> Value {
    let numbers = try bounds.map { bound -> Int? in
      guard let bound, !isNone(bound) else { return nil }
      guard let number = bound.integer else {
        throw TemplateError.failure("a slice from a \(bound.typeName)")
      }
      return number
    }
    let step = numbers[2] ?? 1
    guard step != 0 else { throw TemplateError.failure("a slice with a step of 0") }
    func places(_ count: Int) -> [Int] {
      // As Python's `slice.indices`.
      let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
      func bound(_ number: Int?, _ none: Int) -> Int {
        guard let number else { return none }
        return min(max(number < 0 ? max(number, -count - 1) + count : number, low), high)
      }
      let start = bound(numbers[0], step > 0 ? low : high)
      let stop = bound(numbers[1], step > 0 ? high : low)
      // A step beyond the end is as good as one to it.
      let stride = max(-count - 1, min(count + 1, step))
      return Array(Swift.stride(from: start, to: stop, by: stride))
    }
    switch value {
    case .text(let text):
      try spend(text: text.count)
      return .text(Text(units: places(text.count).map { text.units[$0] }))
    case .list(let items):
      try spend(items.count)
      return .list(places(items.count).map { items[$0] })
    case .tuple(let items):
      try spend(items.count)
      return .tuple(places(items.count).map { items[$0] })
    case .undefined(let what): throw TemplateError.failure("'\(what)' is undefined")
    default: return .undefined("a \(value.typeName) has no slices")
    }
  }

  func isNone(_ value: Value) -> Bool { if case .none = value { true } else { false } }

  func call(_ value: Value, _ arguments: CallArguments) throws -> Value {
    switch value {
    case .object(let function as Function): return try function.body(self, arguments)
    case .object(let macro as MacroValue): return try call(macro, arguments)
    case .object(let loop as LoopState):
      guard loop.loop.isRecursive else {
        throw TemplateError.failure("a loop that is not marked as recursive cannot call itself")
      }
      var output = Text(units: [])
      try run(
        loop.loop, over: arguments.value(0, "iterable") ?? .undefined("iterable"),
        level: loop.level + 1, loop.scope, &output)
      return .text(output)
    case .undefined(let what): throw TemplateError.failure("'\(what)' is undefined")
    default: throw TemplateError.failure("a \(value.typeName) cannot be called")
    }
  }

  // MARK: Iteration

  /// What a loop over `value` goes through.
  func items(_ value: Value) throws -> [Value] {
    switch value {
    case .undefined: return []
    case .list(let items), .tuple(let items):
      try spend(items.count)
      return items.items
    case .dictionary(let dictionary):
      try spend(dictionary.count)
      return dictionary.items.map(\.key)
    case .text(let text):
      try spend(text.count)
      return text.units.map { .text(Text(units: [$0])) }
    default: throw TemplateError.failure("a \(value.typeName) has no items")
    }
  }

  /// A dict's items, or the pairs of a list.
  func pairs(_ value: Value) throws -> [(Value, Value)] {
    if case .dictionary(let dictionary) = value {
      return dictionary.items.map { ($0.key, $0.value) }
    }
    return try items(value).map { item in
      let pair = try items(item)
      guard pair.count == 2 else { throw TemplateError.failure("a pair of \(pair.count) values") }
      try requireHashable(pair[0])
      return (pair[0], pair[1])
    }
  }
}
