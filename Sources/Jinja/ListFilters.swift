/// Filters of lists and dicts.
extension Interpreter {
  func length(_ value: Value, _ arguments: CallArguments) throws -> Value {
    switch value {
    case .text(let text): return .int(text.count)
    case .dictionary(let dictionary): return .int(dictionary.count)
    default: return .int(try items(value).count)
    }
  }

  func list(_ value: Value, _ arguments: CallArguments) throws -> Value { .list(try items(value)) }

  func first(_ value: Value, _ arguments: CallArguments) throws -> Value {
    try items(value).first ?? .undefined("No first item, sequence was empty.")
  }

  func last(_ value: Value, _ arguments: CallArguments) throws -> Value {
    try items(value).last ?? .undefined("No last item, sequence was empty.")
  }

  func reverse(_ value: Value, _ arguments: CallArguments) throws -> Value {
    if case .text(let text) = value { return .text(Text(units: text.units.reversed())) }
    return .list(try items(value).reversed())
  }

  func itemPairs(_ value: Value, _ arguments: CallArguments) throws -> Value {
    if value.isUndefined { return .list([]) }
    guard case .dictionary(let dictionary) = value else {
      throw TemplateError.failure("Can only get item pairs from a mapping.")
    }
    try spend(dictionary.count)
    return .list(dictionary.items.map { .tuple([$0.key, $0.value]) })
  }

  func join(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let separator = try string(arguments.value(0, "d") ?? .string(""))
    let attribute = arguments.value(1, "attribute")
    let parts = try items(value).map { try string(try extract(attribute, from: $0)) }
    try spend(text: parts.reduce(0) { $0 + $1.count + separator.count })
    return .text(parts.joined(separator: separator))
  }

  func attribute(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let name = try string(try required(arguments.value(0, "name"), "attr")).string
    // Unlike a dot, this never looks for an item.
    if case .dictionary = value, method(name, of: value) == nil, !name.hasPrefix("__") {
      return .undefined("dict has no attribute '\(name)'")
    }
    return try attribute(name, of: value)
  }

  // MARK: Attributes

  /// What an `attribute` argument names in `item`: names and numbers with dots between; the item
  /// itself where there is no argument.
  func extract(_ attribute: Value?, from item: Value) throws -> Value {
    guard let attribute, !isNone(attribute) else { return item }
    if attribute.integer != nil { return try self.item(attribute, of: item) }
    var value = item
    for part in try string(attribute).split(Text(".")) {
      let key = Int(part.string).map { Value.int($0) } ?? .text(part)
      value = try self.item(key, of: value)
    }
    return value
  }

  /// As jinja2's filters that go through a list: what is false has no items.
  private func itemsIfTrue(_ value: Value) throws -> [Value] {
    value.isTrue ? try items(value) : []
  }

  func map(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let items = try itemsIfTrue(value)
    if arguments.positional.isEmpty {
      guard let attribute = arguments.named["attribute"] else {
        throw TemplateError.failure("map requires a filter argument")
      }
      let none = arguments.named["default"]
      return .list(
        try items.map { item in
          let found = try extract(attribute, from: item)
          return found.isUndefined ? none ?? found : found
        })
    }
    let name = try string(arguments.positional[0]).string
    let rest = arguments.dropFirst
    return .list(try items.map { try filter(name, $0, rest) })
  }

  func select(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .list(try itemsIfTrue(value).filter { try passes($0, arguments) })
  }

  func reject(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .list(try itemsIfTrue(value).filter { try !passes($0, arguments) })
  }

  func selectAttribute(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .list(try itemsIfTrue(value).filter { try attributePasses($0, arguments) })
  }

  func rejectAttribute(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .list(try itemsIfTrue(value).filter { try !attributePasses($0, arguments) })
  }

  /// Whether `value` passes the test that the first argument names, or is true where none is named.
  private func passes(_ value: Value, _ arguments: CallArguments) throws -> Bool {
    guard let name = arguments.positional.first else { return value.isTrue }
    return try test(try string(name).string, value, arguments.dropFirst)
  }

  private func attributePasses(_ item: Value, _ arguments: CallArguments) throws -> Bool {
    guard let attribute = arguments.positional.first else {
      throw TemplateError.failure("Missing parameter for attribute name")
    }
    return try passes(try extract(attribute, from: item), arguments.dropFirst)
  }

  // MARK: Order

  /// Text without regard to case, unless that matters.
  private func sortKey(_ value: Value, caseSensitive: Bool) -> Value {
    guard case .text(let text) = value, !caseSensitive else { return value }
    return .text(text.lowercased)
  }

  /// Sorted by `keys`, which stay with their items; equal ones keep their order.
  private func sorted(_ items: [Value], reverse: Bool, by key: (Value) throws -> Value) throws
    -> [Value]
  {
    let keyed = try items.map { (key: try key($0), item: $0) }
    return try keyed.sorted { a, b in
      try spend()
      return try reverse ? isLess(b.key, a.key) : isLess(a.key, b.key)
    }.map(\.item)
  }

