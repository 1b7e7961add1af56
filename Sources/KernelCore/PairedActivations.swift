/// Activations with two blocks interleaved, in tiles of eight tokens: of each token what its products are multiples of
/// (`ActivationBlock.productUnit`), then for each pair of blocks 64 int8 a token and a `PairedBlocks` a token.
public enum PairedActivations {
  /// Tokens of a tile, the first of which is a multiple of it.
  @inlinable @inline(__always) public static var tile: Int { 8 }
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

  /// Bytes before the tile that has `token`.
  @inlinable @inline(__always)
  public static func tileStart(token: Int, blocks: Int) -> Int {
    token / tile &* tileBytes(blocks: blocks)
  }

  /// What is known of a token of the tile, beside its quants.
  @inlinable @inline(__always)
  static func blocks(_ pair: UnsafeRawPointer, _ place: Int) -> UnsafePointer<PairedBlocks> {
    (pair + tile &* tokenBytes).assumingMemoryBound(to: PairedBlocks.self) + place
  }
}

/// Where a kernel's tile reads two blocks of `PairedActivations`: its first token's, behind which are the others'.
@usableFromInline struct PairedRecords {
  /// 64 int8; to the next token it is `PairedActivations.tokenBytes`.
  @usableFromInline var quants: UnsafeRawPointer
  /// What is known of each token's blocks.
  @usableFromInline var about: UnsafePointer<PairedBlocks>
  /// What each token's products are multiples of.
  @usableFromInline let productUnits: UnsafePointer<Float>

  /// The first two blocks of `input` from `token` on.
  @inlinable @inline(__always)
  init(_ input: ActivationRows, token: Int) {
    let row = input.first &+ token
    let tile =
      input.records + PairedActivations.tileStart(token: row, blocks: input.blockCount)
    let place = row % PairedActivations.tile
    let pair = tile + PairedActivations.unitBytes
    productUnits = tile.assumingMemoryBound(to: Float.self) + place
    about = PairedActivations.blocks(pair, place)
    quants = pair + place &* PairedActivations.tokenBytes
  }

  /// Goes on to the next two blocks.
  @inlinable @inline(__always)
  mutating func advance() {
    quants += PairedActivations.pairBytes
    about = UnsafeRawPointer(about).advanced(by: PairedActivations.pairBytes)
      .assumingMemoryBound(to: PairedBlocks.self)
  }
}

/// What the dot products need to know of two blocks of quantized activations, beside their quants.
public struct PairedBlocks {
  /// -8 times the sum of the quants of both (`ActivationBlock.offset8`).
  public var offsets: SIMD2<Int32>
  /// The same as int16: they are within ±32512.
  public var shortOffsets: UInt32
  /// The short scales of both, two int16 (`ShortScales`); zero of a second block that there is not.
  public var shortScales: UInt32

  @inlinable @inline(__always)
  init(sums first: Int32, _ second: Int32, shortScales: UInt32) {
    offsets = SIMD2(first &* -8, second &* -8)
    shortOffsets =
      UInt32(UInt16(truncatingIfNeeded: offsets.x)) | UInt32(UInt16(truncatingIfNeeded: offsets.y))
      &<< 16
    self.shortScales = shortScales
  }
}
