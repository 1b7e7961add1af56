/// Where a matmul's results go: [token, row], float32.
public struct OutputRows {
  public var values: UnsafeMutablePointer<Float>
  /// Floats from one token's row to the next, a multiple of 16.
  public var stride: Int
  /// Adds to what is there (a residual) instead of replacing it.
  public var accumulates: Bool

  @inlinable
  public init(values: UnsafeMutablePointer<Float>, stride: Int, accumulates: Bool) {
    self.values = values
    self.stride = stride
    self.accumulates = accumulates
  }

  @inlinable @inline(__always)
  func write<I: VectorISA>(_ isa: I.Type, _ value: I.Floats, token: Int, panel: Int) {
    let target = values + (token &* stride &+ panel &* PanelGeometry.rows)
    I.store(accumulates ? I.add(I.load(target), value) : value, target)
  }

  /// Asks for where `write` puts a result.
  @inlinable @inline(__always)
  func prefetch<I: VectorISA>(_ isa: I.Type, token: Int, panel: Int) {
    I.prefetch(values + (token &* stride &+ panel &* PanelGeometry.rows))
  }
}

/// int8 [tokens, columns] x quantized panels -> float32 [tokens, rows].
///
/// Each result is the sum over blocks, in their order, of `fma(integer dot, weight scale * activation scale, sum)`, of
/// four-bit weights the sum over pairs of blocks of an integer (`addPairs`), and then over the token's outliers of
/// `fma(weight, value, sum)`. Integer dots are exact and the order is fixed, so that a token's row does not depend on
/// the other tokens of the batch, on the tile, or on who computes which panel.
///
/// - Parameters:
///   - readsInOrder: as `KernelTable.readsInOrder`; a literal where a set has but one, because to ask for it with
///     each block is 9 % of the instructions of a single token.
///   - ahead: what is read afterwards, which tiles of eight tokens ask for.
@inlinable @inline(__always)
public func quantizedMatmul<I: VectorISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int, readsInOrder: Bool,
  weights: UnsafeRawPointer, panels: Range<Int>,
  input: ActivationRows, tokens: Int, output: OutputRows, ahead: UnsafeMutablePointer<ReadAhead>?
) {
  let blocks = input.blockCount
  let panelBytes = F.panelBytes(blocks: blocks)
  // Several tiles read a panel several times: then it is unpacked for all of them. Two tiles are faster without,
  // because the first one asks for the next panel while it computes; but not of rows that have to be interleaved.
  guard F.isPacked, tokens > (F.looksAhead ? largestTile : 2 &* largestTile) else {
    for panel in panels {
      quantizedPanel(
        isa, format, planes, largestTile: largestTile, readsInOrder: readsInOrder,
        weights + panel &* panelBytes, input, tokens, output, panel, ahead)
    }
    return
  }
  withUnsafeTemporaryAllocation(
    byteCount: UnpackedPanel<F>.panelBytes(blocks: blocks), alignment: PanelGeometry.stepBytes
  ) { scratch in
    let scratch = scratch.baseAddress.unsafelyUnwrapped
    for panel in panels {
      unpack(isa, format, weights + panel &* panelBytes, blocks: blocks, into: scratch)
      quantizedPanel(
        isa, UnpackedPanel<F>.self, planes, largestTile: largestTile, readsInOrder: readsInOrder,
        scratch, input, tokens, output, panel, ahead)
    }
  }
}

/// One panel times all tokens, in tiles.
@inlinable @inline(__always)
func quantizedPanel<I: VectorISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int, readsInOrder: Bool,
  _ weights: UnsafeRawPointer, _ input: ActivationRows, _ tokens: Int, _ output: OutputRows,
  _ panel: Int, _ ahead: UnsafeMutablePointer<ReadAhead>?
) {
  var token = 0
  while token < tokens {
    let room = input.together(from: token, limit: tokens &- token)
    if largestTile >= 8, room >= 8 {
      quantizedTile(
        isa, format, planes, largestTile: largestTile, readsInOrder: readsInOrder,
        Tile8<I.Floats>.self, Tile8<I.Ints>.self, weights, input, token, tokens, output, panel,
        ahead)
      token &+= 8
    } else if largestTile >= 4, room >= 4 {
      quantizedTile(
        isa, format, planes, largestTile: largestTile, readsInOrder: readsInOrder,
        Tile4<I.Floats>.self, Tile4<I.Ints>.self, weights, input, token, tokens, output, panel,
        ahead)
      token &+= 4
    } else if room >= 2 {
      quantizedTile(
        isa, format, planes, largestTile: largestTile, readsInOrder: readsInOrder,
        Tile2<I.Floats>.self, Tile2<I.Ints>.self, weights, input, token, tokens, output, panel,
        ahead)
      token &+= 2
    } else {
      quantizedTile(
        isa, format, planes, largestTile: largestTile, readsInOrder: readsInOrder,
        Single<I.Floats>.self, Single<I.Ints>.self, weights, input, token, tokens, output, panel,
        ahead)
      token &+= 1
    }
  }
}

