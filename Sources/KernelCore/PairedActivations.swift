/// Activations with two blocks interleaved, in tiles of eight tokens: of each token what its products are multiples of
/// (`ActivationBlock.productUnit`), then for each pair of blocks 64 int8 a token and a `PairedBlocks` a token.
public enum PairedActivations {
  @inlinable @inline(__always) static var tile: Int { 8 }
  @inlinable @inline(__always) static var unitBytes: Int { 64 }
  @inlinable @inline(__always) static var tokenBytes: Int { 64 }
  @inlinable @inline(__always) static var pairBytes: Int {
    tile &* (tokenBytes &+ MemoryLayout<PairedBlocks>.stride)
  }

  @inlinable @inline(__always)
  static func tileBytes(blocks: Int) -> Int { unitBytes &+ (blocks &+ 1) / 2 &* pairBytes }

  /// Bytes of `tokens` rows of `blocks` blocks.
  @inlinable @inline(__always)
  public static func bytes(tokens: Int, blocks: Int) -> Int {
    (tokens &+ tile &- 1) / tile &* tileBytes(blocks: blocks)
  }

  @inlinable @inline(__always)
  static func blocks(_ pair: UnsafeRawPointer, _ token: Int) -> UnsafePointer<PairedBlocks> {
    (pair + tile &* tokenBytes).assumingMemoryBound(to: PairedBlocks.self) + token
  }

  /// Writes those of `tokens` rows of `input`, a tile after the other.
  @inlinable @inline(__always)
  static func interleave<I: PairedISA>(
    _ isa: I.Type, _ input: ActivationRows, tokens: Int, into target: UnsafeMutableRawPointer
  ) {
    withUnsafeTemporaryAllocation(of: UnsafeRawPointer.self, capacity: tile) { records in
      guard let records = records.baseAddress else { return }
      var token = 0
      while token < tokens {
        let count = min(tile, tokens &- token)
        var index = 0
        while index < count {
          let place = ActivationRows.place(
            row: input.first &+ token &+ index, group: input.group, blockCount: input.blockCount)
          (records + index).initialize(to: input.records + place &* OnePlane.recordBytes)
          index &+= 1
        }
        interleave(
          isa, records, count: count, blocks: input.blockCount,
          blockBytes: input.group &* OnePlane.recordBytes,
          into: target + token / tile &* tileBytes(blocks: input.blockCount))
        token &+= tile
      }
    }
  }

  /// Writes a tile of `count` tokens, in the order in which it lies.
  @inlinable @inline(__always)
  static func interleave<I: PairedISA>(
    _ isa: I.Type, _ records: UnsafePointer<UnsafeRawPointer>, count: Int, blocks: Int,
    blockBytes: Int, into target: UnsafeMutableRawPointer
  ) {
    @inline(__always)
    func about(_ record: UnsafeRawPointer) -> UnsafePointer<ActivationBlock> {
      (record + OnePlane.quantBytes).assumingMemoryBound(to: ActivationBlock.self)
    }
    let units = target.assumingMemoryBound(to: Float.self)
    var index = 0
    while index < count {
      units[index] = about(records[index]).pointee.productUnit
      index &+= 1
    }
    var pair = target + unitBytes
    var block = 0
    while block < blocks {
      let distance = block &+ 1 < blocks ? blockBytes : 0
      index = 0
      while index < count {
        let first = records[index] + block &* blockBytes
        let second = first + distance
        I.interleave(first, second, into: pair + index &* tokenBytes)
        UnsafeMutablePointer(mutating: self.blocks(pair, index)).pointee = PairedBlocks(
          about(first), about(second))
        index &+= 1
      }
      pair += pairBytes
      block &+= 2
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
