/// What a kernel needs of an instruction set to multiply two panels at a time with what `PairedISA` reads interleaved.
public protocol PairedPanelPairISA: PairedISA {
  /// As `addStep` of one panel, of two.
  ///
  /// - Parameters:
  ///   - sums: of each token those of the first panel and of the second.
  ///   - vector: gives the step's vectors of either panel, 0 and 1 of the first and 2 and 3 of the second.
  static func addStep<T: TokenTile>(
    _ sums: inout T, _ vector: (Int) -> Bytes, _ activations: UnsafeRawPointer, distance: Int
  ) where T.Element == (PairSums, PairSums)
}

/// As `unpackingPairedMatmul`, with the same bits: two panels and four tokens at a time.
///
/// A tile of one panel and eight tokens has ten loads for 16 products, and those of scales and offsets beside them; this
/// one has eight (docs/performance.md, "Two products and one load").
@inlinable @inline(__always)
public func unpackingPanelPairMatmul<I: PairedPanelPairISA, F: PanelFormat>(
  _ isa: I.Type, _ format: F.Type, weights: UnsafeRawPointer, panels: Range<Int>,
  input: ActivationRows, tokens: Int, output: OutputRows
) {
  let blocks = input.blockCount
  let panelBytes = F.panelBytes(blocks: blocks)
  let unpackedBytes = PairedPanel.bytes(pairs: (blocks &+ 1) / 2)
  let asked = F.looksAhead ? 0 : 2 &* F.averageBlockBytes
  var panel = panels.lowerBound
  withUnsafeTemporaryAllocation(
    byteCount: 2 &* unpackedBytes, alignment: PanelGeometry.stepBytes
  ) { scratch in
    let unpacked = scratch.baseAddress.unsafelyUnwrapped
    while panel &+ 1 < panels.upperBound {
      let packed = weights + panel &* panelBytes
      // Neither asks for the next ones: the first two tiles do.
      PairedPanel.unpack(isa, format, packed, blocks: blocks, into: unpacked)
      PairedPanel.unpack(
        isa, format, packed + panelBytes, blocks: blocks, into: unpacked + unpackedBytes)
      var token = 0
      while token < tokens {
        @inline(__always)
        func compute<T: TokenTile, D: TokenTile, N: TokenTile>(
          _ tile: T.Type, _ dotTile: D.Type, _ totalTile: N.Type
        )
        where
          T.Element == (I.Floats, I.Floats), D.Element == (I.PairSums, I.PairSums),
          N.Element == (I.Ints, I.Ints)
        {
          pairedPanelPairTile(
            isa, tile, dotTile, totalTile, unpacked, unpackedBytes, input, token, output, panel,
            asking: packed + (token == 0 ? 2 : 3) &* panelBytes,
            pairBytes: token <= T.count ? asked : 0)
          token &+= T.count
        }
        let left = input.together(from: token, limit: tokens &- token)
        if left >= 4 {
          compute(
            Tile4<(I.Floats, I.Floats)>.self, Tile4<(I.PairSums, I.PairSums)>.self,
            Tile4<(I.Ints, I.Ints)>.self)
        } else if left >= 2 {
          compute(
            Tile2<(I.Floats, I.Floats)>.self, Tile2<(I.PairSums, I.PairSums)>.self,
            Tile2<(I.Ints, I.Ints)>.self)
        } else {
          compute(
            Single<(I.Floats, I.Floats)>.self, Single<(I.PairSums, I.PairSums)>.self,
            Single<(I.Ints, I.Ints)>.self)
        }
      }
      panel &+= 2
    }
  }
  guard panel < panels.upperBound else { return }
  unpackingPairedMatmul(
    isa, format, largestTile: 8, weights: weights, panels: panel..<panels.upperBound,
    input: input, tokens: tokens, output: output)
}

/// Two unpacked panels (`PairedPanel`) times a tile of tokens, all of one tile of `PairedActivations`.
///
/// - Parameters:
///   - weights: the first panel.
///   - distance: bytes from there to the second one.
///   - next: what to ask for, `pairBytes` with each two blocks.
@inlinable @inline(__always)
func pairedPanelPairTile<I: PairedPanelPairISA, T: TokenTile, D: TokenTile, N: TokenTile>(
  _ isa: I.Type, _ tile: T.Type, _ dotTile: D.Type, _ totalTile: N.Type,
  _ weights: UnsafeRawPointer, _ distance: Int, _ input: ActivationRows, _ token: Int,
  _ output: OutputRows, _ panel: Int, asking next: UnsafeRawPointer, pairBytes: Int
)
where
  T.Element == (I.Floats, I.Floats), D.Element == (I.PairSums, I.PairSums),
  N.Element == (I.Ints, I.Ints)
{
  let blocks = input.blockCount
  let zero = I.splat(Int32(0))
  var totals = N(repeating: (zero, zero))
  // Results may be more than the L2 holds, and would be waited for.
  totals.forEach { index, _ in
    output.prefetch(isa, token: token &+ index, panel: panel)
    output.prefetch(isa, token: token &+ index, panel: panel &+ 1)
  }
  var records = PairedRecords(input, token: token)
  var vectors = weights + PairedPanel.unitBytes
  var next = next
  var block = 0
  while block < blocks {
    prefetch(isa, next, 0..<pairBytes)
    next += pairBytes
    let start = I.first(records.about)
    var dots = D(repeating: (start, start))
    dots.forEach { index, dot in
      let start = I.first(records.about + index)
      dot = (start, start)
    }
    PairedPanel.forEachStep(isa, vectors, isWhole: true) { step, _ in
      let quants = vectors + (PairedPanel.scaleBytes &+ step &* PairedPanel.stepBytes)
      I.addStep(
        &dots,
        { I.loadBytes(quants + ($0 & 1) &* PanelGeometry.stepBytes + ($0 &>> 1) &* distance) },
        records.quants + 8 &* step, distance: PairedActivations.tokenBytes)
    }
    let scales = (I.loadBytes(vectors), I.loadBytes(vectors + distance))
    totals.forEach { index, total in
      let pair = records.about[index].shortScales
      total = (
        I.addScaled(total.0, dots[index].0, scales.0, by: pair),
        I.addScaled(total.1, dots[index].1, scales.1, by: pair)
      )
    }
    vectors += PairedPanel.pairBytes
    records.advance()
    block &+= 2
  }
  let units = (
    I.load(weights.assumingMemoryBound(to: Float.self)),
    I.load((weights + distance).assumingMemoryBound(to: Float.self))
  )
  var sums = T(repeating: (I.splat(Float(0)), I.splat(Float(0))))
  sums.forEach { index, sum in
    let unit = I.splat(records.productUnits[index])
    sum = (
      I.multiply(I.multiply(I.convert(totals[index].0), unit), units.0),
      I.multiply(I.multiply(I.convert(totals[index].1), unit), units.1)
    )
  }
  if let outliers = input.outliers {
    if token == 0 {
      readColumns(isa, outliers, into: outliers.table) {
        PairedPanel.column(isa, weights, $0, units: units.0)
      }
      readColumns(isa, outliers, into: outliers.otherTable) {
        PairedPanel.column(isa, weights + distance, $0, units: units.1)
      }
    }
    addOutliers(isa, outliers, token, &sums)
  }
  sums.forEach { index, sum in
    output.write(isa, sum.0, token: token &+ index, panel: panel)
    output.write(isa, sum.1, token: token &+ index, panel: panel &+ 1)
  }
}
