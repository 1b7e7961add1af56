/// Finds where a text stops being JSON (RFC 8259), which Foundation's decoder does not tell on Linux.
struct JSONSyntax {
  struct Fault: Error {
    let position: Int
    let expected: String
  }

  private let bytes: [UInt8]
  private var position = 0
  /// As deep as Foundation's decoder goes.
  private static let deepest = 512

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Returns: the first fault; nil where there is none.
  static func fault(in bytes: [UInt8]) -> Fault? {
    var syntax = JSONSyntax(bytes)
    do throws(Fault) {
      try syntax.value(depth: 0)
      syntax.skipSpace()
      guard syntax.current == nil else { throw syntax.fault("the end") }
      return nil
    } catch {
      return error
    }
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func fault(_ expected: String) -> Fault { Fault(position: position, expected: expected) }

  private mutating func skipSpace() {
    while let byte = current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(Fault) {
    guard depth < Self.deepest else { throw fault("at most \(Self.deepest) levels") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"):
      try list("}", depth) { (syntax) throws(Fault) in
        try syntax.string("a key in quotes")
        syntax.skipSpace()
        guard syntax.take(":") else { throw syntax.fault("':'") }
      }
    case UInt8(ascii: "["): try list("]", depth) { (_) throws(Fault) in }
    case UInt8(ascii: "\""): try string("a string")
    default: try word()
    }
  }

  /// The items of an object or array; `prefix` reads what stands before each value.
  private mutating func list(
    _ end: Unicode.Scalar, _ depth: Int, prefix: (inout JSONSyntax) throws(Fault) -> Void
  ) throws(Fault) {
    position += 1
    skipSpace()
    if take(end) { return }
    while true {
      skipSpace()
      try prefix(&self)
      try value(depth: depth + 1)
      skipSpace()
      if take(end) { return }
      guard take(",") else { throw fault("',' or '\(end)'") }
    }
  }

  private mutating func string(_ expected: String) throws(Fault) {
    guard take("\"") else { throw fault(expected) }
    while !take("\"") {
      guard let byte = current, byte >= 0x20 else { throw fault("a closing quote") }
      position += byte == UInt8(ascii: "\\") ? 2 : 1
    }
  }

  /// A number, true, false or null.
  private mutating func word() throws(Fault) {
    let start = position
    while let byte = current, byte > 0x20, !"\",:[]{}".utf8.contains(byte) { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    let isNumber = word.first.map { $0 == "-" || $0.isNumber } ?? false
    guard ["true", "false", "null"].contains(word) || (isNumber && Double(word) != nil) else {
      position = start
      throw fault("a value")
    }
  }
}
