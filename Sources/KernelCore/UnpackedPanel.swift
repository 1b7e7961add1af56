/// A panel of `Format` as a product of many tokens reads it: quants are whole bytes, scales and minimums float32.
///
/// Block: 16 scales, 16 scales of the second half where halves have their own, 16 minimums where there are any,
/// then quants. Where scales are short the panel begins with 16 units, and of two blocks the first one has the scales of
/// both. With it each tile of tokens only loads what would have to be unpacked for each again.
public enum UnpackedPanel<Format: PanelFormat>: PanelFormat {
  @inlinable @inline(__always) public static var bits: Int { Format.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { Format.offsetShift }
  @inlinable @inline(__always) public static var hasMinimums: Bool { Format.hasMinimums }
  @inlinable @inline(__always) public static var hasHalfScales: Bool { Format.hasHalfScales }
  @inlinable @inline(__always) public static var hasShortScales: Bool { Format.hasShortScales }
  @inlinable @inline(__always) public static var isPacked: Bool { false }
  /// The panel is in the cache, and the next one is not behind it.
  @inlinable @inline(__always) public static var looksAhead: Bool { true }
  @inlinable @inline(__always) static var unitBytes: Int { hasShortScales ? 64 : 0 }
  @inlinable @inline(__always) static var minimumsStart: Int { hasHalfScales ? 128 : 64 }
  @inlinable @inline(__always) static var quantsStart: Int {
    minimumsStart &+ (hasMinimums ? 64 : 0)
  }
  @inlinable @inline(__always) static var blockBytes: Int { quantsStart &+ WholeBytes.bytes }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int {
    unitBytes + blocks * blockBytes
  }

  @inlinable @inline(__always)
  static func floats<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ block: Int, _ start: Int
  ) -> I.Floats {
    I.load((self.block(panel, block) + start).assumingMemoryBound(to: Float.self))
  }

  @inlinable @inline(__always)
  static func block(_ panel: UnsafeRawPointer, _ block: Int) -> UnsafeRawPointer {
    panel + (unitBytes &+ block &* blockBytes)
  }

  @inlinable @inline(__always)
  public static func scaleUnits<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, blocks: Int
  ) -> I.Floats { I.load(panel.assumingMemoryBound(to: Float.self)) }

  @inlinable @inline(__always)
  public static func shortScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, blocks: Int,
    units: I.Floats
  ) -> I.Bytes { I.loadBytes(self.block(panel, block)) }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  ) -> I.Floats {
    hasShortScales
      ? ShortScales.scales(isa, self.block(panel, block & ~1), block, units: units)
      : floats(isa, panel, block, 0)
  }

  @inlinable @inline(__always)
  public static func secondScales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> I.Floats { floats(isa, panel, block, 64) }

  @inlinable @inline(__always)
  public static func minimums<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> I.Floats { floats(isa, panel, block, minimumsStart) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    WholeBytes.half(isa, self.block(panel, block) + quantsStart, second: false)
  }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    WholeBytes.half(isa, self.block(panel, block) + quantsStart, second: true)
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints {
    WholeBytes.quants(isa, self.block(panel, block) + quantsStart, column: column)
  }
}

/// Writes a panel of `Format` as `UnpackedPanel`, and asks for the next one meanwhile.
@inlinable @inline(__always)
func unpack<I: VectorISA, F: PanelFormat>(
  _ isa: I.Type, _ format: F.Type, _ panel: UnsafeRawPointer, blocks: Int,
  into target: UnsafeMutableRawPointer
) {
  typealias Unpacked = UnpackedPanel<F>
  let stride = F.stride(blocks: blocks)
  let ahead = F.looksAhead ? 0 : F.panelBytes(blocks: blocks) / blocks
  let next = panel + F.panelBytes(blocks: blocks)
  let units = F.scaleUnits(isa, panel, stride, blocks: blocks)
  if F.hasShortScales { I.store(units, target.assumingMemoryBound(to: Float.self)) }
  var block = 0
  while block < blocks {
    F.lookAhead(isa, panel, stride, block)
    prefetch(isa, next + block &* ahead, 0..<ahead)
    let to = target + (Unpacked.unitBytes &+ block &* Unpacked.blockBytes)
    @inline(__always) func write(_ value: I.Floats, _ start: Int) {
      I.store(value, (to + start).assumingMemoryBound(to: Float.self))
    }
    if !F.hasShortScales {
      write(F.scales(isa, panel, stride, block, units: units), 0)
    } else if block & 1 == 0 {
      I.storeBytes(F.shortScales(isa, panel, stride, block, blocks: blocks, units: units), to)
    }
    if F.hasHalfScales { write(F.secondScales(isa, panel, stride, block), 64) }
    if F.hasMinimums { write(F.minimums(isa, panel, stride, block), Unpacked.minimumsStart) }
    let quants = to + Unpacked.quantsStart
    storeFour(isa, F.firstHalf(isa, panel, stride, block), quants)
    storeFour(isa, F.secondHalf(isa, panel, stride, block), quants + 256)
    block &+= 1
  }
}
