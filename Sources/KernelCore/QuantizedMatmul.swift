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
  let blocks = input.blockCount
  let panelBytes = F.panelBytes(blocks: blocks)
  // Several tiles read a panel several times: then it is unpacked for all of them. Two tiles are faster without,
  // because the first one asks for the next panel while it computes; but not of rows that have to be interleaved.
  guard F.isPacked, tokens > (F.looksAhead ? largestTile : 2 &* largestTile) else {
    for panel in panels {
      quantizedPanel(
        isa, format, planes, largestTile: largestTile, weights + panel &* panelBytes, input,
        tokens, output, panel)
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
        isa, UnpackedPanel<F>.self, planes, largestTile: largestTile, scratch, input, tokens,
        output, panel)
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
  while token < tokens {
    let room = input.together(from: token, limit: tokens &- token)
    if largestTile >= 8, room >= 8 {
      quantizedTile(
        isa, format, planes, Tile8<I.Floats>.self, Tile8<I.Ints>.self, weights, input, token,
        output, panel)
      token &+= 8
    } else if largestTile >= 4, room >= 4 {
      quantizedTile(
        isa, format, planes, Tile4<I.Floats>.self, Tile4<I.Ints>.self, weights, input, token,
        output, panel)
      token &+= 4
    } else if room >= 2 {
      quantizedTile(
        isa, format, planes, Tile2<I.Floats>.self, Tile2<I.Ints>.self, weights, input, token,
        output, panel)
      token &+= 2
    } else {
      quantizedTile(
        isa, format, planes, Single<I.Floats>.self, Single<I.Ints>.self, weights, input, token,
        output, panel)
      token &+= 1
    }
  }
}

/// One panel times one tile of tokens, which are of one group.
@inlinable @inline(__always)
func quantizedTile<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, _ tile: T.Type, _ dotTile: D.Type,
  _ weights: UnsafeRawPointer, _ input: ActivationRows, _ token: Int, _ output: OutputRows,
  _ panel: Int
) where T.Element == I.Floats, D.Element == I.Ints {
  let place = ActivationRows.place(
    row: input.first &+ token, group: input.group, blockCount: input.blockCount)
  var record = input.records + place &* P.recordBytes
  let stride = F.stride(blocks: input.blockCount)

  // The first tile of several tokens computes for so long that memory would be idle: it asks for the next
  // panel, a block with each block. Fewer tokens ask for what is a page ahead. (Not where blocks are larger; behind
  // the last panel nothing is lost.)
  let next = weights + (T.count >= 4 ? F.panelBytes(blocks: input.blockCount) : 4096)
  let ahead = token == 0 && !F.looksAhead ? F.panelBytes(blocks: 1) : 0

  var sums = T(repeating: I.splat(Float(0)))
  var dots = D(repeating: I.splat(Int32(0)))
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
    let record0 = record
    @inline(__always) func about(_ index: Int) -> UnsafePointer<ActivationBlock> {
      (record0 + (index &* P.recordBytes &+ P.quantBytes))
        .assumingMemoryBound(to: ActivationBlock.self)
    }
    /// The first plane's quants from column `column` on, or the second's.
    @inline(__always) func quants(_ column: Int, plane: Int) -> UnsafeRawPointer {
      record0 + (column &+ plane &* 32)
    }

    if F.hasHalfScales {
      if P.isWide {
        dots = D(repeating: I.splat(Int32(0)))
        I.dot(&dots, first, quants(0, plane: 0), step: P.recordBytes, bits: F.bits)
        dots.forEach { index, dot in
          dot = I.add(I.shiftLeft(dot, 7), I.splat(about(index).pointee.firstHalfOffset128))
        }
      } else {
        dots.forEach { index, dot in dot = I.splat(about(index).pointee.firstHalfOffset128) }
      }
      I.dot(&dots, first, quants(0, plane: P.isWide ? 1 : 0), step: P.recordBytes, bits: F.bits)
      sums.forEach { index, sum in
        let scale = I.multiply(scales, I.splat(about(index).pointee.scale))
        sum = I.fma(I.convert(dots[index]), scale, sum)
      }
      @inline(__always) func rest(_ index: Int) -> I.Ints {
        let about = about(index)
        return I.splat(about.pointee.offset128 &- about.pointee.firstHalfOffset128)
      }
      if P.isWide {
        dots = D(repeating: I.splat(Int32(0)))
        I.dot(&dots, second, quants(16, plane: 0), step: P.recordBytes, bits: F.bits)
        dots.forEach { index, dot in dot = I.add(I.shiftLeft(dot, 7), rest(index)) }
      } else {
        dots.forEach { index, dot in dot = rest(index) }
      }
      I.dot(&dots, second, quants(16, plane: P.isWide ? 1 : 0), step: P.recordBytes, bits: F.bits)
      let secondScales = F.secondScales(isa, weights, stride, block)
      sums.forEach { index, sum in
        let scale = I.multiply(secondScales, I.splat(about(index).pointee.scale))
        sum = I.fma(I.convert(dots[index]), scale, sum)
      }
    } else {
      if P.isWide {
        dots = D(repeating: I.splat(Int32(0)))
        I.dot(&dots, first, quants(0, plane: 0), step: P.recordBytes, bits: F.bits)
        I.dot(&dots, second, quants(16, plane: 0), step: P.recordBytes, bits: F.bits)
        dots.forEach { index, dot in
          dot = I.add(I.shiftLeft(dot, 7), offset(isa, format, about(index)))
        }
      } else {
        dots.forEach { index, dot in dot = offset(isa, format, about(index)) }
      }
      I.dot(&dots, first, quants(0, plane: P.isWide ? 1 : 0), step: P.recordBytes, bits: F.bits)
      I.dot(&dots, second, quants(16, plane: P.isWide ? 1 : 0), step: P.recordBytes, bits: F.bits)
      let minimums = F.minimums(isa, weights, stride, block)
      sums.forEach { index, sum in
        let scale = I.multiply(scales, I.splat(about(index).pointee.scale))
        sum = I.fma(I.convert(dots[index]), scale, sum)
        if F.hasMinimums {
          sum = I.fma(minimums, I.splat(about(index).pointee.scaledSum), sum)
        }
      }
    }
    record += input.group &* P.recordBytes
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
