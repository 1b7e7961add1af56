import GGUF

/// Token texts in one flat buffer, and the way back from a text to its id.
///
/// Built in one pass: tens of thousands of `String`s and a dictionary of them would cost more than
/// the rest of loading a small model.
struct Vocabulary: Sendable {
  private var text: [UInt8] = []
  /// Token i is `text[ends[i - 1]..<ends[i]]`.
  private var ends: [UInt32] = []
  /// Open addressing, linear probing: ids, or -1.
  private var slots: [Int32]
  private let mask: Int

  var count: Int { ends.count }

  /// - Parameter tokens: an array of strings whose bytes number less than 2^31.
  init(_ tokens: MetadataArray) {
    var size = 16
    while size < tokens.count * 2 { size *= 2 }
    slots = [Int32](repeating: -1, count: size)
    mask = size - 1
    ends.reserveCapacity(tokens.count)
    text.reserveCapacity(tokens.count * 8)
    tokens.forEachString { index, bytes in
      text.append(contentsOf: bytes)
      ends.append(UInt32(text.count))
      insert(Int32(index), bytes)
    }
  }

  func bytes(_ id: Int) -> ArraySlice<UInt8> {
    guard id >= 0, id < ends.count else { return [] }
    return text[(id == 0 ? 0 : Int(ends[id - 1]))..<Int(ends[id])]
  }

  /// The first token whose text is `bytes`.
  func id(of bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBytes { find(TextHash($0), $0, UnsafeRawBufferPointer(start: nil, count: 0)) }
  }

  /// The tokens whose texts are those of `first`, `second`, and both together.
  func ids(
    joining first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> (first: Int, second: Int, joined: Int)? {
    let none = UnsafeRawBufferPointer(start: nil, count: 0)
    let hash = TextHash(first)
    guard let left = find(hash, first, none), let right = find(TextHash(second), second, none),
      let joined = find(hash.followed(by: second), first, second)
    else { return nil }
    return (left, right, joined)
  }

  private func slot(_ hash: TextHash) -> Int {
    Int(truncatingIfNeeded: hash.value ^ (hash.value >> 32)) & mask
  }

  /// The token whose text is that of `first` and `second` together.
  private func find(
    _ hash: TextHash, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> Int? {
    var slot = slot(hash)
    while slots[slot] >= 0 {
      let id = Int(slots[slot])
      if hasText(id, first, second) { return id }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Compared where the texts lie: slices of `text` would be counted, as often as a file has merges.
  private func hasText(
    _ id: Int, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> Bool {
    let start = id == 0 ? 0 : Int(ends[id - 1])
    guard Int(ends[id]) - start == first.count + second.count else { return false }
    for (i, byte) in first.enumerated() where text[start + i] != byte { return false }
    for (i, byte) in second.enumerated() where text[start + first.count + i] != byte {
      return false
    }
    return true
  }

  /// Of two tokens with one text the first is found.
  private mutating func insert(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
    var slot = slot(TextHash(bytes))
    while slots[slot] >= 0 {
      if hasText(Int(slots[slot]), bytes, UnsafeRawBufferPointer(start: nil, count: 0)) { return }
      slot = (slot + 1) & mask
    }
    slots[slot] = id
  }
}

/// FNV-1a (Fowler, Noll & Vo), 64 bits.
private struct TextHash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  init(_ bytes: UnsafeRawBufferPointer) { mix(bytes) }

  /// The hash of both texts together.
  func followed(by bytes: UnsafeRawBufferPointer) -> TextHash {
    var hash = self
    hash.mix(bytes)
    return hash
  }

  private mutating func mix(_ bytes: UnsafeRawBufferPointer) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }
}