  func sort(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let reverse = (arguments.value(0, "reverse") ?? .bool(false)).isTrue
    let caseSensitive = (arguments.value(1, "case_sensitive") ?? .bool(false)).isTrue
    let attribute = arguments.value(2, "attribute")
    var attributes = [attribute]
    if case .text(let text)? = attribute { attributes = text.split(Text(",")).map { .text($0) } }
    return .list(
      try sorted(try items(value), reverse: reverse) { item in
        let keys = try attributes.map {
          sortKey(try extract($0, from: item), caseSensitive: caseSensitive)
        }
        return keys.count == 1 ? keys[0] : .list(keys)
      })
  }

  func dictsort(_ value: Value, _ arguments: CallArguments) throws -> Value {
    guard case .dictionary = value else {
      throw TemplateError.failure("a \(value.typeName) where a dict is needed")
    }
    let caseSensitive = (arguments.value(0, "case_sensitive") ?? .bool(false)).isTrue
    let by = try string(arguments.value(1, "by") ?? .string("key")).string
    guard by == "key" || by == "value" else {
      throw TemplateError.failure("You can only sort by either \"key\" or \"value\"")
    }
    let reverse = (arguments.value(2, "reverse") ?? .bool(false)).isTrue
    let items = try pairs(value).map { Value.tuple([$0.0, $0.1]) }
    return .list(
      try sorted(items, reverse: reverse) { item in
        let key = try self.item(.int(by == "key" ? 0 : 1), of: item)
        return sortKey(key, caseSensitive: caseSensitive)
      })
  }

  func smallest(_ value: Value, _ arguments: CallArguments) throws -> Value {
    try extreme(value, arguments) { try isLess($0, $1) }
  }

  func largest(_ value: Value, _ arguments: CallArguments) throws -> Value {
    try extreme(value, arguments) { try isLess($1, $0) }
  }

  private func extreme(
    _ value: Value, _ arguments: CallArguments, _ isBetter: (Value, Value) throws -> Bool
  ) throws -> Value {
    let caseSensitive = (arguments.value(0, "case_sensitive") ?? .bool(false)).isTrue
    let attribute = arguments.value(1, "attribute")
    var best: (key: Value, item: Value)?
    for item in try items(value) {
      let key = sortKey(try extract(attribute, from: item), caseSensitive: caseSensitive)
      if let found = best, try !isBetter(key, found.key) { continue }
      best = (key, item)
    }
    return best?.item ?? .undefined("No aggregated item, sequence was empty.")
  }

  func unique(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let caseSensitive = (arguments.value(0, "case_sensitive") ?? .bool(false)).isTrue
    let attribute = arguments.value(1, "attribute")
    var seen = Set<Value>()
    return .list(
      try items(value).filter { item in
        let key = sortKey(try extract(attribute, from: item), caseSensitive: caseSensitive)
        try requireHashable(key)
        return seen.insert(key).inserted
      })
  }

  func groupBy(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let attribute = try required(arguments.value(0, "attribute"), "groupby")
    let none = arguments.value(1, "default")
    let caseSensitive = (arguments.value(2, "case_sensitive") ?? .bool(false)).isTrue
    func key(_ item: Value) throws -> Value {
      let found = try extract(attribute, from: item)
      return found.isUndefined ? none ?? found : found
    }
    let items = try sorted(try items(value), reverse: false) {
      sortKey(try key($0), caseSensitive: caseSensitive)
    }
    var groups: [(key: Value, items: [Value])] = []
    for item in items {
      let found = try key(item)
      if let last = groups.last,
        try equals(
          sortKey(last.key, caseSensitive: caseSensitive),
          sortKey(found, caseSensitive: caseSensitive))
      {
        groups[groups.count - 1].items.append(item)
      } else {
        groups.append((found, [item]))
      }
    }
    return .list(groups.map { .tuple([$0.key, .list($0.items)]) })
  }

  // MARK: Parts

  func batch(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let size = try number(arguments.value(0, "linecount"), or: 0)
    guard size > 0 else { throw TemplateError.failure("batches of \(size)") }
    let items = try items(value)
    var batches = stride(from: 0, to: items.count, by: size).map {
      Array(items[$0..<min(items.count, $0.addingReportingOverflow(size).partialValue)])
    }
    if let fill = arguments.value(1, "fill_with"), !isNone(fill), let last = batches.last {
      let missing = size - last.count
      try spend(missing)
      batches[batches.count - 1] += [Value](repeating: fill, count: missing)
    }
    return .list(batches.map { .list($0) })
  }

  func slices(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let count = try number(arguments.value(0, "slices"), or: 0)
    guard count > 0 else { throw TemplateError.failure("\(count) slices") }
    try spend(count)
    let items = try items(value)
    let (size, longer) = items.count.quotientAndRemainder(dividingBy: count)
    let fill = arguments.value(1, "fill_with").flatMap { isNone($0) ? nil : $0 }
    var start = 0
    return .list(
      (0..<count).map { index in
        let end = start + size + (index < longer ? 1 : 0)
        defer { start = end }
        let part = Array(items[start..<end])
        return .list(index >= longer && fill != nil ? part + [fill ?? .none] : part)
      })
  }
}
