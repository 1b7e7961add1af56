/// Quantizes a row of `blockCount` blocks of 32 floats in one plane, less its outliers: scale = largest
/// magnitude of a block / 127, to nearest even.
///
/// - Parameters:
///   - x: as it was, afterwards; nobody else reads it meanwhile.
///   - quants: 32 int8 a block.
///   - outliers: where those of the row go, `Outlier.mostPerRow`.
@inlinable @inline(__always)
public func quantizeRow<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, blockCount: Int,
  quants: UnsafeMutablePointer<Int8>, blocks: UnsafeMutablePointer<ActivationBlock>,
  outliers: UnsafeMutablePointer<Outlier>
) {
  findLargest(isa, x, blockCount: blockCount, blocks)
  takeOutliers(isa, x, blockCount: blockCount, blocks, into: outliers)
  quantizeBlocks(isa, OnePlane.self, x, blockCount: blockCount, quants, blocks)
  putBack(outliers, x)
}

/// Quantizes a row in two planes.
///
/// - Parameter quants: high 32 int8, then low 32 a block: `quant = 128 * high + low`.
@inlinable @inline(__always)
public func quantizeWideRow<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, blockCount: Int,
  quants: UnsafeMutablePointer<Int8>, blocks: UnsafeMutablePointer<ActivationBlock>
) {
  findLargest(isa, x, blockCount: blockCount, blocks)
  quantizeBlocks(isa, TwoPlanes.self, x, blockCount: blockCount, quants, blocks)
}

/// The largest magnitude of each block, as its `scale` for now.
///
/// Four blocks at a time, which share the steps of their reductions.
@inlinable @inline(__always)
func findLargest<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, blockCount: Int,
  _ blocks: UnsafeMutablePointer<ActivationBlock>
) {
  let last = blockCount &- 1
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { lanes in
    let lanes = lanes.baseAddress.unsafelyUnwrapped
    var block = 0
    while block < blockCount {
      // The last block again, where there are no four.
      let (b1, b2, b3) = (
        min(block &+ 1, last), min(block &+ 2, last), min(block &+ 3, last)
      )
      I.store(
        I.largestOfEach(
          magnitudes(isa, x, block), magnitudes(isa, x, b1), magnitudes(isa, x, b2),
          magnitudes(isa, x, b3)), lanes)
      blocks[block].scale = lanes[0]
      blocks[b1].scale = lanes[4]
      blocks[b2].scale = lanes[8]
      blocks[b3].scale = lanes[12]
      block &+= 4
    }
  }
}

/// Quantizes blocks whose `scale` is their largest magnitude, four at a time.
@inlinable @inline(__always)
func quantizeBlocks<I: VectorISA, P: Planes>(
  _ isa: I.Type, _ planes: P.Type, _ x: UnsafePointer<Float>, blockCount: Int,
  _ quants: UnsafeMutablePointer<Int8>, _ blocks: UnsafeMutablePointer<ActivationBlock>
) {
  let limit = P.isWide ? ActivationPrecision.wideLimit : ActivationPrecision.narrowLimit
  let last = blockCount &- 1
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 32) { lanes in
    let sums = lanes.baseAddress.unsafelyUnwrapped
    let firstSums = sums + 16
    var block = 0
    while block < blockCount {
      // The last block again, where there are no four.
      let (b0, b1, b2, b3) = (
        block, min(block &+ 1, last), min(block &+ 2, last), min(block &+ 3, last)
      )
      let q0 = quantizeBlock(isa, planes, x, b0, blocks[b0].scale, limit, quants)
      let q1 = quantizeBlock(isa, planes, x, b1, blocks[b1].scale, limit, quants)
      let q2 = quantizeBlock(isa, planes, x, b2, blocks[b2].scale, limit, quants)
      let q3 = quantizeBlock(isa, planes, x, b3, blocks[b3].scale, limit, quants)
      let firsts = I.sumOfEach(q0.first, q1.first, q2.first, q3.first)
      let seconds = I.sumOfEach(q0.second, q1.second, q2.second, q3.second)
      I.store(I.bits(I.add(firsts, seconds)), sums)
      I.store(I.bits(firsts), firstSums)
      blocks[b0] = ActivationBlock(scale: q0.scale, sumBits: sums[0], firstHalfBits: firstSums[0])
      blocks[b1] = ActivationBlock(scale: q1.scale, sumBits: sums[4], firstHalfBits: firstSums[4])
      blocks[b2] = ActivationBlock(scale: q2.scale, sumBits: sums[8], firstHalfBits: firstSums[8])
      blocks[b3] = ActivationBlock(
        scale: q3.scale, sumBits: sums[12], firstHalfBits: firstSums[12])
      block &+= 4
    }
  }
}

/// The larger magnitudes of the halves of a block.
@inlinable @inline(__always)
func magnitudes<I: VectorISA>(_ isa: I.Type, _ x: UnsafePointer<Float>, _ block: Int) -> I.Floats {
  let x = x + block &* 32
  return I.maximum(I.magnitude(I.load(x)), I.magnitude(I.load(x + 16)))
}

/// Writes the quants of a block.
///
/// - Returns: its scale, and the quants, not split in planes.
@inlinable @inline(__always)
func quantizeBlock<I: VectorISA, P: Planes>(
  _ isa: I.Type, _ planes: P.Type, _ x: UnsafePointer<Float>, _ block: Int, _ largest: Float,
  _ limit: Float, _ quants: UnsafeMutablePointer<Int8>
) -> (scale: Float, first: I.Ints, second: I.Ints) {
  // Below this the reciprocal overflows; such a block is zero to float32's precision.
  let inverse = I.splat(largest > 1e-30 ? limit / largest : 0)
  let scale = largest > 1e-30 ? largest / limit : 0
  let first = I.round(I.multiply(I.load(x + block &* 32), inverse))
  let second = I.round(I.multiply(I.load(x + (block &* 32 &+ 16)), inverse))
  let target = UnsafeMutableRawPointer(quants + block &* (P.isWide ? 64 : 32))
  if P.isWide {
    let firstHigh = I.highPlane(first)
    let secondHigh = I.highPlane(second)
    I.storeLowBytes(firstHigh, target)
    I.storeLowBytes(secondHigh, target + 16)
    // quant - 128 * high, modulo 256: within -64 to 63.
    I.storeLowBytes(I.add(first, I.shiftLeft(firstHigh, 7)), target + 32)
    I.storeLowBytes(I.add(second, I.shiftLeft(secondHigh, 7)), target + 48)
  } else {
    I.storeLowBytes(first, target)
    I.storeLowBytes(second, target + 16)
  }
  return (scale, first, second)
}
