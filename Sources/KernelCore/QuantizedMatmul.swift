/// Quantized activations as a kernel sees them: rows of blocks.
public struct ActivationRows {
  /// int8 [token, block, 32], or [token, block, high 32 then low 32] where wide.
  public var quants: UnsafePointer<Int8>
  /// [token, block].
  public var blocks: UnsafePointer<ActivationBlock>
  /// Blocks of 32 columns in a row.
  public var blockCount: Int
  /// What is multiplied in float32, where rows have such values.
  public var outliers: OutlierRows?

  @inlinable
  public init(
    quants: UnsafePointer<Int8>, blocks: UnsafePointer<ActivationBlock>, blockCount: Int,
    outliers: OutlierRows? = nil
  ) {
    self.quants = quants
    self.blocks = blocks
    self.blockCount = blockCount
    self.outliers = outliers
  }
}

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
}

/// int8 [tokens, columns] x quantized panels -> float32 [tokens, rows].
///
/// Each result is the sum over blocks, in their order, of `fma(integer dot, weight scale *
/// activation scale, sum)`, and then over the token's outliers of `fma(weight, value, sum)`. Integer
/// dots are exact and the order is fixed, so that a token's row does not depend on the other tokens of
/// the batch, on the tile, or on who computes which panel.
@inlinable @inline(__always)
public func quantizedMatmul<I: VectorISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int,
  weights: UnsafeRawPointer, panels: Range<Int>,
  input: ActivationRows, tokens: Int, output: OutputRows
) {
  let panelBytes = F.panelBytes(blocks: input.blockCount)
  var panel = panels.lowerBound
  while panel < panels.upperBound {
    quantizedPanel(
      isa, format, planes, largestTile: largestTile, weights + panel &* panelBytes, input,
      tokens, output, panel)
    panel &+= 1
  }
}

/// As `quantizedMatmul`, of rows as they lie in the file.
@inlinable @inline(__always)
public func rowMatmul<I: VectorISA, F: RowFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int,
  weights: UnsafeRawPointer, panels: Range<Int>,
  input: ActivationRows, tokens: Int, output: OutputRows
) {
  // More than one tile reads a panel more than once: then it is interleaved for all of them.
  guard tokens > largestTile else {
    return quantizedMatmul(
      isa, format, planes, largestTile: largestTile, weights: weights, panels: panels,
      input: input, tokens: tokens, output: output)
  }
  let panelBytes = F.panelBytes(blocks: input.blockCount)
  let scratchBytes = F.Interleaved.panelBytes(blocks: input.blockCount)
  withUnsafeTemporaryAllocation(byteCount: scratchBytes, alignment: 64) { scratch in
    let scratch = scratch.baseAddress.unsafelyUnwrapped
    var panel = panels.lowerBound
    while panel < panels.upperBound {
      F.interleave(
        isa, weights + panel &* panelBytes, blocks: input.blockCount, into: scratch)
      quantizedPanel(
        isa, F.Interleaved.self, planes, largestTile: largestTile, scratch, input, tokens,
        output, panel)
      panel &+= 1
    }
  }
}

/// One panel times all tokens, in tiles.
@inlinable @inline(__always)
func quantizedPanel<I: VectorISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, largestTile: Int, _ weights: UnsafeRawPointer,
  _ input: ActivationRows, _ tokens: Int, _ output: OutputRows, _ panel: Int
) {
  var token = 0
  if largestTile >= 8 {
    while tokens &- token >= 8 {
      quantizedTile(isa, format, planes, Tile8<I.Floats>.self, weights, input, token, output, panel)
      token &+= 8
    }
  }
  if largestTile >= 4 {
    while tokens &- token >= 4 {
      quantizedTile(isa, format, planes, Tile4<I.Floats>.self, weights, input, token, output, panel)
      token &+= 4
    }
  }
  while tokens &- token >= 2 {
    quantizedTile(isa, format, planes, Tile2<I.Floats>.self, weights, input, token, output, panel)
    token &+= 2
  }
  if tokens &- token >= 1 {
    quantizedTile(isa, format, planes, Single<I.Floats>.self, weights, input, token, output, panel)
  }
}

