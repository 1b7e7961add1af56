#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Values as Python writes them.
extension Interpreter {
  /// As Python's `str`.
  func string(_ value: Value) throws -> Text {
    switch value {
    case .undefined: return Text("")
    case .text(let text): return text
    default: return try representation(value)
    }
  }

  /// As Python's `repr`.
  func representation(_ value: Value) throws -> Text {
    try spend()
    switch value {
    case .undefined: return Text("Undefined")
    case .none: return Text("None")
    case .bool(let value): return Text(value ? "True" : "False")
    case .int(let value): return Text(String(value))
    case .largeInteger(let digits): return Text(digits)
    case .float(let value): return Text(Self.decimal(value))
    case .text(let text): return quoted(text)
    case .list(let items):
      return Text("[") + (try join(items.items)) + Text("]")
    case .tuple(let items):
      return Text("(") + (try join(items.items)) + Text(items.count == 1 ? ",)" : ")")
    case .dictionary(let dictionary):
      let parts = try dictionary.items.map { item in
        try nested {
          try representation(item.key) + Text(": ") + (try representation(item.value))
        }
      }
      return Text("{") + parts.joined(separator: Text(", ")) + Text("}")
    case .object(let object): return Text("<\(object.typeName)>")
    }
  }

  private func join(_ items: [Value]) throws -> Text {
    let parts = try items.map { item in try nested { try representation(item) } }
    let text = parts.joined(separator: Text(", "))
    try spend(text: text.count)
    return text
  }

