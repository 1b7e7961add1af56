/// Quantizes a row of `blockCount` blocks of 32 floats in one plane, less its outliers: scale = largest
/// magnitude of a block / 127, to nearest even.
///
/// - Parameters:
///   - x: as it was, afterwards; nobody else reads it meanwhile.
///   - records: the row's first block (`ActivationRows`), and
///   - step: records from one block to the next.
///   - outliers: where those of the row go, `Outlier.mostPerRow`.
@inlinable @inline(__always)
public func quantizeRow<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, blockCount: Int,
  records: UnsafeMutableRawPointer, step: Int,
  outliers: UnsafeMutablePointer<Outlier>
) {
  withLargest(isa, x, blockCount: blockCount) { largest in
    takeOutliers(isa, x, blockCount: blockCount, largest, into: outliers)
    quantizeBlocks(isa, OnePlane.self, x, blockCount: blockCount, largest, records, step)
  }
  putBack(outliers, x)
}

/// Quantizes a row in two planes: `quant = 128 * high + low`.
///
/// - Parameters:
///   - records: the row's first block (`ActivationRows`), and
///   - step: records from one block to the next.
@inlinable @inline(__always)
public func quantizeWideRow<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, blockCount: Int,
  records: UnsafeMutableRawPointer, step: Int
) {
  withLargest(isa, x, blockCount: blockCount) { largest in
    quantizeBlocks(isa, TwoPlanes.self, x, blockCount: blockCount, largest, records, step)
  }
}

/// Calls `body` with the largest magnitude of each block, and zeros up to a whole number of vectors.
///
/// Four blocks at a time, which share the steps of their reductions.
@inlinable @inline(__always)
func withLargest<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, blockCount: Int,
  _ body: (UnsafeMutablePointer<Float>) -> Void
) {
  let last = blockCount &- 1
  let lanes = PanelGeometry.rows
  // Up to 256 blocks this is on the stack.
  let padded = (blockCount &+ lanes &- 1) / lanes &* lanes
  withUnsafeTemporaryAllocation(of: Float.self, capacity: padded) { largest in
    guard let largest = largest.baseAddress else { return }
    var block = 0
    while block < blockCount {
      // The last block again, where there are no four.
      I.storeFourths(
        I.largestOfEach(
          magnitudes(isa, x, block), magnitudes(isa, x, min(block &+ 1, last)),
          magnitudes(isa, x, min(block &+ 2, last)), magnitudes(isa, x, min(block &+ 3, last))),
        largest + block)
      block &+= 4
    }
    block = blockCount
    while block < padded {
      largest[block] = 0
      block &+= 1
    }
    body(largest)
  }
}

/// Quantizes blocks, four at a time.
///
/// - Parameter largest: of each block the largest magnitude, and zeros up to a whole number of vectors.
@inlinable @inline(__always)
func quantizeBlocks<I: VectorISA, P: Planes>(
  _ isa: I.Type, _ planes: P.Type, _ x: UnsafePointer<Float>, blockCount: Int,
  _ largest: UnsafePointer<Float>, _ records: UnsafeMutableRawPointer, _ step: Int
) {
  let stepBytes = step &* P.recordBytes
  let lanes = PanelGeometry.rows
  let scaling = BlockScaling(
    isa, largest, blockCount: blockCount,
    limit: P.isWide ? ActivationPrecision.wideLimit : ActivationPrecision.narrowLimit)
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * lanes + 8) { room in
    let scales = room.baseAddress.unsafelyUnwrapped
    let inverses = scales + lanes
    let shortScales = inverses + lanes
    let sums = shortScales + lanes
    let firstSums = sums + 4
    var start = 0
    while start < blockCount {
      let scale = scaling.store(
        isa, I.load(largest + start), inverses: inverses, shortScales: shortScales)
      I.store(scale, scales)
      let count = min(lanes, blockCount &- start)
      let x = x + start &* PanelGeometry.blockColumns
      let records = records + start &* stepBytes
      @inline(__always) func write(_ block: Int, _ sum: Float, _ firstSum: Float) {
        (records + (block &* stepBytes &+ P.quantBytes)).storeBytes(
          of: ActivationBlock(
            scales[block],
            shortScales: shortScales[block].bitPattern
              | shortScales[block | 1].bitPattern &<< 16,
            productUnit: scaling.productUnit, sumBits: sum, firstHalfBits: firstSum),
          as: ActivationBlock.self)
      }
      let last = count &- 1
      var block = 0
      while block < count {
        // The last block again, where there are no four.
        let (b0, b1, b2, b3) = (
          block, min(block &+ 1, last), min(block &+ 2, last), min(block &+ 3, last)
        )
        let q0 = quantizeBlock(isa, planes, x, b0, inverses[b0], records + b0 &* stepBytes)
        let q1 = quantizeBlock(isa, planes, x, b1, inverses[b1], records + b1 &* stepBytes)
        let q2 = quantizeBlock(isa, planes, x, b2, inverses[b2], records + b2 &* stepBytes)
        let q3 = quantizeBlock(isa, planes, x, b3, inverses[b3], records + b3 &* stepBytes)
        let firsts = I.sumOfEach(q0.first, q1.first, q2.first, q3.first)
        let seconds = I.sumOfEach(q0.second, q1.second, q2.second, q3.second)
        I.storeFourths(I.bits(I.add(firsts, seconds)), sums)
        I.storeFourths(I.bits(firsts), firstSums)
        write(b0, sums[0], firstSums[0])
        write(b1, sums[1], firstSums[1])
        write(b2, sums[2], firstSums[2])
        write(b3, sums[3], firstSums[3])
        block &+= 4
      }
      start &+= lanes
    }
  }
}

