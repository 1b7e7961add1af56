/// GPT-2's spelling of bytes as printable characters (Radford et al. 2019, `bytes_to_unicode`):
/// printable Latin-1 stands for itself, the other 68 bytes for U+0100 and on, in order.
enum ByteAlphabet {
  private static func standsForItself(_ byte: Int) -> Bool {
    (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
  }

  /// The scalar that spells each byte.
  static let scalars: [Unicode.Scalar] = {
    var next = UInt16(0x100)
    return (0..<256).map { byte in
      if standsForItself(byte) { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      // None of these few is a surrogate.
      return Unicode.Scalar(next).unsafelyUnwrapped
    }
  }()

  /// The byte that a scalar below 0x144 spells, or -1.
  static let bytes: [Int16] = {
    var table = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = Int16(byte) }
    return table
  }()

  /// Whether all of `text` is UTF-8 in this spelling.
  static func spells(_ text: [UInt8]) -> Bool {
    guard let decoded = String(validating: text, as: UTF8.self) else { return false }
    return decoded.unicodeScalars.allSatisfy { scalar in
      Int(scalar.value) < bytes.count && bytes[Int(scalar.value)] >= 0
    }
  }

  /// The bytes that `text` (UTF-8 in this spelling) stands for. Scalars outside the alphabet stand
  /// for their own UTF-8.
  static func decode(_ text: some Sequence<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    let decoded = String(decoding: Array(text), as: UTF8.self)
    for scalar in decoded.unicodeScalars {
      let value = Int(scalar.value)
      if value < bytes.count, bytes[value] >= 0 {
        result.append(UInt8(truncatingIfNeeded: bytes[value]))
      } else {
        result.append(contentsOf: Array(String(scalar).utf8))
      }
    }
    return result
  }
}
