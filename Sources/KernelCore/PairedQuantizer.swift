/// Quantizes a row of `blockCount` blocks of 32 floats in one plane, less its outliers, as `quantizeRow` does, to the same
/// quants and scales; but as four-bit weights read them.
///
/// - Parameters:
///   - x: as it was, afterwards; nobody else reads it meanwhile.
///   - tile: the row's tile of `PairedActivations`, and
///   - place: which of its tokens the row is.
///   - outliers: where those of the row go, `Outlier.mostPerRow`.
@inlinable @inline(__always)
public func quantizePairedRow<I: PairedISA>(
  _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, blockCount: Int,
  tile: UnsafeMutableRawPointer, place: Int, outliers: UnsafeMutablePointer<Outlier>
) {
  withLargest(isa, x, blockCount: blockCount) { largest in
    takeOutliers(isa, x, blockCount: blockCount, largest, into: outliers)
    quantizePairs(isa, x, blockCount: blockCount, largest, tile, place)
  }
  putBack(outliers, x)
}

/// Quantizes blocks, two pairs at a time.
///
/// - Parameter largest: of each block the largest magnitude, and zeros up to a whole number of vectors.
@inlinable @inline(__always)
func quantizePairs<I: PairedISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, blockCount: Int, _ largest: UnsafePointer<Float>,
  _ tile: UnsafeMutableRawPointer, _ place: Int
) {
  let lanes = PanelGeometry.rows
  let scaling = BlockScaling(
    isa, largest, blockCount: blockCount, limit: ActivationPrecision.narrowLimit)
  tile.assumingMemoryBound(to: Float.self)[place] = scaling.productUnit
  let firstPair = tile + PairedActivations.unitBytes
  // Rows of many tokens are more than the L2 holds. A tile's lie one behind the other, but those of the next tile may be
  // written by another thread.
  let next = place < PairedActivations.tile &- 1 ? x + blockCount &* PanelGeometry.blockColumns : x
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * lanes + 4) { room in
    let inverses = room.baseAddress.unsafelyUnwrapped
    let shortScales = inverses + lanes
    let sums = shortScales + lanes
    var start = 0
    while start < blockCount {
      scaling.store(isa, I.load(largest + start), inverses: inverses, shortScales: shortScales)
      let last = min(lanes, blockCount &- start) &- 1
      let x = x + start &* PanelGeometry.blockColumns
      @inline(__always) func quants(_ block: Int) -> (I.Ints, I.Ints) {
        let values = x + block &* PanelGeometry.blockColumns
        let inverse = I.splat(inverses[block])
        return (
          I.round(I.multiply(I.load(values), inverse)),
          I.round(I.multiply(I.load(values + 16), inverse))
        )
      }
      @inline(__always)
      func write(
        _ block: Int, _ a: (I.Ints, I.Ints), _ b: (I.Ints, I.Ints), _ sums: UnsafePointer<Float>
      ) {
        let pair = firstPair + (start &+ block) / 2 &* PairedActivations.pairBytes
        I.storePair(a, b, pair + place &* PairedActivations.tokenBytes)
        UnsafeMutablePointer(mutating: PairedActivations.blocks(pair, place)).pointee =
          PairedBlocks(
            sums: Int32(bitPattern: sums[0].bitPattern), Int32(bitPattern: sums[1].bitPattern),
            shortScales: shortScales[block].bitPattern
              | shortScales[block | 1].bitPattern &<< 16)
      }
      var block = 0
      while block <= last {
        prefetch(isa, next + (start &+ block) &* PanelGeometry.blockColumns, 0..<512)
        // The last block again, where there are no four.
        let (a, b) = (quants(block), quants(min(block &+ 1, last)))
        let (c, d) = (quants(min(block &+ 2, last)), quants(min(block &+ 3, last)))
        I.storeFourths(
          I.bits(
            I.sumOfEach(I.add(a.0, a.1), I.add(b.0, b.1), I.add(c.0, c.1), I.add(d.0, d.1))),
          sums)
        write(block, a, b, sums)
        if block &+ 2 <= last { write(block &+ 2, c, d, sums + 2) }
        block &+= 4
      }
      start &+= lanes
    }
  }
}
