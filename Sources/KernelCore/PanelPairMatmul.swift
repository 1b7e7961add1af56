/// What a kernel needs of an instruction set to multiply two panels with what it reads of activations once: for sets
/// whose registers hold the sums of both.
public protocol PanelPairISA: VectorISA {
  /// As `dot` of a whole block in one plane, of two panels.
  ///
  /// - Parameters:
  ///   - sums: of each token those of the first panel and of the second.
  ///   - vector: gives the vectors of both that have columns 4s to 4s+3 of the block.
  static func dot<T: TokenTile>(
    _ sums: inout T, _ vector: (Int) -> (Bytes, Bytes), _ activations: UnsafeRawPointer, step: Int
  ) where T.Element == (Ints, Ints)
}

/// As `quantizedMatmul`, with the same bits: of many tokens four and two panels at a time, where each block has one scale
/// that is not multiplied with that of the next one (`PairedMatmul`).
///
/// Where two loads and two products go in a cycle, a tile of one panel has as many loads as products, and those of scales
/// and offsets beside them (docs/performance.md, "Loads").
@inlinable @inline(__always)
public func panelPairMatmul<I: PanelPairISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int, readsInOrder: Bool,
  weights: UnsafeRawPointer, panels: Range<Int>, input: ActivationRows, tokens: Int,
  output: OutputRows, ahead: UnsafeMutablePointer<ReadAhead>?
) {
  let blocks = input.blockCount
  let panelBytes = F.panelBytes(blocks: blocks)
  var panel = panels.lowerBound
  // Fewer wait for memory, and two long panels, read by several tiles, are more than the L1 has. Of two planes one tile of
  // the other kernel is enough to gain.
  let leastTokens = F.isPacked || !P.isWide ? 2 &* largestTile &+ 1 : largestTile
  if tokens >= leastTokens, !F.hasHalfScales, P.isWide || !F.hasShortScales {
    let unpackedBytes = F.isPacked ? UnpackedPanel<F>.panelBytes(blocks: blocks) : 0
    withUnsafeTemporaryAllocation(
      byteCount: max(1, 2 &* unpackedBytes), alignment: PanelGeometry.stepBytes
    ) { scratch in
      let scratch = scratch.baseAddress.unsafelyUnwrapped
      while panel &+ 1 < panels.upperBound {
        let first = weights + panel &* panelBytes
        if F.isPacked {
          unpack(isa, format, first, blocks: blocks, into: scratch)
          unpack(isa, format, first + panelBytes, blocks: blocks, into: scratch + unpackedBytes)
          panelPair(
            isa, UnpackedPanel<F>.self, planes, scratch, input, tokens, output, panel, ahead)
        } else {
          panelPair(isa, format, planes, first, input, tokens, output, panel, ahead)
        }
        panel &+= 2
      }
    }
  }
  guard panel < panels.upperBound else { return }
  quantizedMatmul(
    isa, format, planes, largestTile: largestTile, readsInOrder: readsInOrder, weights: weights,
    panels: panel..<panels.upperBound, input: input, tokens: tokens, output: output, ahead: ahead)
}

/// Two panels, one behind the other, times all tokens.
@inlinable @inline(__always)
func panelPair<I: PanelPairISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, _ weights: UnsafeRawPointer,
  _ input: ActivationRows, _ tokens: Int, _ output: OutputRows, _ panel: Int,
  _ ahead: UnsafeMutablePointer<ReadAhead>?
) {
  var token = 0
  while token < tokens {
    @inline(__always) func compute<T: TokenTile, D: TokenTile>(_ tile: T.Type, _ dotTile: D.Type)
    where T.Element == (I.Floats, I.Floats), D.Element == (I.Ints, I.Ints) {
      panelPairTile(
        isa, format, planes, tile, dotTile, weights, input, token, tokens, output, panel, ahead)
      token &+= T.count
    }
    let left = input.together(from: token, limit: tokens &- token)
    if left >= 4 {
      compute(Tile4<(I.Floats, I.Floats)>.self, Tile4<(I.Ints, I.Ints)>.self)
    } else if left >= 2 {
      compute(Tile2<(I.Floats, I.Floats)>.self, Tile2<(I.Ints, I.Ints)>.self)
    } else {
      compute(Single<(I.Floats, I.Floats)>.self, Single<(I.Ints, I.Ints)>.self)
    }
  }
}

