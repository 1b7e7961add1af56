/// Ends a JSON text that stops early.
enum JSONCompletion {
  /// `text` without what cannot be ended (half a word, a key without a value), and with the quotes and
  /// brackets that are open; nil where nothing is left.
  static func complete(_ text: [UInt8]) -> [UInt8]? {
    // Where the text may be cut, and what closes it there.
    var cut: (length: Int, closing: [UInt8])?
    var closing: [UInt8] = []
    var index = 0
    /// Whether the next string is a key.
    var isKey = false

    func mark(_ length: Int) { cut = (length, closing.reversed()) }

    while index < text.count {
      let byte = text[index]
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        closing.append(byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        isKey = byte == UInt8(ascii: "{")
        index += 1
        mark(index)
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard closing.popLast() == byte else { return nil }
        index += 1
        isKey = false
        mark(index)
      case UInt8(ascii: ","):
        isKey = closing.last == UInt8(ascii: "}")
        index += 1
      case UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D:
        index += 1
      case UInt8(ascii: "\""):
        let (end, whole) = string(text, from: index)
        if isKey {
          isKey = false
        } else if let end {
          mark(end)
        } else {
          // What there is of the value.
          return Array(text[..<whole]) + [UInt8(ascii: "\"")] + closing.reversed()
        }
        guard let end else { return finish(text, cut) }
        index = end
      default:
        var end = index
        while end < text.count, !",]} \n\t\r".utf8.contains(text[end]) { end += 1 }
        // A number that touches the end may go on.
        if end < text.count || closing.isEmpty { mark(end) }
        index = end
      }
    }
    return finish(text, cut)
  }

  private static func finish(_ text: [UInt8], _ cut: (length: Int, closing: [UInt8])?) -> [UInt8]? {
    cut.map { Array(text[..<$0.length]) + $0.closing }
  }

  /// - Returns: the index after the closing quote, nil where there is none; and the end of the last whole
  ///   character before the text's end.
  private static func string(_ text: [UInt8], from start: Int) -> (end: Int?, whole: Int) {
    var index = start + 1
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "\""): return (index + 1, index)
      case UInt8(ascii: "\\"):
        let length = index + 1 < text.count && text[index + 1] == UInt8(ascii: "u") ? 6 : 2
        guard index + length <= text.count else { return (nil, index) }
        index += length
      default:
        let byte = text[index]
        let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        guard index + length <= text.count else { return (nil, index) }
        index += length
      }
    }
    return (nil, index)
  }
}
