/// The methods of strings, dicts and lists that change nothing.
extension Interpreter {
  private typealias Method<T> = @Sendable (Interpreter, T, CallArguments) throws -> Value

  /// The method `name` of `value`; undefined where it changes the value, which Python's sandbox forbids,
  /// and nil where there is none.
  func method(_ name: String, of value: Value) -> Value? {
    func bound<T>(_ method: Method<T>?, _ receiver: T) -> Value? {
      guard let method else { return nil }
      return .object(
        Function(name, depth: value.depth) { interpreter, arguments in
          // Each method goes through its text once, more or less.
          if let text = receiver as? Text { try interpreter.spend(text: text.count) }
          return try method(interpreter, receiver, arguments)
        })
    }
    switch value {
    case .text(let text): return bound(Self.textMethods[name], text)
    case .dictionary(let dictionary):
      if ["clear", "pop", "popitem", "setdefault", "update"].contains(name) { return unsafe(name) }
      return bound(Self.dictionaryMethods[name], dictionary)
    case .list(let items):
      let changing = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]
      if changing.contains(name) { return unsafe(name) }
      return bound(Self.listMethods[name], items.items)
    case .tuple(let items): return name == "copy" ? nil : bound(Self.listMethods[name], items.items)
    default: return nil
    }
  }

  private func unsafe(_ name: String) -> Value {
    .undefined("access to attribute '\(name)' is unsafe")
  }

  private static let dictionaryMethods: [String: Method<ValueDictionary>] = [
    "items": { interpreter, dictionary, _ in
      try interpreter.spend(dictionary.count)
      return .list(dictionary.items.map { .tuple([$0.key, $0.value]) })
    },
    "keys": { interpreter, dictionary, _ in
      try interpreter.spend(dictionary.count)
      return .list(dictionary.items.map(\.key))
    },
    "values": { interpreter, dictionary, _ in
      try interpreter.spend(dictionary.count)
      return .list(dictionary.items.map(\.value))
    },
    "get": { interpreter, dictionary, arguments in
      let key = try interpreter.required(arguments.value(0, "key"), "get")
      try interpreter.requireHashable(key)
      return dictionary[key] ?? arguments.value(1, "default") ?? .none
    },
    "copy": { _, dictionary, _ in .dictionary(dictionary) },
  ]

  private static let listMethods: [String: Method<[Value]>] = [
    "count": { interpreter, items, arguments in
      let value = try interpreter.required(arguments.value(0, "value"), "count")
      try interpreter.spend(items.count)
      return .int(try items.count { try interpreter.equals($0, value) })
    },
    "index": { interpreter, items, arguments in
      let value = try interpreter.required(arguments.value(0, "value"), "index")
      try interpreter.spend(items.count)
      guard let place = try items.firstIndex(where: { try interpreter.equals($0, value) })
      else {
        throw TemplateError.failure("the value is not in the list")
      }
      return .int(place)
    },
    "copy": { _, items, _ in .list(items) },
  ]

  // MARK: Strings

  private static func textArgument(_ interpreter: Interpreter, _ value: Value?, _ name: String)
    throws -> Text
  {
    guard case .text(let text) = try interpreter.required(value, name) else {
      throw TemplateError.failure("'\(name)' needs a string")
    }
    return text
  }

  /// What the second and third argument cut out of the text, and where it starts.
  private static func stretch(_ interpreter: Interpreter, _ text: Text, _ arguments: CallArguments)
    throws -> (Text, Int)
  {
    func bound(_ place: Int, _ none: Int) throws -> Int {
      guard arguments.positional.count > place, !interpreter.isNone(arguments.positional[place])
      else { return none }
      let number = try interpreter.number(arguments.positional[place], or: none)
      return min(text.count, number < 0 ? max(0, number + text.count) : number)
    }
    let (start, end) = (try bound(1, 0), try bound(2, text.count))
    return (text[start..<max(start, end)], start)
  }

  private static func trimmer(start: Bool, end: Bool) -> Method<Text> {
    { interpreter, text, arguments in
      guard let characters = arguments.value(0, "chars"), !interpreter.isNone(characters) else {
        return .text(text.trimmed(nil, start: start, end: end))
      }
      let set = try textArgument(interpreter, characters, "strip")
      return .text(text.trimmed(set, start: start, end: end))
    }
  }

  /// Whether the text begins or ends with the argument, or with one of a tuple's.
  private static func affix(_ matches: @escaping @Sendable (Text, Text) -> Bool) -> Method<Text> {
    { interpreter, text, arguments in
      let affixes: [Value]
      switch try interpreter.required(arguments.value(0, "prefix"), "startswith") {
      case .tuple(let items): affixes = items.items
      case let other: affixes = [other]
      }
      let (part, _) = try stretch(interpreter, text, arguments)
      return .bool(
        try affixes.contains { matches(part, try textArgument(interpreter, $0, "startswith")) })
    }
  }

  private static func splitter(fromEnd: Bool) -> Method<Text> {
    { interpreter, text, arguments in
      try interpreter.spend(text: 16 * text.count)
      let limit = try interpreter.number(arguments.value(1, "maxsplit"), or: -1)
      let most = limit < 0 ? Int.max : limit
      guard let separator = arguments.value(0, "sep"), !interpreter.isNone(separator) else {
        if !fromEnd || limit < 0 { return .list(text.words(limit: most).map { .text($0) }) }
        let turned = Text(units: text.units.reversed()).words(limit: most)
        return .list(turned.reversed().map { .text(Text(units: $0.units.reversed())) })
      }
      let cut = try textArgument(interpreter, separator, "split")
      guard !cut.isEmpty else { throw TemplateError.failure("empty separator") }
      let parts =
        fromEnd && limit >= 0
        ? text.splitFromEnd(cut, limit: most) : text.split(cut, limit: most)
      return .list(parts.map { .text($0) })
    }
  }

  private static func finder(_ find: @escaping @Sendable (Text, Text) -> Int?, fails: Bool)
    -> Method<Text>
  {
    { interpreter, text, arguments in
      try interpreter.spend(text: text.count)
      let (stretch, start) = try stretch(interpreter, text, arguments)
      let part = try textArgument(interpreter, arguments.value(0, "sub"), "find")
      if let place = find(stretch, part) { return .int(place + start) }
      guard !fails else { throw TemplateError.failure("substring not found") }
      return .int(-1)
    }
  }

  private static func partition(fromEnd: Bool) -> Method<Text> {
    { interpreter, text, arguments in
      let cut = try textArgument(interpreter, arguments.value(0, "sep"), "partition")
      guard !cut.isEmpty else { throw TemplateError.failure("empty separator") }
      guard let place = fromEnd ? text.lastIndex(of: cut) : text.firstIndex(of: cut) else {
        let empty = Value.string("")
        return .tuple(fromEnd ? [empty, empty, .text(text)] : [.text(text), empty, empty])
      }
      return .tuple([
        .text(text[0..<place]), .text(text[place..<place + cut.count]),
        .text(text[place + cut.count..<text.count]),
      ])
    }
  }

  /// Whether the text is not empty and all of it is of a kind.
  private static func all(_ isOfKind: @escaping @Sendable (Unicode.Scalar) -> Bool) -> Method<Text>
  {
    { _, text, _ in
      .bool(!text.isEmpty && text.units.allSatisfy { isOfKind(Text.scalar($0)) })
    }
  }

  private static func justifier(left: Bool) -> Method<Text> {
    { interpreter, text, arguments in
      let width = try interpreter.number(arguments.value(0, "width"), or: 0)
      guard width > text.count else { return .text(text) }
      let fill = try interpreter.string(arguments.value(1, "fillchar") ?? .string(" "))
      let padding = try interpreter.padding(width - text.count, fill)
      return .text(left ? text + padding : padding + text)
    }
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.numericType == .decimal || scalar.properties.numericType == .digit
  }

  private static let textMethods: [String: Method<Text>] = [
    "strip": trimmer(start: true, end: true), "lstrip": trimmer(start: true, end: false),
    "rstrip": trimmer(start: false, end: true),
    "startswith": affix { $0.hasPrefix($1) }, "endswith": affix { $0.hasSuffix($1) },
    "split": splitter(fromEnd: false), "rsplit": splitter(fromEnd: true),
    "splitlines": { interpreter, text, arguments in
      try interpreter.spend(text: 16 * text.count)
      let keepsEnds = (arguments.value(0, "keepends") ?? .bool(false)).isTrue
      return .list(text.lines(keepingEnds: keepsEnds).map { .text($0) })
    },
    "find": finder({ $0.firstIndex(of: $1) }, fails: false),
    "rfind": finder({ $0.lastIndex(of: $1) }, fails: false),
    "index": finder({ $0.firstIndex(of: $1) }, fails: true),
    "rindex": finder({ $0.lastIndex(of: $1) }, fails: true),
    "partition": partition(fromEnd: false), "rpartition": partition(fromEnd: true),
    "lower": { _, text, _ in .text(text.lowercased) },
    "casefold": { _, text, _ in .text(text.lowercased) },
    "upper": { _, text, _ in .text(text.uppercased) },
    "capitalize": { _, text, _ in .text(text.capitalized) },
    "swapcase": { _, text, _ in
      .text(
        text.map {
          $0.properties.isUppercase
            ? $0.properties.lowercaseMapping : $0.properties.uppercaseMapping
        })
    },
    "title": { _, text, _ in
      // Python's own rule: a letter after anything but a letter is the first of a word.
      var afterLetter = false
      return .text(
        text.map { scalar in
          defer { afterLetter = scalar.properties.isCased }
          return afterLetter
            ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
        })
    },
    "replace": { interpreter, text, arguments in
      let old = try textArgument(interpreter, arguments.value(0, "old"), "replace")
      let new = try textArgument(interpreter, arguments.value(1, "new"), "replace")
      let limit = try interpreter.number(arguments.value(2, "count"), or: -1)
      return .text(try interpreter.replaced(text, old, new, limit))
    },
    "join": { interpreter, text, arguments in
      let parts = try interpreter.items(try interpreter.required(arguments.value(0, "x"), "join"))
      let texts = try parts.map { try textArgument(interpreter, $0, "join") }
      try interpreter.spend(text: texts.reduce(0) { $0 + $1.count + text.count })
      return .text(texts.joined(separator: text))
    },
    "count": { interpreter, text, arguments in
      let part = try textArgument(interpreter, arguments.value(0, "sub"), "count")
      try interpreter.spend(text: text.count)
      let (text, _) = try stretch(interpreter, text, arguments)
      return .int(part.isEmpty ? text.count + 1 : text.split(part).count - 1)
    },
    "isdigit": all(isDigit), "isnumeric": all { $0.properties.numericType != nil },
    "isdecimal": all { $0.properties.numericType == .decimal },
    "isalpha": all(isLetter),
    "isalnum": all { isLetter($0) || $0.properties.numericType != nil },
    "isspace": all { Text.isSpace($0.value) },
    "isascii": { _, text, _ in .bool(text.units.allSatisfy { $0 & ~Text.mark < 0x80 }) },
    "islower": { _, text, _ in
      .bool(text.lowercased == text && text.lowercased != text.uppercased)
    },
    "isupper": { _, text, _ in
      .bool(text.uppercased == text && text.lowercased != text.uppercased)
    },
    "istitle": { _, text, _ in .bool(text.capitalized == text && !text.isEmpty) },
    "zfill": { interpreter, text, arguments in
      let width = try interpreter.number(arguments.value(0, "width"), or: 0)
      guard width > text.count else { return .text(text) }
      try interpreter.spend(text: width)
      let signs = text.units.prefix(1).filter { "+-".unicodeScalars.contains(Text.scalar($0)) }
      return .text(
        Text(units: Array(signs)) + Text(String(repeating: "0", count: width - text.count))
          + text[signs.count..<text.count])
    },
    "ljust": justifier(left: true), "rjust": justifier(left: false),
    "center": { interpreter, text, arguments in
      .text(
        try interpreter.centered(
          text, try interpreter.number(arguments.value(0, "width"), or: 0),
          fill: try interpreter.string(arguments.value(1, "fillchar") ?? .string(" "))))
    },
    "removeprefix": { interpreter, text, arguments in
      let prefix = try textArgument(interpreter, arguments.value(0, "prefix"), "removeprefix")
      return .text(text.hasPrefix(prefix) ? text[prefix.count..<text.count] : text)
    },
    "removesuffix": { interpreter, text, arguments in
      let suffix = try textArgument(interpreter, arguments.value(0, "suffix"), "removesuffix")
      return .text(text.hasSuffix(suffix) ? text[0..<text.count - suffix.count] : text)
    },
    "format": { interpreter, text, arguments in .text(try interpreter.filled(text, arguments)) },
  ]

  /// As Python's `str.format`, without format specifications.
  private func filled(_ text: Text, _ arguments: CallArguments) throws -> Text {
    var result = Text(units: [])
    var rest = text.units[...]
    var next = 0
    while let unit = rest.popFirst() {
      let scalar = Text.scalar(unit)
      guard scalar == "{" || scalar == "}" else {
        result.units.append(unit)
        continue
      }
      if rest.first.map(Text.scalar) == scalar {
        rest = rest.dropFirst()
        result.units.append(unit)
        continue
      }
      let field = rest.prefix { Text.scalar($0) != "}" }
      guard scalar == "{", field.count < rest.count else {
        throw TemplateError.failure("a single '\(scalar)' in a format string")
      }
      rest = rest.dropFirst(field.count + 1)
      var parts = Text(units: Array(field)).split(Text("."))[...]
      let name = parts.removeFirst().string
      guard !name.contains(where: { ":![".contains($0) }) else {
        throw TemplateError.failure("format specifications are not supported")
      }
      var value: Value
      if name.isEmpty || Int(name) != nil {
        let place = Int(name) ?? next
        if name.isEmpty { next += 1 }
        guard arguments.positional.indices.contains(place) else {
          throw TemplateError.failure("Replacement index \(place) out of range")
        }
        value = arguments.positional[place]
      } else {
        value = try required(arguments.named[name], "format")
      }
      for part in parts { value = try attribute(part.string, of: value) }
      result = result + (try string(value))
      try spend(text: result.count)
    }
    return result
  }
}
