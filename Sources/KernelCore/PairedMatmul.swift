/// What a kernel needs of an instruction set to multiply two blocks of four-bit weights at a time (`ShortScales`) with what
/// it reads interleaved: some columns of a block, and the same ones of the next block.
///
/// A sum of a block's 32 products is within ±32512 once the quants' offset is taken off.
public protocol PairedISA: VectorISA {
  /// Two sums of each of 16 rows, one of each block.
  associatedtype PairSums

  /// Interleaves four columns of a block with those of another: a step, of two vectors.
  static func interleave(_ a: Bytes, _ b: Bytes) -> (Bytes, Bytes)
  /// Undoes it.
  static func deinterleave(_ first: Bytes, _ second: Bytes) -> (Bytes, Bytes)
  /// Stores the 32 activations of a block and those of the next one, interleaved in the same way: 64 bytes.
  static func storePair(
    _ a: (Ints, Ints), _ b: (Ints, Ints), _ pointer: UnsafeMutableRawPointer)
  /// Sums that begin with the offsets of both blocks.
  static func first(_ blocks: UnsafePointer<PairedBlocks>) -> PairSums
  /// Adds the products of a step's unsigned quants with activations of each token.
  ///
  /// - Parameters:
  ///   - vector: gives the step's two vectors.
  ///   - activations: eight interleaved int8, of the first token.
  ///   - distance: bytes from one token's activations to the next one's, a constant of the caller.
  static func addStep<T: TokenTile>(
    _ sums: inout T, _ vector: (Int) -> Bytes, _ activations: UnsafeRawPointer, distance: Int
  ) where T.Element == PairSums
  /// `sum`, and a row's two sums, each times its scale, as `VectorISA.addScaled` has it.
  static func addScaled(_ sum: Ints, _ sums: PairSums, _ scales: Bytes, by pair: UInt32) -> Ints
}

/// As `quantizedMatmul` in one plane, with the same bits, for many tokens: each panel is interleaved before it is
/// multiplied.
///
/// - Parameters:
///   - largestTile: four or eight tokens.
///   - input: `PairedActivations`.
@inlinable @inline(__always)
public func unpackingPairedMatmul<I: PairedISA, F: PanelFormat>(
  _ isa: I.Type, _ format: F.Type, largestTile: Int, weights: UnsafeRawPointer,
  panels: Range<Int>, input: ActivationRows, tokens: Int, output: OutputRows
) {
  let blocks = input.blockCount
  let panelBytes = F.panelBytes(blocks: blocks)
  withUnsafeTemporaryAllocation(
    byteCount: PairedPanel.bytes(pairs: (blocks &+ 1) / 2), alignment: PanelGeometry.stepBytes
  ) { scratch in
    let unpacked = scratch.baseAddress.unsafelyUnwrapped
    for panel in panels {
      let packed = weights + panel &* panelBytes
      PairedPanel.unpack(isa, format, packed, blocks: blocks, into: unpacked)
      let units = I.load(unpacked.assumingMemoryBound(to: Float.self))
      // The next panel is asked for, but not of the file's rows (`lookAhead`).
      pairedPanel(
        isa, PairedPanel.self, largestTile: largestTile, unpacked, units: units, input,
        tokens, output, panel, asking: packed + panelBytes,
        pairBytes: F.looksAhead ? 0 : 2 &* F.averageBlockBytes, ahead: nil
      ) { PairedPanel.column(isa, unpacked, $0, units: units) }
    }
  }
}

/// The same for one or two tiles, which do not pay for unpacking.
///
/// - Parameter ahead: as of `quantizedMatmul`.
@inlinable @inline(__always)
public func pairedMatmul<I: PairedISA>(
  _ isa: I.Type, largestTile: Int, weights: UnsafeRawPointer, panels: Range<Int>,
  input: ActivationRows, tokens: Int, output: OutputRows, ahead: UnsafeMutablePointer<ReadAhead>?
) {
  typealias Format = FourBitPanel
  let blocks = input.blockCount
  let panelBytes = Format.panelBytes(blocks: blocks)
  let stride = Format.stride(blocks: blocks)
  for panel in panels {
    let packed = weights + panel &* panelBytes
    let units = Format.scaleUnits(isa, packed, stride, blocks: blocks)
    pairedPanel(
      isa, Format.self, largestTile: largestTile, packed, units: units, input, tokens,
      output, panel, asking: packed + panelBytes,
      pairBytes: 2 &* Format.averageBlockBytes, ahead: ahead
    ) { Format.column(isa, packed, stride, $0 &>> 5, $0 & 31, units: units) }
  }
}

