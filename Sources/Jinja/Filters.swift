/// What follows `|`.
extension Interpreter {
  /// A filter's work: its value, its arguments.
  typealias Filter = @Sendable (Interpreter) -> (Value, CallArguments) throws -> Value

  private static let filters: [String: Filter] = [
    "abs": absolute, "attr": attribute, "batch": batch, "capitalize": capitalize, "center": center,
    "count": length, "length": length, "d": defaulted, "default": defaulted, "dictsort": dictsort,
    "e": escape, "escape": escape, "first": first, "float": float, "format": format,
    "groupby": groupBy, "indent": indent, "int": int, "items": itemPairs, "join": join,
    "last": last, "list": list, "lower": lower, "map": map, "max": largest, "min": smallest,
    "reject": reject, "rejectattr": rejectAttribute, "replace": replace, "reverse": reverse,
    "round": round, "safe": safe, "select": select, "selectattr": selectAttribute, "slice": slices,
    "sort": sort, "string": text, "striptags": stripTags, "sum": sum, "title": title,
    "tojson": toJSON, "trim": trim, "truncate": truncate, "unique": unique, "upper": upper,
    "urlencode": urlEncode, "wordcount": wordCount,
  ]

  static var filterNames: Set<String> { Set(filters.keys) }

  func filter(_ name: String, _ value: Value, _ arguments: CallArguments) throws -> Value {
    guard let filter = Self.filters[name] else {
      throw TemplateError(.syntax, "no filter named '\(name.prefix(40))'")
    }
    if case .text(let text) = value { try spend(text: text.count) }
    return try filter(self)(value, arguments)
  }

  func number(_ value: Value?, or none: Int) throws -> Int {
    guard let value else { return none }
    guard let integer = value.integer else {
      throw TemplateError.failure("a \(value.typeName) where a whole number is needed")
    }
    return integer
  }

  // MARK: Text

  private func text(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .text(try string(value))
  }

  private func lower(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .text(try string(value).lowercased)
  }

  private func upper(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .text(try string(value).uppercased)
  }

  private func capitalize(_ value: Value, _ arguments: CallArguments) throws -> Value {
    .text(try string(value).capitalized)
  }

  /// Each word capitalized; words begin after white space, `-`, `(`, `{`, `[` and `<`.
  private func title(_ value: Value, _ arguments: CallArguments) throws -> Value {
    var words: [Text] = []
    var word = Text(units: [])
    for unit in try string(value).units {
      word.units.append(unit)
      if Text.isSpace(unit) || "-({[<".unicodeScalars.contains(Text.scalar(unit)) {
        words.append(word.capitalized)
        word.units.removeAll()
      }
    }
    return .text((words + [word.capitalized]).joined())
  }

  private func trim(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let characters = arguments.value(0, "chars")
    let set = try characters.flatMap { isNone($0) ? nil : try string($0) }
    return .text(try string(value).trimmed(set))
  }

  private func replace(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let text = try string(value)
    let old = try string(try required(arguments.value(0, "old"), "replace"))
    let new = try string(try required(arguments.value(1, "new"), "replace"))
    let limit = arguments.value(2, "count")
    return .text(try replaced(text, old, new, limit.flatMap(\.integer) ?? -1))
  }

  /// - Parameter limit: negative for all.
  func replaced(_ text: Text, _ old: Text, _ new: Text, _ limit: Int) throws -> Text {
    // What comes out at most, before it is made.
    let places = old.isEmpty ? text.count + 1 : text.count / old.count
    let (size, overflow) = places.multipliedReportingOverflow(by: new.count)
    try spend(text: overflow ? Int.max / 2 : size + text.count)
    try spend(old.isEmpty ? 0 : places)
    return text.replacing(old, with: new, limit: limit < 0 ? .max : limit)
  }