/// Two panels times one tile of tokens, which are of one group.
@inlinable @inline(__always)
func panelPairTile<I: PanelPairISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, _ tile: T.Type, _ dotTile: D.Type,
  _ weights: UnsafeRawPointer, _ input: ActivationRows, _ token: Int, _ tokens: Int,
  _ output: OutputRows, _ panel: Int, _ ahead: UnsafeMutablePointer<ReadAhead>?
) where T.Element == (I.Floats, I.Floats), D.Element == (I.Ints, I.Ints) {
  let blocks = input.blockCount
  let place = ActivationRows.place(
    row: input.first &+ token, group: input.group, blockCount: blocks)
  var records = TileRecords<P>(
    quants: input.records + place &* P.recordBytes, blockBytes: input.group &* P.recordBytes)
  let stride = F.stride(blocks: blocks)
  let panelBytes = F.panelBytes(blocks: blocks)
  let other = weights + panelBytes
  let units = (
    F.scaleUnits(isa, weights, stride, blocks: blocks),
    F.scaleUnits(isa, other, stride, blocks: blocks)
  )
  // The first tile asks for the next panel and the second for the one behind it, a block with each block; the first one
  // also for what comes after the product.
  let blockBytes = F.looksAhead ? 0 : F.averageBlockBytes
  let next = other + (token == 0 ? panelBytes : 2 &* panelBytes)
  let lines = token <= T.count ? 0..<blockBytes : 0..<0
  let later = token == 0 ? ahead?.pointee.take(blocks: 2 &* blocks) : nil
  let (laterStart, laterRate) = later ?? (weights, 0)
  // Results of many tokens are more than the L2 holds, and would be waited for.
  if tokens > 16 {
    for index in 0..<T.count {
      output.prefetch(isa, token: token &+ index, panel: panel)
      output.prefetch(isa, token: token &+ index, panel: panel &+ 1)
    }
  }

  let zero = I.splat(Int32(0))
  var sums = T(repeating: (I.splat(Float(0)), I.splat(Float(0))))
  var block = 0
  while block < blocks {
    prefetch(isa, next + block &* blockBytes, lines)
    prefetchForLater(isa, laterStart + 2 &* block &* laterRate, 2 &* laterRate)
    @inline(__always) func vector(_ step: Int) -> (I.Bytes, I.Bytes) {
      (
        stepVector(isa, format, weights, stride, block, step),
        stepVector(isa, format, other, stride, block, step)
      )
    }
    var dots = D(repeating: (zero, zero))
    dots.forEach { index, dot in
      let start = offset(isa, format, planes, records.about(index))
      dot = (start, start)
    }
    if P.isWide {
      var high = D(repeating: (zero, zero))
      I.dot(&high, vector, records.quants, step: P.recordBytes)
      I.dot(&dots, vector, records.quants + PanelGeometry.blockColumns, step: P.recordBytes)
      dots.forEach { index, dot in
        dot = (
          I.add(I.shiftLeft(high[index].0, 7), dot.0), I.add(I.shiftLeft(high[index].1, 7), dot.1)
        )
      }
    } else {
      I.dot(&dots, vector, records.quants, step: P.recordBytes)
    }
    let scales = (
      F.scales(isa, weights, stride, block, units: units.0),
      F.scales(isa, other, stride, block, units: units.1)
    )
    sums.forEach { index, sum in
      let scale = I.splat(records.about(index).pointee.scale)
      sum = (
        I.fma(I.convert(dots[index].0), I.multiply(scales.0, scale), sum.0),
        I.fma(I.convert(dots[index].1), I.multiply(scales.1, scale), sum.1)
      )
    }
    if F.hasMinimums {
      let minimums = (
        F.minimums(isa, weights, stride, block), F.minimums(isa, other, stride, block)
      )
      sums.forEach { index, sum in
        let scaledSum = I.splat(records.about(index).pointee.scaledSum)
        sum = (I.fma(minimums.0, scaledSum, sum.0), I.fma(minimums.1, scaledSum, sum.1))
      }
    }
    records = records.next
    block &+= 1
  }

  if !P.isWide, let outliers = input.outliers {
    // Only now: the first tile has just brought the panels to the cache.
    if token == 0 {
      readColumns(isa, outliers, into: outliers.table) {
        F.column(isa, weights, stride, $0 &>> 5, $0 & 31, units: units.0)
      }
      readColumns(isa, outliers, into: outliers.otherTable) {
        F.column(isa, other, stride, $0 &>> 5, $0 & 31, units: units.1)
      }
    }
    addOutliers(isa, outliers, token, &sums)
  }
  sums.forEach { index, sum in
    output.write(isa, sum.0, token: token &+ index, panel: panel)
    output.write(isa, sum.1, token: token &+ index, panel: panel &+ 1)
  }
}

/// Columns 4s to 4s+3 of a block.
@inlinable @inline(__always)
func stepVector<I: VectorISA, F: PanelFormat>(
  _ isa: I.Type, _ format: F.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int,
  _ step: Int
) -> I.Bytes {
  let half =
    step < 4
    ? F.firstHalf(isa, panel, stride, block) : F.secondHalf(isa, panel, stride, block)
  return switch step & 3 {
  case 0: half.0
  case 1: half.1
  case 2: half.2
  default: half.3
  }
}
