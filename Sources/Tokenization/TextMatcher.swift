/// Finds given texts in a byte string: leftmost first, the longest of those that start there.
struct TextMatcher: Sendable {
  enum Part {
    case token(Int)
    case text(ArraySlice<UInt8>)
  }

  /// Longest first, by first byte.
  private let byFirstByte: [[(id: Int, text: [UInt8])]]
  let isEmpty: Bool

  init(_ texts: [(id: Int, text: [UInt8])]) {
    var table = [[(id: Int, text: [UInt8])]](repeating: [], count: 256)
    for entry in texts {
      if let first = entry.text.first { table[Int(first)].append(entry) }
    }
    byFirstByte = table.map { $0.sorted { $0.text.count > $1.text.count } }
    isEmpty = byFirstByte.allSatisfy(\.isEmpty)
  }

  func split(_ bytes: [UInt8], _ body: (Part) -> Void) {
    var start = 0
    var position = 0
    while position < bytes.count {
      let rest = bytes[position...]
      if let found = byFirstByte[Int(bytes[position])].first(where: { rest.starts(with: $0.text) })
      {
        if start < position { body(.text(bytes[start..<position])) }
        body(.token(found.id))
        position += found.text.count
        start = position
      } else {
        position += 1
      }
    }
    if start < bytes.count { body(.text(bytes[start...])) }
  }
}
