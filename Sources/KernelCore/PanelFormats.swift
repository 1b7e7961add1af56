/// How one quantized format lies in a panel, and how its weights are read from there.
///
/// A weight is `scale * (quant - offset) + minimum`, with `quant` unsigned; `offset` is a power of
/// two, and each format has either an offset or minimums.
///
/// Accessors take the panel's first byte, the bytes from one row to the next where the rows lie apart
/// (`RowFormat`), and a block.
public protocol PanelFormat {
  /// Bits of the largest quant.
  static var bits: Int { get }
  /// log2 of `offset`: 3, 4 or 7, or -1 where the format has minimums instead.
  static var offsetShift: Int32 { get }
  static var hasMinimums: Bool { get }
  /// True where each half of a block (16 columns) has a scale of its own.
  static var hasHalfScales: Bool { get }
  /// True where the scales of two blocks are read together, as int16 (`ShortScales`).
  static var hasShortScales: Bool { get }
  /// Bytes of a panel of `blocks` blocks.
  static func panelBytes(blocks: Int) -> Int
  /// Bytes of a block, as far as they are the same for all and not those of a larger block; 0 where they are.
  static var averageBlockBytes: Int { get }
  /// Bytes from one row to the next in a matrix with rows of `blocks` blocks; 0 where the rows of a
  /// panel are interleaved.
  static func stride(blocks: Int) -> Int
  /// Whether quants have to be unpacked before they are multiplied: then many tokens do it once.
  static var isPacked: Bool { get }
  /// Whether `lookAhead` asks for the next panel.
  static var looksAhead: Bool { get }
  /// Called before a block is read: asks for memory that will be needed soon.
  static func lookAhead<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int)

  /// What short scales are multiples of, one a row. Only called where `hasShortScales`.
  static func scaleUnits<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int
  ) -> I.Floats
  /// The short scales of `block`, which is even, and of the next one; of that zeros where `block` is the last of
  /// `blocks`. Only called where `hasShortScales`.
  ///
  /// - Parameter units: what `scaleUnits` gave.
  static func shortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, blocks: Int,
    units: I.Floats
  ) -> I.Bytes
  /// Writes the units and the short scales of all blocks. Only called where `hasShortScales`.
  ///
  /// - Parameters:
  ///   - pairs: where the short scales of the first two blocks go, with room for 192 bytes, and
  ///   - step: bytes from there to those of the next two.
  static func writeShortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int,
    units: UnsafeMutablePointer<Float>, pairs: UnsafeMutableRawPointer, step: Int)
  /// The scales of block `block`, one a row; of its first half where halves differ.
  ///
  /// - Parameter units: what `scaleUnits` gave, where `hasShortScales`.
  static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  )
    -> I.Floats
  /// The scales of the block's second half. Only called where `hasHalfScales`.
  static func secondScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> I.Floats
  /// The minimums of the block, one a row. Only called where `hasMinimums`.
  static func minimums<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> I.Floats
  /// Columns 0 to 15 of the block.
  static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  /// Columns 16 to 31 of the block.
  static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  /// The quants of one column of the block, 0 to 31.
  static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints
}

extension PanelFormat {
  /// The weights of one column of the block, 0 to 31.
  @inlinable @inline(__always)
  static func column<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int,
    units: I.Floats
  ) -> I.Floats {
    let offset = offsetShift < 0 ? 0 : 1 &<< offsetShift
    let quants = quants(isa, panel, stride, block, column)
    let steps = I.convert(I.add(quants, I.splat(0 &- offset)))
    if hasHalfScales, column >= 16 {
      return I.multiply(secondScales(isa, panel, stride, block), steps)
    }
    let scales = scales(isa, panel, stride, block, units: units)
    return hasMinimums
      ? I.fma(scales, steps, minimums(isa, panel, stride, block)) : I.multiply(scales, steps)
  }

  @inlinable @inline(__always)
  public static var averageBlockBytes: Int { panelBytes(blocks: 1) }

  @inlinable @inline(__always)
  public static func stride(blocks: Int) -> Int { 0 }

  @inlinable @inline(__always)
  public static var isPacked: Bool { bits < 8 }

  @inlinable @inline(__always)
  public static var looksAhead: Bool { false }

  @inlinable @inline(__always)
  public static func lookAhead<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) {}

  @inlinable @inline(__always)
  public static var hasShortScales: Bool { false }

  @inlinable @inline(__always)
  public static func scaleUnits<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int
  ) -> I.Floats { I.splat(Float(1)) }

  @inlinable @inline(__always)
  public static func shortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, blocks: Int,
    units: I.Floats
  ) -> I.Bytes { I.pairs(I.splat(Int32(0)), I.splat(Int32(0))) }

  @inlinable @inline(__always)
  public static func writeShortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int,
    units: UnsafeMutablePointer<Float>, pairs: UnsafeMutableRawPointer, step: Int
  ) {
    let scaleUnits = scaleUnits(isa, panel, stride, blocks: blocks)
    I.store(scaleUnits, units)
    var pair = pairs
    var block = 0
    while block < blocks {
      I.storeBytes(
        shortScales(isa, panel, stride, block, blocks: blocks, units: scaleUnits), pair)
      pair += step
      block &+= 2
    }
  }

  @inlinable @inline(__always)
  public static var hasHalfScales: Bool { false }

  @inlinable @inline(__always)
  public static func secondScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> I.Floats { I.splat(Float(0)) }

  @inlinable @inline(__always)
  public static func minimums<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> I.Floats { I.splat(Float(0)) }
}

