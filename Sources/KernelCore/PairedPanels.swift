/// Four-bit weights of 16 rows that are read two blocks at a time: units in front, then the pairs of blocks, each with 16
/// pairs of short scales in front.
public protocol PairedWeights {
  /// From the panel's start to the first pair.
  static var unitBytes: Int { get }
  /// From one pair to the next one.
  static var pairBytes: Int { get }
  /// Calls `add` with each step (`PairedISA.addStep`) of a pair and what gives its vectors.
  ///
  /// - Parameter isWhole: whether there is a second block; otherwise its weights are any.
  static func forEachStep<I: PairedISA>(
    _ isa: I.Type, _ pair: UnsafeRawPointer, isWhole: Bool,
    _ add: (_ step: Int, _ vector: (Int) -> I.Bytes) -> Void)
}

extension FourBitPanel: PairedWeights {
  @inlinable @inline(__always)
  public static var pairBytes: Int { scaleBytes &+ 2 &* Nibbles.bytes }

  @inlinable @inline(__always)
  public static func forEachStep<I: PairedISA>(
    _ isa: I.Type, _ pair: UnsafeRawPointer, isWhole: Bool,
    _ add: (_ step: Int, _ vector: (Int) -> I.Bytes) -> Void
  ) {
    let quants = pair + scaleBytes
    let others = isWhole ? quants + Nibbles.bytes : quants
    @inline(__always) func addBoth(_ step: Int) {
      let offset = step &* PanelGeometry.stepBytes
      let both = I.interleave(I.loadBytes(quants + offset), I.loadBytes(others + offset))
      add(step) { I.lowNibbles($0 == 0 ? both.0 : both.1) }
      add(step &+ PairedPanel.steps / 2) { I.highNibbles($0 == 0 ? both.0 : both.1) }
    }
    addBoth(0)
    addBoth(1)
    addBoth(2)
    addBoth(3)
  }
}

/// A panel of four-bit weights with two blocks interleaved.
///
/// 16 units, then for each two blocks 16 pairs of short scales and eight steps of four columns of both blocks. A second
/// block that there is not has scales of zero, and any quants.
@usableFromInline enum PairedPanel: PairedWeights {
  @inlinable @inline(__always) static var steps: Int { PanelGeometry.blockColumns / 4 }
  @inlinable @inline(__always) static var stepBytes: Int { 2 &* PanelGeometry.stepBytes }
  @inlinable @inline(__always) static var unitBytes: Int { 64 }
  @inlinable @inline(__always) static var scaleBytes: Int { 64 }
  @inlinable @inline(__always) static var pairBytes: Int {
    scaleBytes &+ steps &* stepBytes
  }

  @inlinable @inline(__always)
  static func bytes(pairs: Int) -> Int { unitBytes &+ pairs &* pairBytes }

  /// Writes a panel of `Format`.
  @inlinable @inline(__always)
  static func unpack<I: PairedISA, F: PanelFormat>(
    _ isa: I.Type, _ format: F.Type, _ panel: UnsafeRawPointer, blocks: Int,
    into target: UnsafeMutableRawPointer
  ) {
    let stride = F.stride(blocks: blocks)
    F.writeShortScales(
      isa, panel, stride, blocks: blocks, units: target.assumingMemoryBound(to: Float.self),
      pairs: target + unitBytes, step: pairBytes)
    var to = target + unitBytes
    var block = 0
    while block < blocks {
      let other = min(block &+ 1, blocks &- 1)
      F.lookAhead(isa, panel, stride, block)
      if other > block { F.lookAhead(isa, panel, stride, other) }
      // All are read before the first one is written: the compiler would read the rest again.
      let (first, others) = (
        F.firstHalf(isa, panel, stride, block), F.firstHalf(isa, panel, stride, other)
      )
      let (second, otherSeconds) = (
        F.secondHalf(isa, panel, stride, block), F.secondHalf(isa, panel, stride, other)
      )
      let quants = to + scaleBytes
      interleave(isa, first, others, into: quants)
      interleave(isa, second, otherSeconds, into: quants + steps / 2 &* stepBytes)
      to += pairBytes
      block &+= 2
    }
  }

  @inlinable @inline(__always)
  static func interleave<I: PairedISA>(
    _ isa: I.Type, _ a: (I.Bytes, I.Bytes, I.Bytes, I.Bytes),
    _ b: (I.Bytes, I.Bytes, I.Bytes, I.Bytes), into target: UnsafeMutableRawPointer
  ) {
    @inline(__always) func write(_ a: I.Bytes, _ b: I.Bytes, _ index: Int) {
      let (first, second) = I.interleave(a, b)
      let step = target + index &* stepBytes
      I.storeBytes(first, step)
      I.storeBytes(second, step + PanelGeometry.stepBytes)
    }
    write(a.0, b.0, 0)
    write(a.1, b.1, 1)
    write(a.2, b.2, 2)
    write(a.3, b.3, 3)
  }

  @inlinable @inline(__always)
  static func forEachStep<I: PairedISA>(
    _ isa: I.Type, _ pair: UnsafeRawPointer, isWhole: Bool,
    _ add: (_ step: Int, _ vector: (Int) -> I.Bytes) -> Void
  ) {
    @inline(__always) func addNext(_ step: Int) {
      let quants = pair + (scaleBytes &+ step &* stepBytes)
      add(step) { I.loadBytes(quants + $0 &* PanelGeometry.stepBytes) }
    }
    addNext(0)
    addNext(1)
    addNext(2)
    addNext(3)
    addNext(4)
    addNext(5)
    addNext(6)
    addNext(7)
  }

  /// The weights of a column.
  @inlinable @inline(__always)
  static func column<I: PairedISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ column: Int, units: I.Floats
  ) -> I.Floats {
    let block = column / PanelGeometry.blockColumns
    let pair = panel + (unitBytes &+ block / 2 &* pairBytes)
    let place = column % PanelGeometry.blockColumns
    let step = pair + (scaleBytes &+ place / 4 &* stepBytes)
    let columns = I.deinterleave(
      I.loadBytes(step), I.loadBytes(step + PanelGeometry.stepBytes))
    let quants = I.field(
      block & 1 == 0 ? columns.0 : columns.1, shift: 8 &* (place & 3), mask: 255)
    return I.multiply(
      ShortScales.scales(isa, pair, block, units: units),
      I.convert(I.add(quants, I.splat(Int32(-8)))))
  }
}
