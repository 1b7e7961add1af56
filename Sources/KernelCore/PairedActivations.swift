/// Activations with two blocks interleaved, in tiles of eight tokens: of each pair of blocks 64 int8 a token, then a
/// `PairedBlocks` a token.
public enum PairedActivations {
  @inlinable @inline(__always) static var tile: Int { 8 }
  @inlinable @inline(__always) static var tokenBytes: Int { 64 }
  @inlinable @inline(__always) static var pairBytes: Int {
    tile &* (tokenBytes &+ MemoryLayout<PairedBlocks>.stride)
  }

  /// Bytes of `tokens` rows of `blocks` blocks.
  @inlinable @inline(__always)
  public static func bytes(tokens: Int, blocks: Int) -> Int {
    (tokens &+ tile &- 1) / tile &* ((blocks &+ 1) / 2) &* pairBytes
  }

  @inlinable @inline(__always)
  static func blocks(_ pair: UnsafeRawPointer, _ token: Int) -> UnsafePointer<PairedBlocks> {
    (pair + tile &* tokenBytes).assumingMemoryBound(to: PairedBlocks.self) + token
  }

  /// Writes those of `tokens` rows of `input`.
  @inlinable @inline(__always)
  static func interleave<I: PairedISA>(
    _ isa: I.Type, _ input: ActivationRows, tokens: Int, into target: UnsafeMutableRawPointer
  ) {
    let blocks = input.blockCount
    let pairs = (blocks &+ 1) / 2
    let blockBytes = input.group &* OnePlane.recordBytes
    var token = 0
    while token < tokens {
      let place = ActivationRows.place(
        row: input.first &+ token, group: input.group, blockCount: blocks)
      var record = input.records + place &* OnePlane.recordBytes
      var pair = target + token / tile &* pairs &* pairBytes
      let index = token % tile
      var block = 0
      while block < blocks {
        let other = block &+ 1 < blocks ? record + blockBytes : record
        I.interleave(record, other, into: pair + index &* tokenBytes)
        @inline(__always)
        func about(_ record: UnsafeRawPointer) -> UnsafePointer<ActivationBlock> {
          (record + OnePlane.quantBytes).assumingMemoryBound(to: ActivationBlock.self)
        }
        UnsafeMutablePointer(mutating: self.blocks(pair, index)).pointee = PairedBlocks(
          about(record), about(other))
        record = other + blockBytes
        pair += pairBytes
        block &+= 2
      }
      token &+= 1
    }
  }
}

/// Where a kernel keeps interleaved activations, for all products of the same rows.
public struct PairedRoom {
  /// As many bytes as `PairedActivations` need.
  @usableFromInline let memory: UnsafeMutableRawPointer
  @usableFromInline var isFilled = false

  @inlinable
  public init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

  /// The interleaved activations of rows that are always the same.
  @inlinable @inline(__always)
  mutating func fill<I: PairedISA>(
    _ isa: I.Type, _ input: ActivationRows, tokens: Int
  ) -> UnsafeRawPointer {
    if !isFilled { PairedActivations.interleave(isa, input, tokens: tokens, into: memory) }
    isFilled = true
    return UnsafeRawPointer(memory)
  }
}

/// What the dot products need to know of two blocks of quantized activations, beside their quants.
public struct PairedBlocks {
  /// `ActivationBlock.offset8` of both.
  public var offsets: SIMD2<Int32>
  /// The same as int16: they are within ±32512.
  public var shortOffsets: UInt32
  /// `ActivationBlock.shortScales`.
  public var shortScales: UInt32

  @inlinable @inline(__always)
  init(_ first: UnsafePointer<ActivationBlock>, _ second: UnsafePointer<ActivationBlock>) {
    offsets = SIMD2(first.pointee.offset8, second.pointee.offset8)
    shortOffsets =
      UInt32(UInt16(truncatingIfNeeded: first.pointee.offset8))
      | UInt32(UInt16(truncatingIfNeeded: second.pointee.offset8)) &<< 16
    shortScales = first.pointee.shortScales
  }
}
