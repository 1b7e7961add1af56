/// Values as Python's `json.dumps` writes them.
struct JSONText {
  var escapesNonASCII = false
  /// nil writes all on one line.
  var indent: Text?
  var separators: (item: Text, key: Text)?
  var sortsKeys = false

  private let interpreter: Interpreter

  init(_ interpreter: Interpreter) { self.interpreter = interpreter }

  func text(_ value: Value, depth: Int = 0) throws -> Text {
    try interpreter.spend()
    switch value {
    case .none: return Text("null")
    case .bool(let value): return Text(value ? "true" : "false")
    case .int(let value): return Text(String(value))
    case .largeInteger(let digits): return Text(digits)
    case .float(let value): return Text(Self.number(value))
    case .text(let text):
      try interpreter.spend(text: text.count)
      return quoted(text)
    case .list(let items), .tuple(let items):
      let parts = try items.map { item in
        try interpreter.nested { try text(item, depth: depth + 1) }
      }
      return try wrap(parts, "[", "]", depth)
    case .dictionary(let dictionary):
      var items = try dictionary.items.map { (try key($0.key), $0.value) }
      if sortsKeys { items.sort { $0.0 < $1.0 } }
      let colon = separators?.key ?? Text(": ")
      let parts = try items.map { key, value in
        try interpreter.nested { quoted(key) + colon + (try text(value, depth: depth + 1)) }
      }
      return try wrap(parts, "{", "}", depth)
    case .undefined, .object:
      throw TemplateError.failure("a \(value.typeName) cannot be written as JSON")
    }
  }

  private func wrap(_ parts: [Text], _ opening: String, _ closing: String, _ depth: Int) throws
    -> Text
  {
    guard !parts.isEmpty else { return Text(opening + closing) }
    var separator = separators?.item ?? Text(indent == nil ? ", " : ",")
    var (start, end) = (Text(opening), Text(closing))
    if let indent {
      try interpreter.spend(text: indent.count * depth)
      func line(_ depth: Int) -> Text {
        Text("\n") + [Text](repeating: indent, count: depth).joined()
      }
      start = start + line(depth + 1)
      separator = separator + line(depth + 1)
      end = line(depth) + end
    }
    let body = parts.joined(separator: separator)
    try interpreter.spend(text: body.count)
    return start + body + end
  }

  private func key(_ value: Value) throws -> Text {
    switch value {
    case .text(let text): return text
    case .none, .bool, .int, .largeInteger, .float: return try text(value)
    default: throw TemplateError.failure("a \(value.typeName) cannot be a key in JSON")
    }
  }

  private static func number(_ value: Double) -> String {
    value.isFinite
      ? Interpreter.decimal(value) : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
  }

  private func quoted(_ text: Text) -> Text {
    let body = text.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case "\u{8}": "\\b"
      case "\u{C}": "\\f"
      default:
        scalar.value < 0x20 || escapesNonASCII && scalar.value > 0x7E
          ? String(scalar).utf16.map(Self.escape).joined() : String(scalar)
      }
    }
    return Text("\"") + body + Text("\"")
  }

  private static func escape(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