  private func quoted(_ text: Text) -> Text {
    let quotes = Text("'")
    let usesDouble = text.contains(quotes) && !text.contains(Text("\""))
    let quote = usesDouble ? "\"" : "'"
    let body = text.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case "\\": "\\\\"
      case "'" where !usesDouble: "\\'"
      default: Self.isPrintable(scalar) ? String(scalar) : Self.escape(scalar)
      }
    }
    return Text(quote) + body + Text(quote)
  }

  /// As Python's `str.isprintable`.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    let (letter, width) =
      scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
    return "\\\(letter)" + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// The shortest digits that stand for `value`, as Python writes them.
  static func decimal(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    guard value != 0 else { return value.sign == .minus ? "-0.0" : "0.0" }
    // Swift's digits are the shortest, too; where the exponent begins differs.
    let text = abs(value).description
    let parts = text.split(separator: "e")
    let mantissa = parts[0].split(separator: ".")
    let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
    var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + mantissa[0].count
    var digits = String(mantissa[0]) + fraction
    while digits.count > 1, digits.hasPrefix("0") {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    // value = 0.digits * 10^exponent
    let sign = value < 0 ? "-" : ""
    if exponent > 16 || exponent < -3 {
      let rest = digits.dropFirst()
      let power = exponent - 1
      let padded = abs(power) < 10 ? "0\(abs(power))" : "\(abs(power))"
      return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
        + "e\(power < 0 ? "-" : "+")\(padded)"
    }
    if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + digits }
    if digits.count <= exponent {
      return sign + digits + String(repeating: "0", count: exponent - digits.count) + ".0"
    }
    return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
  }

  /// `value` with `digits` after the point, rounded from its exact binary value, ties to even.
  static func fixed(_ value: Double, _ digits: Int, _ conversion: String = "f") -> String {
    let precision = max(0, min(digits, 300))
    return withVaList([CInt(truncatingIfNeeded: precision), value]) { arguments in
      var buffer = [CChar](repeating: 0, count: 700)
      let count = vsnprintf(&buffer, buffer.count, "%.*\(conversion)", arguments)
      let bytes = buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  // MARK: Formats

  /// As `format % value` in Python: flags, width, precision and the conversions `srdiufFeEgGxXoc%`.
  func formatted(_ format: Text, with value: Value) throws -> Text {
    var values: [Value] = [value]
    if case .tuple(let items) = value { values = items.items }
    var next = values.makeIterator()
    var result = Text(units: [])
    var rest = format.units[...]
    while let unit = rest.popFirst() {
      guard unit & ~Text.mark == 0x25 else {
        result.units.append(unit)
        continue
      }
      func scalar() -> Unicode.Scalar { rest.first.map(Text.scalar) ?? "\0" }
      var name: Text?
      if scalar() == "(" {
        let inner = rest.dropFirst().prefix { Text.scalar($0) != ")" }
        name = Text(units: Array(inner))
        rest = rest.dropFirst(inner.count + 2)
      }
      var flags = ""
      while "-+ 0#".unicodeScalars.contains(scalar()) {
        flags.unicodeScalars.append(scalar())
        rest = rest.dropFirst()
      }
      func number() -> Int? {
        let digits = rest.prefix { ("0"..."9").contains(Text.scalar($0)) }
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : Int(Text(units: Array(digits)).string) ?? .max
      }
      let width = number() ?? 0
      var precision: Int?
      if scalar() == "." {
        rest = rest.dropFirst()
        precision = number() ?? 0
      }
      guard let conversion = rest.popFirst().map(Text.scalar) else {
        throw TemplateError.failure("an incomplete format")
      }
      if conversion == "%" {
        result = result + Text("%")
        continue
      }
      let argument = try name.map { try item(.text($0), of: value) } ?? next.next()
      guard let argument else {
        throw TemplateError.failure("not enough arguments for the format string")
      }
      let text = try converted(argument, conversion, flags, precision)
      result = result + (try padded(text, width: width, flags: flags))
    }
    if case .tuple = value, next.next() != nil {
      throw TemplateError.failure("not all arguments converted during string formatting")
    }
    try spend(text: result.count)
    return result
  }

  private func converted(
    _ value: Value, _ conversion: Unicode.Scalar, _ flags: String, _ precision: Int?
  ) throws -> Text {
    func signed(_ text: String) -> Text {
      Text(
        text.hasPrefix("-")
          ? text : flags.contains("+") ? "+" + text : flags.contains(" ") ? " " + text : text)
    }
    switch conversion {
    case "s", "r", "a":
      let text = conversion == "s" ? try string(value) : try representation(value)
      return precision.map { text[0..<min($0, text.count)] } ?? text
    case "d", "i", "u":
      if let integer = value.integer { return signed(String(integer)) }
      if let number = value.number, let integer = Int(exactly: number.rounded(.towardZero)) {
        return signed(String(integer))
      }
    case "x", "X", "o":
      if let integer = value.integer {
        let text = String(integer, radix: conversion == "o" ? 8 : 16, uppercase: conversion == "X")
        let prefix = flags.contains("#") ? conversion == "o" ? "0o" : "0\(conversion)" : ""
        return signed(text.hasPrefix("-") ? "-" + prefix + text.dropFirst() : prefix + text)
      }
    case "f", "F", "e", "E", "g", "G":
      if let number = value.number {
        return signed(Self.fixed(number, precision ?? 6, String(conversion)))
      }
    case "c":
      if let integer = value.integer,
        let scalar = UInt32(exactly: integer).flatMap(Unicode.Scalar.init)
      {
        return Text(String(scalar))
      }
      if case .text(let text) = value, text.count == 1 { return text }
    default: throw TemplateError.failure("unsupported format character '\(conversion)'")
    }
    throw TemplateError.failure("a \(value.typeName) for the format '%\(conversion)'")
  }

  private func padded(_ text: Text, width: Int, flags: String) throws -> Text {
    guard width > text.count else { return text }
    try spend(text: width)
    let missing = width - text.count
    if flags.contains("-") { return text + Text(String(repeating: " ", count: missing)) }
    if flags.contains("0") {
      let signs = text.units.prefix { Text.scalar($0) == "-" || Text.scalar($0) == "+" }
      return Text(units: Array(signs)) + Text(String(repeating: "0", count: missing))
        + text[signs.count..<text.count]
    }
    return Text(String(repeating: " ", count: missing)) + text
  }
}