/// One panel times one tile of tokens.
@inlinable @inline(__always)
func quantizedTile<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, _ tile: T.Type,
  _ weights: UnsafeRawPointer, _ input: ActivationRows, _ token: Int, _ output: OutputRows,
  _ panel: Int
) where T.Element == I.Floats {
  let blockBytes = P.isWide ? 64 : 32
  let rowBytes = input.blockCount &* blockBytes
  let rowQuants = UnsafeRawPointer(input.quants) + token &* rowBytes
  let rowBlocks = input.blocks + token &* input.blockCount
  let stride = F.stride(blocks: input.blockCount)

  // The first tile of several tokens computes for so long that memory would be idle: it asks for the next
  // panel, a block with each block. Fewer tokens ask for what is a page ahead. (Not where blocks are larger; behind
  // the last panel nothing is lost.)
  let next = weights + (T.count >= 4 ? F.panelBytes(blocks: input.blockCount) : 4096)
  let ahead = token == 0 && !F.looksAhead ? F.panelBytes(blocks: 1) : 0

  var sums = T(repeating: I.splat(Float(0)))
  var block = 0
  while block < input.blockCount {
    F.lookAhead(isa, weights, stride, block)
    var line = 0
    while line < ahead {
      I.prefetch(next + (block &* ahead &+ line))
      line &+= 64
    }
    let first = F.firstHalf(isa, weights, stride, block)
    let second = F.secondHalf(isa, weights, stride, block)
    let scales = F.scales(isa, weights, stride, block)
    let secondScales = F.secondScales(isa, weights, stride, block)
    let minimums = F.minimums(isa, weights, stride, block)
    let quants = rowQuants + block &* blockBytes
    let blocks = rowBlocks + block

    sums.forEach { index, sum in
      let quants = quants + index &* rowBytes
      let about = blocks + index &* input.blockCount
      if F.hasHalfScales {
        let scale = I.splat(about.pointee.scale)
        let half = about.pointee.firstHalfOffset128
        let a = dotHalf(isa, format, planes, I.splat(half), first, quants)
        let rest = about.pointee.offset128 &- half
        let b = dotHalf(isa, format, planes, I.splat(rest), second, quants + 16)
        sum = I.fma(I.convert(a), I.multiply(scales, scale), sum)
        sum = I.fma(I.convert(b), I.multiply(secondScales, scale), sum)
      } else {
        let start = offset(isa, format, about)
        let dot: I.Ints
        if P.isWide {
          let high = I.dot(
            I.dot(I.splat(Int32(0)), first, quants, bits: F.bits), second, quants + 16,
            bits: F.bits)
          let low = I.dot(
            I.dot(start, first, quants + 32, bits: F.bits), second, quants + 48, bits: F.bits)
          dot = I.add(I.shiftLeft(high, 7), low)
        } else {
          dot = I.dot(
            I.dot(start, first, quants, bits: F.bits), second, quants + 16, bits: F.bits)
        }
        sum = I.fma(I.convert(dot), I.multiply(scales, I.splat(about.pointee.scale)), sum)
        if F.hasMinimums {
          sum = I.fma(minimums, I.splat(about.pointee.scaledSum), sum)
        }
      }
    }
    block &+= 1
  }

  if !P.isWide, let outliers = input.outliers {
    // Only now: the first tile has just brought the panel to the cache.
    if token == 0 { readColumns(isa, format, weights, stride, outliers) }
    addOutliers(isa, outliers, token, &sums)
  }
  sums.forEach { index, sum in
    output.write(isa, sum, token: token &+ index, panel: panel)
  }
}

/// What an unsigned quant's offset contributes: where the sum starts.
@inlinable @inline(__always)
func offset<I: VectorISA, F: PanelFormat>(
  _ isa: I.Type, _ format: F.Type, _ about: UnsafePointer<ActivationBlock>
) -> I.Ints {
  switch F.offsetShift {
  case 3: I.splat(about.pointee.offset8)
  case 4: I.shiftLeft(I.splat(about.pointee.offset8), 1)
  case 7: I.splat(about.pointee.offset128)
  default: I.splat(Int32(0))
  }
}

@inlinable @inline(__always)
func dotHalf<I: VectorISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, _ start: I.Ints,
  _ weights: (I.Bytes, I.Bytes, I.Bytes, I.Bytes), _ quants: UnsafeRawPointer
) -> I.Ints {
  guard P.isWide else { return I.dot(start, weights, quants, bits: F.bits) }
  let high = I.dot(I.splat(Int32(0)), weights, quants, bits: F.bits)
  return I.add(I.shiftLeft(high, 7), I.dot(start, weights, quants + 32, bits: F.bits))
}
