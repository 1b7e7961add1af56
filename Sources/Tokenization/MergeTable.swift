import GGUF

/// Which pairs of tokens byte-pair encoding joins (Sennrich et al. 2016), and in which order.
struct MergeTable: Sendable {
  struct Merge {
    /// Place in the file's list: lower ones are joined first.
    let rank: Int32
    let result: Int32
  }

  private static let free = UInt64.max
  private var keys: [UInt64]
  private var merges: [Merge]
  private let mask: Int

  /// - Parameter isControl: by id; a control token is never joined from text, whatever the file says.
  /// - Throws: `GGUFError` where an entry is not two texts with a space between. Entries whose
  ///   parts or result are not tokens can never apply and are left out.
  init(
    _ list: MetadataArray, _ vocabulary: Vocabulary, isControl: [Bool], _ metadata: MetadataReader
  ) throws(GGUFError) {
    var size = 16
    while size < list.count * 2 { size *= 2 }
    keys = [UInt64](repeating: Self.free, count: size)
    merges = [Merge](repeating: Merge(rank: 0, result: 0), count: size)
    mask = size - 1
    var malformed: Int?
    let isWhole = list.forEachString { index, bytes in
      guard let space = Self.onlySpace(bytes), space + 1 < bytes.count else {
        malformed = malformed ?? index
        return
      }
      let left = UnsafeRawBufferPointer(rebasing: bytes[..<space])
      let right = UnsafeRawBufferPointer(rebasing: bytes[(space + 1)...])
      guard let ids = vocabulary.ids(joining: left, right),
        !(isControl.indices.contains(ids.joined) && isControl[ids.joined])
      else { return }
      insert(ids.first, ids.second, Merge(rank: Int32(index), result: Int32(ids.joined)))
    }
    guard isWhole else {
      throw metadata.refuse(
        Tokenizer.Key.merges, found: "texts that changed while they were read",
        allowed: "a file at rest")
    }
    if let malformed {
      throw metadata.refuse(
        Tokenizer.Key.merges, found: "entry \(malformed) that is not two texts",
        allowed: "two texts with a space between")
    }
  }

  /// Where `bytes` have a space, the first one not counted; nil where that is nowhere or in more than one place.
  private static func onlySpace(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var space: Int?
    var index = 1
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: " ") {
        if space != nil { return nil }
        space = index
      }
      index += 1
    }
    return space
  }

  private func slot(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
  }

  private static func key(_ first: Int, _ second: Int) -> UInt64 {
    UInt64(UInt32(first)) << 32 | UInt64(UInt32(second))
  }

  private mutating func insert(_ first: Int, _ second: Int, _ merge: Merge) {
    let key = Self.key(first, second)
    var slot = slot(key)
    while keys[slot] != Self.free {
      if keys[slot] == key { return }
      slot = (slot + 1) & mask
    }
    keys[slot] = key
    merges[slot] = merge
  }

  /// What `first` and `second` join to.
  func merge(_ first: Int32, _ second: Int32) -> Merge? {
    let key = Self.key(Int(first), Int(second))
    var slot = slot(key)
    while keys[slot] != Self.free {
      if keys[slot] == key { return merges[slot] }
      slot = (slot + 1) & mask
    }
    return nil
  }
}
