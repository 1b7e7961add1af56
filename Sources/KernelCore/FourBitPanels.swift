/// Q4_0 interleaved: the units of 16 rows as bfloat16, which holds powers of two; then for each two blocks 16 pairs of short
/// scales and the quants of both, or of the one that is left.
public enum FourBitPanel: PanelFormat {
  @inlinable @inline(__always) public static var bits: Int { 4 }
  @inlinable @inline(__always) public static var offsetShift: Int32 { 3 }
  @inlinable @inline(__always) public static var hasMinimums: Bool { false }
  @inlinable @inline(__always) public static var hasShortScales: Bool { true }
  @inlinable @inline(__always) public static var unitBytes: Int { 32 }
  @inlinable @inline(__always) public static var scaleBytes: Int { 64 }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int {
    unitBytes + (blocks + 1) / 2 * scaleBytes + blocks * Nibbles.bytes
  }

  /// The panel's units, which are in front, not counted.
  @inlinable @inline(__always)
  public static var averageBlockBytes: Int { scaleBytes / 2 + Nibbles.bytes }

  /// Where the scales of `block` and its neighbour begin.
  @inlinable @inline(__always)
  public static func pairStart(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    panel + (unitBytes &+ (block &>> 1) &* (scaleBytes &+ 2 &* Nibbles.bytes))
  }

  /// Where the quants of `block` begin.
  @inlinable @inline(__always)
  public static func quantsStart(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    pairStart(panel, block) + (scaleBytes &+ (block & 1) &* Nibbles.bytes)
  }

  @inlinable @inline(__always)
  public static func scaleUnits<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int
  ) -> I.Floats { I.loadBrainFloat(panel) }

  @inlinable @inline(__always)
  public static func shortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, blocks: Int,
    units: I.Floats
  ) -> I.Bytes { I.loadBytes(pairStart(panel, block)) }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  ) -> I.Floats { ShortScales.scales(isa, pairStart(panel, block), block, units: units) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Nibbles.half(isa, quantsStart(panel, block), second: false)
  }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Nibbles.half(isa, quantsStart(panel, block), second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints { Nibbles.quants(isa, quantsStart(panel, block), column: column) }
}

/// Q4_0 as in the file: a binary16 scale, then quants.
public enum FourBitRows: RowFormat {
  public typealias Interleaved = FourBitPanel
  @inlinable @inline(__always) public static var bits: Int { Interleaved.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { Interleaved.offsetShift }
  @inlinable @inline(__always) public static var hasMinimums: Bool { false }
  @inlinable @inline(__always) public static var hasShortScales: Bool { true }
  @inlinable @inline(__always) public static var blockBytes: Int { 2 &+ NibbleRows.bytes }

  /// The rows' scales have to be looked through for it.
  @inlinable @inline(__always)
  public static func scaleUnits<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int
  ) -> I.Floats {
    var powers = I.splat(Float(0))
    var block = 0
    while block < blocks {
      powers = I.maximum(
        powers, I.powerOfTwo(I.loadHalves(panel + block &* blockBytes, stride)))
      block &+= 1
    }
    return ShortScales.units(isa, powers)
  }

  @inlinable @inline(__always)
  static func short<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ units: I.Floats
  ) -> I.Ints {
    ShortScales.round(isa, I.loadHalves(panel + block &* blockBytes, stride), units: units)
  }

  @inlinable @inline(__always)
  public static func shortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, blocks: Int,
    units: I.Floats
  ) -> I.Bytes {
    let first = short(isa, panel, stride, block, units)
    guard block &+ 1 < blocks else { return I.pairs(first, I.splat(Int32(0))) }
    return I.pairs(first, short(isa, panel, stride, block &+ 1, units))
  }

  /// Gathers the rows' scales once: until the units are known they are behind the places of the pairs.
  @inlinable @inline(__always)
  public static func writeShortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int,
    units: UnsafeMutablePointer<Float>, pairs: UnsafeMutableRawPointer, step: Int
  ) {
    @inline(__always)
    func gathered(_ pair: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
      (pair + 64).assumingMemoryBound(to: Float.self)
    }
    var powers = I.splat(Float(0))
    @inline(__always) func scales(_ block: Int) -> I.Floats {
      let scales = I.loadHalves(panel + block &* blockBytes, stride)
      powers = I.maximum(powers, I.powerOfTwo(scales))
      return scales
    }
    var pair = pairs
    var block = 0
    while block < blocks {
      I.store(scales(block), gathered(pair))
      let second = block &+ 1 < blocks ? scales(block &+ 1) : I.splat(Float(0))
      I.store(second, gathered(pair) + PanelGeometry.rows)
      pair += step
      block &+= 2
    }
    let scaleUnits = ShortScales.units(isa, powers)
    I.store(scaleUnits, units)
    pair = pairs
    block = 0
    while block < blocks {
      let scales = gathered(pair)
      I.storeBytes(
        I.pairs(
          ShortScales.round(isa, I.load(scales), units: scaleUnits),
          ShortScales.round(isa, I.load(scales + PanelGeometry.rows), units: scaleUnits)),
        pair)
      pair += step
      block &+= 2
    }
  }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  ) -> I.Floats { I.multiply(I.convert(short(isa, panel, stride, block, units)), units) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    NibbleRows.half(isa, panel + (block &* blockBytes &+ 2), stride, second: false)
  }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    NibbleRows.half(isa, panel + (block &* blockBytes &+ 2), stride, second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints {
    NibbleRows.quants(isa, panel + (block &* blockBytes &+ 2), stride, column: column)
  }

  @inlinable @inline(__always)
  public static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, blocks: Int, into panel: UnsafeMutableRawPointer
  ) {
    let stride = stride(blocks: blocks)
    let units = scaleUnits(isa, rows, stride, blocks: blocks)
    I.storeBrainFloat(units, panel)
    var block = 0
    while block < blocks {
      let pair = UnsafeMutableRawPointer(mutating: Interleaved.pairStart(panel, block))
      if block & 1 == 0 {
        I.storeBytes(
          shortScales(isa, rows, stride, block, blocks: blocks, units: units), pair)
      }
      let quants = UnsafeMutableRawPointer(mutating: Interleaved.quantsStart(panel, block))
      NibbleRows.interleave(isa, rows + (block &* blockBytes &+ 2), stride, into: quants)
      block &+= 1
    }
  }
}