// MARK: - Where quants lie

/// Reads 32 columns of 16 rows as 8 vectors. `storage` is what follows a block's scales.
public protocol QuantStorage {
  static var bits: Int { get }
  static var bytes: Int { get }
  static func half<I: VectorISA>(_ isa: I.Type, _ storage: UnsafeRawPointer, second: Bool)
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  /// Column `column` of the 32.
  static func quants<I: VectorISA>(_ isa: I.Type, _ storage: UnsafeRawPointer, column: Int)
    -> I.Ints
}

/// Four vectors; low nibbles are columns 0 to 15, high nibbles 16 to 31. 256 bytes.
public enum Nibbles: QuantStorage {
  @inlinable @inline(__always) public static var bits: Int { 4 }
  @inlinable @inline(__always) public static var bytes: Int { 256 }

  @inlinable @inline(__always)
  public static func half<I: VectorISA>(_ isa: I.Type, _ p: UnsafeRawPointer, second: Bool)
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  {
    let (a, b, c, d) = (
      I.loadBytes(p), I.loadBytes(p + 64), I.loadBytes(p + 128), I.loadBytes(p + 192)
    )
    return second
      ? (I.highNibbles(a), I.highNibbles(b), I.highNibbles(c), I.highNibbles(d))
      : (I.lowNibbles(a), I.lowNibbles(b), I.lowNibbles(c), I.lowNibbles(d))
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(_ isa: I.Type, _ p: UnsafeRawPointer, column: Int)
    -> I.Ints
  {
    let vector = I.loadBytes(p + ((column & 15) &>> 2) &* PanelGeometry.stepBytes)
    return I.field(vector, shift: 8 &* (column & 3) &+ ((column & 16) &>> 2), mask: 15)
  }
}

/// `Nibbles`, then 8 x 64 bits: the fifth bit of each byte of each of the 8 vectors. 320 bytes.
public enum NibblesAndBits: QuantStorage {
  @inlinable @inline(__always) public static var bits: Int { 5 }
  @inlinable @inline(__always) public static var bytes: Int { 320 }

  @inlinable @inline(__always)
  public static func half<I: VectorISA>(_ isa: I.Type, _ p: UnsafeRawPointer, second: Bool)
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  {
    let (a, b, c, d) = Nibbles.half(isa, p, second: second)
    let bits = p + (second ? 288 : 256)
    return (
      I.addFifthBits(a, bits), I.addFifthBits(b, bits + 8),
      I.addFifthBits(c, bits + 16), I.addFifthBits(d, bits + 24)
    )
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(_ isa: I.Type, _ p: UnsafeRawPointer, column: Int)
    -> I.Ints
  {
    let vector = I.loadBytes(p + ((column & 15) &>> 2) &* PanelGeometry.stepBytes)
    let nibbles = column < 16 ? I.lowNibbles(vector) : I.highNibbles(vector)
    let quants = I.addFifthBits(nibbles, p + (256 &+ (column &>> 2) &* 8))
    return I.field(quants, shift: 8 &* (column & 3), mask: 255)
  }
}

/// Eight vectors in the order of the columns. 512 bytes.
public enum WholeBytes: QuantStorage {
  @inlinable @inline(__always) public static var bits: Int { 8 }
  @inlinable @inline(__always) public static var bytes: Int { 512 }

  @inlinable @inline(__always)
  public static func half<I: VectorISA>(_ isa: I.Type, _ storage: UnsafeRawPointer, second: Bool)
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  {
    let p = storage + (second ? 256 : 0)
    return (I.loadBytes(p), I.loadBytes(p + 64), I.loadBytes(p + 128), I.loadBytes(p + 192))
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(_ isa: I.Type, _ p: UnsafeRawPointer, column: Int)
    -> I.Ints
  {
    let vector = I.loadBytes(p + (column &>> 2) &* PanelGeometry.stepBytes)
    return I.field(vector, shift: 8 &* (column & 3), mask: 255)
  }
}

// MARK: - ggml's 32-wide formats

/// Block: 16 half scales, then quants. Offset formats (Q5_0, Q8_0; for Q4_0 see `FourBitPanel`).
public enum OffsetPanel<Storage: QuantStorage>: PanelFormat {
  @inlinable @inline(__always) public static var bits: Int { Storage.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { Int32(Storage.bits &- 1) }
  @inlinable @inline(__always) public static var hasMinimums: Bool { false }
  @inlinable @inline(__always) public static var blockBytes: Int { 32 &+ Storage.bytes }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int { blocks * blockBytes }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  )
    -> I.Floats
  { I.loadHalf(panel + block &* blockBytes) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  { Storage.half(isa, panel + (block &* blockBytes &+ 32), second: false) }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, panel + (block &* blockBytes &+ 32), second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints { Storage.quants(isa, panel + (block &* blockBytes &+ 32), column: column) }
}

/// Block: 16 half scales, 16 half minimums, then quants (Q4_1, Q5_1).
public enum MinimumPanel<Storage: QuantStorage>: PanelFormat {
  @inlinable @inline(__always) public static var bits: Int { Storage.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { -1 }
  @inlinable @inline(__always) public static var hasMinimums: Bool { true }
  @inlinable @inline(__always) public static var blockBytes: Int { 64 &+ Storage.bytes }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int { blocks * blockBytes }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  )
    -> I.Floats
  { I.loadHalf(panel + block &* blockBytes) }