/// One panel times all tokens, in tiles.
///
/// - Parameters:
///   - next: the next panel, which the first two tiles ask for, `pairBytes` with each two blocks.
///   - column: the panel's weights in a column.
@inlinable @inline(__always)
func pairedPanel<I: PairedISA, W: PairedWeights>(
  _ isa: I.Type, _ format: W.Type, largestTile: Int, _ weights: UnsafeRawPointer,
  units: I.Floats, _ input: ActivationRows, _ tokens: Int, _ output: OutputRows, _ panel: Int,
  asking next: UnsafeRawPointer, pairBytes: Int,
  ahead: UnsafeMutablePointer<ReadAhead>?, column: (Int) -> I.Floats
) {
  var token = 0
  while token < tokens {
    // A tile is within one of the activations' tiles.
    let left = input.together(from: token, limit: tokens &- token)
    @inline(__always)
    func compute<T: TokenTile, D: TokenTile, N: TokenTile>(
      _ tile: T.Type, _ dotTile: D.Type, _ totalTile: N.Type
    ) where T.Element == I.Floats, D.Element == I.PairSums, N.Element == I.Ints {
      // One tile asks for all of it.
      let firstShare = tokens > T.count ? (pairBytes / 2 &+ 63) & ~63 : pairBytes
      let lines =
        token == 0 ? 0..<firstShare : token == T.count ? firstShare..<pairBytes : 0..<0
      pairedTile(
        isa, format, tile, dotTile, totalTile, weights, units: units, input, token, output,
        panel, asking: next, pairBytes: pairBytes, lines, ahead: token == 0 ? ahead : nil,
        column: column)
      token &+= T.count
    }
    if largestTile >= 8, left >= 8 {
      compute(Tile8<I.Floats>.self, Tile8<I.PairSums>.self, Tile8<I.Ints>.self)
    } else if left >= 4 {
      compute(Tile4<I.Floats>.self, Tile4<I.PairSums>.self, Tile4<I.Ints>.self)
    } else if left >= 2 {
      compute(Tile2<I.Floats>.self, Tile2<I.PairSums>.self, Tile2<I.Ints>.self)
    } else {
      compute(Single<I.Floats>.self, Single<I.PairSums>.self, Single<I.Ints>.self)
    }
  }
}

/// A panel times a tile of tokens, all of one tile of `activations`.
@inlinable @inline(__always)
func pairedTile<I: PairedISA, W: PairedWeights, T: TokenTile, D: TokenTile, N: TokenTile>(
  _ isa: I.Type, _ format: W.Type, _ tile: T.Type, _ dotTile: D.Type, _ totalTile: N.Type,
  _ weights: UnsafeRawPointer, units: I.Floats,
  _ input: ActivationRows, _ token: Int, _ output: OutputRows, _ panel: Int,
  asking next: UnsafeRawPointer, pairBytes: Int, _ lines: Range<Int>,
  ahead: UnsafeMutablePointer<ReadAhead>?,
  column: (Int) -> I.Floats
) where T.Element == I.Floats, D.Element == I.PairSums, N.Element == I.Ints {
  let blocks = input.blockCount
  var totals = N(repeating: I.splat(Int32(0)))
  // Results may be more than the L2 holds, and would be waited for.
  totals.forEach { index, _ in output.prefetch(isa, token: token &+ index, panel: panel) }
  var next = next
  let later = T.count >= 8 ? ahead?.pointee.take(blocks: blocks) : nil
  let (laterStart, laterRate) = later ?? (weights, 0)
  var records = PairedRecords(input, token: token)
  var vectors = weights + W.unitBytes
  var block = 0
  while block < blocks {
    prefetch(isa, next, lines)
    next += pairBytes
    if T.count >= 8 {
      prefetchForLater(isa, laterStart + block &* laterRate, 2 &* laterRate)
    }
    var dots = D(repeating: I.first(records.about))
    dots.forEach { index, dot in dot = I.first(records.about + index) }
    W.forEachStep(isa, vectors, isWhole: block &+ 1 < blocks) { step, vector in
      I.addStep(
        &dots, vector, records.quants + 8 &* step, distance: PairedActivations.tokenBytes)
    }
    let scales = I.loadBytes(vectors)
    totals.forEach { index, total in
      total = I.addScaled(total, dots[index], scales, by: records.about[index].shortScales)
    }
    vectors += W.pairBytes
    records.advance()
    block &+= 2
  }
  var sums = T(repeating: I.splat(Float(0)))
  sums.forEach { index, sum in
    sum = I.multiply(
      I.multiply(I.convert(totals[index]), I.splat(records.productUnits[index])), units)
  }
  if let outliers = input.outliers {
    // Only now: the first tile has just brought the panel to the cache.
    if token == 0 { readColumns(isa, outliers, into: outliers.table, column) }
    addOutliers(isa, outliers, token, &sums)
  }
  sums.forEach { index, sum in
    output.write(isa, sum, token: token &+ index, panel: panel)
  }
}