/// The scales of a row's blocks: the largest magnitude of a block / `limit`, and as multiples of a unit of the row
/// (`ShortScales`).
@usableFromInline struct BlockScaling {
  /// Below this the reciprocal overflows; such a block is zero to float32's precision.
  @inlinable @inline(__always) static var least: Float { 1e-30 }
  @usableFromInline let limit: Float
  /// What the row's short scales are multiples of.
  @usableFromInline let unit: Float
  /// What products of short scales are multiples of.
  @inlinable @inline(__always) var productUnit: Float { unit * 32768 }

  /// - Parameter largest: as of `quantizeBlocks`.
  @inlinable @inline(__always)
  init<I: VectorISA>(
    _ isa: I.Type, _ largest: UnsafePointer<Float>, blockCount: Int, limit: Float
  ) {
    /// Of 16 blocks, without what is taken for zero or is no number.
    @inline(__always) func magnitudes(_ start: Int) -> I.Floats {
      let all = I.load(largest + start)
      return I.keep(all, where: all, atLeast: Self.least)
    }
    var most = I.splat(Float(0))
    var start = 0
    while start < blockCount {
      most = I.maximum(most, magnitudes(start))
      start &+= PanelGeometry.rows
    }
    let peak = I.largest(I.maximum(most, I.splat(Self.least)))
    // All of them as parts of the largest: they themselves may be too large for a sum.
    let inverse = I.splat(1 / peak)
    var parts = I.splat(Float(0))
    start = 0
    while start < blockCount {
      parts = I.fma(magnitudes(start), inverse, parts)
      start &+= PanelGeometry.rows
    }
    let sum = I.sum(parts) / ShortScales.largestSum(blockCount: blockCount)
    let least = 1 / ShortScales.largest
    self.limit = limit
    unit = peak / limit * (sum > least ? sum : least)
  }

  /// Stores what 16 blocks' values are multiplied with, and their short scales as int32 bits.
  ///
  /// - Parameter most: their largest magnitudes.
  /// - Returns: their scales.
  @inlinable @inline(__always) @discardableResult
  func store<I: VectorISA>(
    _ isa: I.Type, _ most: I.Floats, inverses: UnsafeMutablePointer<Float>,
    shortScales: UnsafeMutablePointer<Float>
  ) -> I.Floats {
    let limit = I.splat(limit)
    let scale = I.keep(I.divide(most, limit), where: most, atLeast: Self.least)
    let perUnit = I.splat(1 / unit)
    I.store(I.bits(I.round(I.multiply(scale, perUnit))), shortScales)
    I.store(I.keep(I.divide(limit, most), where: most, atLeast: Self.least), inverses)
    return scale
  }
}

/// The larger magnitudes of the halves of a block.
@inlinable @inline(__always)
func magnitudes<I: VectorISA>(_ isa: I.Type, _ x: UnsafePointer<Float>, _ block: Int) -> I.Floats {
  let x = x + block &* 32
  return I.maximum(I.magnitude(I.load(x)), I.magnitude(I.load(x + 16)))
}

/// Writes the quants of a block to `target`: its values times `inverse`.
///
/// - Returns: the quants, not split in planes.
@inlinable @inline(__always)
func quantizeBlock<I: VectorISA, P: Planes>(
  _ isa: I.Type, _ planes: P.Type, _ x: UnsafePointer<Float>, _ block: Int, _ inverse: Float,
  _ target: UnsafeMutableRawPointer
) -> (first: I.Ints, second: I.Ints) {
  let inverse = I.splat(inverse)
  let first = I.round(I.multiply(I.load(x + block &* 32), inverse))
  let second = I.round(I.multiply(I.load(x + (block &* 32 &+ 16)), inverse))
  if P.isWide {
    I.storeWide(first, second, target)
  } else {
    I.storeLowBytes(first, target)
    I.storeLowBytes(second, target + 16)
  }
  return (first, second)
}