  @inlinable @inline(__always)
  public static func minimums<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> I.Floats
  { I.loadHalf(panel + (block &* blockBytes &+ 32)) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  { Storage.half(isa, panel + (block &* blockBytes &+ 64), second: false) }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, panel + (block &* blockBytes &+ 64), second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints { Storage.quants(isa, panel + (block &* blockBytes &+ 64), column: column) }
}

// MARK: - ggml's K-quants

/// Super-block: 16 half scales, 16 half minimum scales; then 8 blocks, each 16 + 16 bytes that
/// multiply those, then quants (Q4_K, Q5_K). A weight is `d * sc * quant - dmin * m`; both products
/// are exact in float32 (11 + 6 bits).
public enum SuperMinimumPanel<Storage: QuantStorage>: PanelFormat {
  @inlinable @inline(__always) public static var bits: Int { Storage.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { -1 }
  @inlinable @inline(__always) public static var hasMinimums: Bool { true }
  @inlinable @inline(__always) public static var blockBytes: Int { 32 &+ Storage.bytes }
  @inlinable @inline(__always)
  public static var superBlockBytes: Int { 64 &+ PanelGeometry.blocksPerSuperBlock &* blockBytes }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int {
    blocks / PanelGeometry.blocksPerSuperBlock * superBlockBytes
  }

  @inlinable @inline(__always)
  public static func superBlock(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    panel + (block &>> 3) &* superBlockBytes
  }

  @inlinable @inline(__always)
  public static func blockStart(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    superBlock(panel, block) + (64 &+ (block & 7) &* blockBytes)
  }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  )
    -> I.Floats
  {
    I.multiply(
      I.loadHalf(superBlock(panel, block)),
      I.convert(I.loadUnsignedBytes(blockStart(panel, block))))
  }

  @inlinable @inline(__always)
  public static func minimums<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> I.Floats
  {
    I.subtract(
      I.splat(Float(0)),
      I.multiply(
        I.loadHalf(superBlock(panel, block) + 32),
        I.convert(I.loadUnsignedBytes(blockStart(panel, block) + 16))))
  }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  { Storage.half(isa, blockStart(panel, block) + 32, second: false) }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, blockStart(panel, block) + 32, second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints { Storage.quants(isa, blockStart(panel, block) + 32, column: column) }
}

/// Super-block: 16 half scales; then 8 blocks, each 2 x 16 bytes (a half block's signed scale, plus
/// 128), then quants as whole bytes, `quant + 96`, so that the offset is 128 (Q6_K).
public enum SixBitPanel: PanelFormat {
  @inlinable @inline(__always) public static var bits: Int { 8 }
  @inlinable @inline(__always) public static var offsetShift: Int32 { 7 }
  @inlinable @inline(__always) public static var hasMinimums: Bool { false }
  @inlinable @inline(__always) public static var hasHalfScales: Bool { true }
  @inlinable @inline(__always) public static var blockBytes: Int { 32 &+ WholeBytes.bytes }
  @inlinable @inline(__always)
  public static var superBlockBytes: Int { 32 &+ PanelGeometry.blocksPerSuperBlock &* blockBytes }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int {
    blocks / PanelGeometry.blocksPerSuperBlock * superBlockBytes
  }

  @inlinable @inline(__always)
  public static func superBlock(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    panel + (block &>> 3) &* superBlockBytes
  }

  @inlinable @inline(__always)
  public static func blockStart(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    superBlock(panel, block) + (32 &+ (block & 7) &* blockBytes)
  }

  @inlinable @inline(__always)
  static func halfScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ block: Int, _ offset: Int
  ) -> I.Floats {
    let factors = I.convert(
      I.add(I.loadUnsignedBytes(blockStart(panel, block) + offset), I.splat(Int32(-128))))
    return I.multiply(I.loadHalf(superBlock(panel, block)), factors)
  }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  )
    -> I.Floats
  { halfScales(isa, panel, block, 0) }

  @inlinable @inline(__always)
  public static func secondScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> I.Floats { halfScales(isa, panel, block, 16) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  )
    -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  { WholeBytes.half(isa, blockStart(panel, block) + 32, second: false) }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    WholeBytes.half(isa, blockStart(panel, block) + 32, second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints { WholeBytes.quants(isa, blockStart(panel, block) + 32, column: column) }
}