/// One panel times one tile of tokens, which are of one group.
@inlinable @inline(__always)
func quantizedTile<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int, readsInOrder: Bool,
  _ tile: T.Type, _ dotTile: D.Type, _ weights: UnsafeRawPointer, _ input: ActivationRows,
  _ token: Int, _ tokens: Int, _ output: OutputRows, _ panel: Int,
  _ ahead: UnsafeMutablePointer<ReadAhead>?
) where T.Element == I.Floats, D.Element == I.Ints {
  let place = ActivationRows.place(
    row: input.first &+ token, group: input.group, blockCount: input.blockCount)
  let records = TileRecords<P>(
    quants: input.records + place &* P.recordBytes, blockBytes: input.group &* P.recordBytes)
  let stride = F.stride(blocks: input.blockCount)

  // Tiles of several tokens compute for so long that memory would be idle: they ask for the next panel, a block with
  // each block; one tile for all of it, of several the first two for a half each. Fewer tokens ask for what is a page
  // ahead, but one and two do not where the processor does that better (`readsInOrder`). (Not where blocks are larger;
  // behind the last panel nothing is lost.)
  let next = weights + (T.count >= 4 ? F.panelBytes(blocks: input.blockCount) : 4096)
  let blockBytes = F.looksAhead || (tokens <= 2 && readsInOrder) ? 0 : F.averageBlockBytes
  let isHalved = T.count >= 4 && tokens >= 2 &* T.count
  let firstShare = isHalved ? (blockBytes / 2 &+ 63) & ~63 : blockBytes
  let lines =
    token == 0
    ? 0..<firstShare : isHalved && token == T.count ? firstShare..<blockBytes : 0..<0

  // The first tile asks for what comes after the product as well; a smaller one has no registers to count with.
  let later =
    T.count >= 8 && token == 0 ? ahead?.pointee.take(blocks: input.blockCount) : nil
  let (laterStart, laterRate) = later ?? (weights, 0)

  let units = F.scaleUnits(isa, weights, stride, blocks: input.blockCount)
  var sums = T(repeating: I.splat(Float(0)))
  // Results of many tokens are more than the L2 holds, and would be waited for.
  if T.count >= 4, tokens > 2 &* largestTile {
    sums.forEach { index, _ in output.prefetch(isa, token: token &+ index, panel: panel) }
  }
  @inline(__always) func askAhead(_ block: Int) {
    F.lookAhead(isa, weights, stride, block)
    prefetch(isa, next + block &* blockBytes, lines)
    if T.count >= 8 {
      prefetchForLater(isa, laterStart + block &* laterRate, laterRate)
    }
  }
  if F.hasShortScales, !P.isWide {
    addPairs(
      isa, format, records, dotTile, weights, stride, units, blocks: input.blockCount, &sums,
      askAhead)
  } else {
    addBlocks(
      isa, format, records, dotTile, weights, stride, units, blocks: input.blockCount, &sums,
      askAhead)
  }

  if !P.isWide, let outliers = input.outliers {
    // Only now: the first tile has just brought the panel to the cache.
    if token == 0 {
      readColumns(isa, outliers, into: outliers.table) {
        F.column(isa, weights, stride, $0 &>> 5, $0 & 31, units: units)
      }
    }
    addOutliers(isa, outliers, token, &sums)
  }
  sums.forEach { index, sum in
    output.write(isa, sum, token: token &+ index, panel: panel)
  }
}

/// Asks for the cache lines of these bytes behind `pointer`, and up to two more: three at a time, because a step of a loop
/// has two instructions beside what it does.
@inlinable @inline(__always)
func prefetch<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer, _ bytes: Range<Int>) {
  var byte = bytes.lowerBound
  while byte < bytes.upperBound {
    I.prefetch(pointer + byte)
    I.prefetch(pointer + (byte &+ 64))
    I.prefetch(pointer + (byte &+ 128))
    byte &+= 192
  }
}

/// The same of this many bytes from `pointer` on, which are not needed at once.
@inlinable @inline(__always)
func prefetchForLater<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer, _ count: Int) {
  var byte = 0
  while byte < count {
    I.prefetchForLater(pointer + byte)
    byte &+= 64
  }
}