  func required(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw TemplateError.failure("'\(name)' needs more arguments") }
    return value
  }

  private func center(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let text = try string(value)
    let width = try number(arguments.value(0, "width"), or: 80)
    return .text(try centered(text, width))
  }

  func centered(_ text: Text, _ width: Int, fill: Text = Text(" ")) throws -> Text {
    guard width > text.count else { return text }
    let missing = width - text.count
    // Python puts the odd space before where the width is odd.
    let before = missing / 2 + (missing & width & 1)
    return try padding(before, fill) + text + padding(missing - before, fill)
  }

  func padding(_ count: Int, _ fill: Text = Text(" ")) throws -> Text {
    guard fill.count == 1 else { throw TemplateError.failure("the fill character is one") }
    try spend(text: max(0, count))
    return Text(units: [UInt32](repeating: fill.units[0], count: max(0, count)))
  }

  private func indent(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let width = arguments.value(0, "width") ?? .int(4)
    var prefix = Text(units: [])
    if case .text(let text) = width {
      prefix = text
    } else {
      prefix = try padding(try number(width, or: 4))
    }
    let indentsFirst = (arguments.value(1, "first") ?? .bool(false)).isTrue
    let indentsBlank = (arguments.value(2, "blank") ?? .bool(false)).isTrue
    let text = try string(value)
    // jinja2 adds a line end first, so that one at the end keeps its line.
    var lines = (text + Text("\n")).lines()
    try spend(text: text.count + lines.count * prefix.count)
    for index in lines.indices {
      let isIndented = index == 0 ? indentsFirst : indentsBlank || !lines[index].isEmpty
      guard isIndented else { continue }
      lines[index] = prefix + lines[index]
    }
    return .text(lines.joined(separator: Text("\n")))
  }

  private func truncate(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let text = try string(value)
    let length = try number(arguments.value(0, "length"), or: 255)
    let end = try string(arguments.value(2, "end") ?? .string("..."))
    let leeway = try number(arguments.value(3, "leeway"), or: 5)
    guard length >= end.count, leeway >= 0 else {
      throw TemplateError.failure("expected length >= \(end.count), leeway >= 0")
    }
    guard text.count > length.addingReportingOverflow(leeway).partialValue else {
      return .text(text)
    }
    var cut = text[0..<length - end.count]
    if !(arguments.value(1, "killwords") ?? .bool(false)).isTrue,
      let space = cut.lastIndex(of: Text(" "))
    {
      cut = cut[0..<space]
    }
    return .text(cut + end)
  }

  private func wordCount(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let text = try string(value)
    var (count, isInside) = (0, false)
    for unit in text.units {
      let scalar = Text.scalar(unit)
      let isWord =
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
      if isWord, !isInside { count += 1 }
      isInside = isWord
    }
    return .int(count)
  }

  private func escape(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let text = try string(value)
    try spend(text: 5 * text.count)
    return .text(text.escaped)
  }

  private func safe(_ value: Value, _ arguments: CallArguments) throws -> Value {
    var text = try string(value)
    text.isMarkup = true
    return .text(text)
  }

  private func stripTags(_ value: Value, _ arguments: CallArguments) throws -> Value {
    var kept = Text(units: [])
    var rest = try string(value)[...]
    while let start = rest.firstIndex(where: { Text.scalar($0) == "<" }),
      let end = rest[start...].firstIndex(where: { Text.scalar($0) == ">" })
    {
      kept.units += rest[..<start]
      rest = rest[(end + 1)...]
    }
    kept.units += rest
    return .text(kept.words().joined(separator: Text(" ")))
  }

  private func urlEncode(_ value: Value, _ arguments: CallArguments) throws -> Value {
    func quote(_ text: Text, _ alsoSafe: String) -> Text {
      text.map { scalar in
        let isSafe =
          scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
          || "_.-~\(alsoSafe)".unicodeScalars.contains(scalar)
        guard !isSafe else { return String(scalar) }
        return String(scalar).utf8.map { byte in
          "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
      }
    }
    func field(_ value: Value) throws -> Text {
      quote(try string(value), " ").replacing(Text(" "), with: Text("+"))
    }
    switch value {
    case .dictionary, .list, .tuple:
      return .text(
        try pairs(value).map { try field($0) + Text("=") + (try field($1)) }
          .joined(separator: Text("&")))
    default: break
    }
    return .text(quote(try string(value), "/"))
  }

  private func format(_ value: Value, _ arguments: CallArguments) throws -> Value {
    var given = Value.tuple(arguments.positional)
    if !arguments.names.isEmpty {
      var dictionary = ValueDictionary()
      for name in arguments.names { dictionary[.string(name)] = arguments.named[name] }
      given = .dictionary(dictionary)
    }
    return .text(try formatted(try string(value), with: given))
  }

  private func toJSON(_ value: Value, _ arguments: CallArguments) throws -> Value {
    var json = JSONText(self)
    json.escapesNonASCII = (arguments.value(0, "ensure_ascii") ?? .bool(false)).isTrue
    switch arguments.value(1, "indent") {
    case .text(let text)?: json.indent = text
    case let indent? where !isNone(indent):
      json.indent = try padding(try number(indent, or: 0))
    default: break
    }
    if let separators = arguments.value(2, "separators"), !isNone(separators) {
      let parts = try items(separators)
      guard parts.count == 2 else { throw TemplateError.failure("separators are two texts") }
      json.separators = (try string(parts[0]), try string(parts[1]))
    }
    json.sortsKeys = (arguments.value(3, "sort_keys") ?? .bool(false)).isTrue
    return .text(try json.text(value))
  }

  // MARK: Numbers

  private func absolute(_ value: Value, _ arguments: CallArguments) throws -> Value {
    if let number = value.number, number >= 0 { return value }
    return try apply(.minus, value)
  }

  private func int(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let none = arguments.value(0, "default") ?? .int(0)
    if let integer = value.integer { return .int(integer) }
    if let number = value.number {
      return Int(exactly: number.rounded(.towardZero)).map { .int($0) } ?? none
    }
    guard case .text(let text) = value else {
      if value.isUndefined { throw TemplateError.failure("an undefined value as a number") }
      return none
    }
    var digits = text.trimmed(nil).string.filter { $0 != "_" }.lowercased()
    let base = try number(arguments.value(1, "base"), or: 10)
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where radix == base {
      if digits.hasPrefix(prefix) { digits.removeFirst(2) }
    }
    guard (2...36).contains(base) else { return none }
    if let integer = Int(digits, radix: base) { return .int(integer) }
    return Double(digits).flatMap { Int(exactly: $0.rounded(.towardZero)) }.map { .int($0) } ?? none
  }

  private func float(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let none = arguments.value(0, "default") ?? .float(0)
    if let number = value.number { return .float(number) }
    if value.isUndefined { throw TemplateError.failure("an undefined value as a number") }
    guard case .text(let text) = value,
      let number = Double(text.trimmed(nil).string.filter({ $0 != "_" }))
    else {
      return none
    }
    return .float(number)
  }

  private func round(_ value: Value, _ arguments: CallArguments) throws -> Value {
    guard let number = value.number else {
      throw TemplateError.failure("a \(value.typeName) cannot be rounded")
    }
    let digits = try self.number(arguments.value(0, "precision"), or: 0)
    let method = try string(arguments.value(1, "method") ?? .string("common")).string
    guard ["common", "ceil", "floor"].contains(method) else {
      throw TemplateError.failure("method must be common, ceil or floor")
    }
    if method == "common" {
      if let integer = value.integer, digits >= 0 { return .int(integer) }
      if digits >= 0 { return .float(Double(Self.fixed(number, digits)) ?? number) }
    }
    if let integer = value.integer, method == "common" {
      // Python rounds whole numbers to tens, ties to even, and keeps them whole.
      return .int(
        Int(
          exactly: (Double(integer) * power10(digits)).rounded(.toNearestOrEven) / power10(digits))
          ?? integer)
    }
    let scale = power10(digits)
    let rule: FloatingPointRoundingRule =
      method == "ceil" ? .up : method == "floor" ? .down : .toNearestOrEven
    return .float((number * scale).rounded(rule) / scale)
  }

  private func power10(_ exponent: Int) -> Double {
    (0..<min(400, abs(exponent))).reduce(1.0) { result, _ in
      exponent < 0 ? result / 10 : result * 10
    }
  }

  private func sum(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let attribute = arguments.value(0, "attribute")
    return try items(value).reduce(arguments.value(1, "start") ?? .int(0)) { sum, item in
      try apply(.add, sum, try extract(attribute, from: item))
    }
  }

  private func defaulted(_ value: Value, _ arguments: CallArguments) throws -> Value {
    let none = arguments.value(0, "default_value") ?? .string("")
    let alsoFalse = (arguments.value(1, "boolean") ?? .bool(false)).isTrue
    return value.isUndefined || alsoFalse && !value.isTrue ? none : value
  }
}

extension Text {
  /// All units, as a slice.
  fileprivate subscript(_ range: UnboundedRange) -> ArraySlice<UInt32> { units[...] }
}
