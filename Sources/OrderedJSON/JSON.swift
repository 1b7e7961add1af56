/// A JSON value (RFC 8259) whose objects keep their order, which Foundation's decoder loses, and whose
/// errors have a place, which Foundation's do not on Linux.
package indirect enum JSON: Sendable {
  case null
  case bool(Bool)
  /// As it was written.
  case number(String)
  case string(String)
  case array([JSON])
  /// Of a key that comes twice the last value counts; it stands where the first one did.
  case object([(key: String, value: JSON)])

  /// Where a text stops being JSON.
  package struct Fault: Error, Equatable {
    /// Byte offset.
    package let position: Int
    package let expected: String
  }

  /// - Throws: `Fault`.
  package init(parsing bytes: [UInt8]) throws(Fault) {
    var parser = Parser(bytes)
    self = try parser.document()
  }
}

private struct Parser {
  private let bytes: [UInt8]
  private var position = 0
  /// Far below what a thread's stack holds.
  private static let deepest = 512

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSON.Fault) -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard current == nil else { throw fault("the end") }
    return value
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ expected: String) -> JSON.Fault {
    JSON.Fault(position: position, expected: expected)
  }

  private mutating func skipSpace() {
    while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSON.Fault) -> JSON {
    guard depth < Self.deepest else { throw fault("at most \(Self.deepest) levels") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string("a string"))
    default: return try word()
    }
  }

  private mutating func array(_ depth: Int) throws(JSON.Fault) -> JSON {
    var items: [JSON] = []
    try list("]") { (parser) throws(JSON.Fault) in
      items.append(try parser.value(depth: depth + 1))
    }
    return .array(items)
  }

  private mutating func object(_ depth: Int) throws(JSON.Fault) -> JSON {
    var items: [(key: String, value: JSON)] = []
    var places: [String: Int] = [:]
    try list("}") { (parser) throws(JSON.Fault) in
      let key = try parser.string("a key in quotes")
      parser.skipSpace()
      guard parser.take(":") else { throw parser.fault("':'") }
      let value = try parser.value(depth: depth + 1)
      if let place = places[key] {
        items[place].value = value
      } else {
        places[key] = items.count
        items.append((key, value))
      }
    }
    return .object(items)
  }

  private mutating func list(
    _ end: Unicode.Scalar, item: (inout Parser) throws(JSON.Fault) -> Void
  ) throws(JSON.Fault) {
    position += 1
    skipSpace()
    if take(end) { return }
    while true {
      skipSpace()
      try item(&self)
      skipSpace()
      if take(end) { return }
      guard take(",") else { throw fault("',' or '\(end)'") }
    }
  }

  private mutating func string(_ expected: String) throws(JSON.Fault) -> String {
    let start = position
    guard take("\"") else { throw fault(expected) }
    var text: [UInt8] = []
    while !take("\"") {
      guard let byte = current, byte >= 0x20 else { throw fault("a closing quote") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        try escape(into: &text)
      } else {
        text.append(byte)
      }
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      position = start
      throw fault("UTF-8")
    }
    return string
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSON.Fault) {
    let names: [UInt8: UInt8] = [
      UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "b"): 8,
      UInt8(ascii: "f"): 12, UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C,
      UInt8(ascii: "/"): 0x2F,
    ]
    guard let letter = current else { throw fault("a closing quote") }
    if let byte = names[letter] {
      position += 1
      text.append(byte)
    } else if letter == UInt8(ascii: "u") {
      position += 1
      text += Array(String(Character(try unicode())).utf8)
    } else {
      throw fault("one of \"\\/bfnrtu after '\\'")
    }
  }

  /// What follows `\u`; half of a surrogate pair alone stands for U+FFFD.
  private mutating func unicode() throws(JSON.Fault) -> Unicode.Scalar {
    let first = try fourDigits()
    guard first & 0xFC00 == 0xD800 else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
    let after = position
    if take("\\"), take("u"), let second = try? fourDigits(), second & 0xFC00 == 0xDC00 {
      return Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + (second & 0x3FF)) ?? "\u{FFFD}"
    }
    position = after
    return "\u{FFFD}"
  }

  private mutating func fourDigits() throws(JSON.Fault) -> UInt32 {
    let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit),
      let value = UInt32(digits, radix: 16)
    else { throw fault("four hexadecimal digits") }
    position += 4
    return value
  }

  /// A number, true, false or null.
  private mutating func word() throws(JSON.Fault) -> JSON {
    let start = position
    while let byte = current, byte > 0x20, !"\",:[]{}".utf8.contains(byte) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    default:
      guard Self.isNumber(Array(word.utf8)) else {
        position = start
        throw fault("a value")
      }
      return .number(word)
    }
  }

  /// `-? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?`
  private static func isNumber(_ word: [UInt8]) -> Bool {
    var rest = word[...]
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    func digits() -> Int {
      let count = rest.prefix(while: isDigit).count
      rest = rest.dropFirst(count)
      return count
    }
    if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    let startsWithZero = rest.first == UInt8(ascii: "0")
    let whole = digits()
    guard whole == 1 || whole > 1 && !startsWithZero else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      guard digits() > 0 else { return false }
    }
    if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
        rest = rest.dropFirst()
      }
      guard digits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}
