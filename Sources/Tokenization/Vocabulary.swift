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
  func id(of bytes: some Collection<UInt8>) -> Int? {
    var hash = Self.seed
    for byte in bytes { Self.mix(&hash, byte) }
    return find(hash) { $0.elementsEqual(bytes) }
  }

  /// The token whose text is that of `first` and `second` together.
  func id(joining first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int? {
    var hash = Self.seed
    for byte in first { Self.mix(&hash, byte) }
    for byte in second { Self.mix(&hash, byte) }
    return find(hash) { token in
      token.count == first.count + second.count
        && token.prefix(first.count).elementsEqual(first)
        && token.dropFirst(first.count).elementsEqual(second)
    }
  }

  func id(of bytes: UnsafeRawBufferPointer) -> Int? {
    id(joining: bytes, UnsafeRawBufferPointer(start: nil, count: 0))
  }

  // FNV-1a (Fowler, Noll & Vo), 64 bits.
  private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325
  private static func mix(_ hash: inout UInt64, _ byte: UInt8) {
    hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
  }
  private func slot(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
  }

  private func find(_ hash: UInt64, _ matches: (ArraySlice<UInt8>) -> Bool) -> Int? {
    var slot = slot(hash)
    while slots[slot] >= 0 {
      let id = Int(slots[slot])
      if matches(bytes(id)) { return id }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Of two tokens with one text the first is found.
  private mutating func insert(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
    var hash = Self.seed
    for byte in bytes { Self.mix(&hash, byte) }
    var slot = slot(hash)
    while slots[slot] >= 0 {
      if self.bytes(Int(slots[slot])).elementsEqual(bytes) { return }
      slot = (slot + 1) & mask
    }
    slots[slot] = id
  }
}
