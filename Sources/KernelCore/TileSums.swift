/// The records (`ActivationRows`) of a block of a tile's tokens.
@usableFromInline struct TileRecords<P: Planes> {
  /// The first token's; to the next token it is `P.recordBytes`.
  @usableFromInline var quants: UnsafeRawPointer
  /// From a block to the next one.
  @usableFromInline var blockBytes: Int

  @inlinable @inline(__always)
  init(quants: UnsafeRawPointer, blockBytes: Int) {
    self.quants = quants
    self.blockBytes = blockBytes
  }

  /// What is known of a token's block.
  @inlinable @inline(__always)
  func about(_ token: Int) -> UnsafePointer<ActivationBlock> {
    (quants + (token &* P.recordBytes &+ P.quantBytes))
      .assumingMemoryBound(to: ActivationBlock.self)
  }

  /// Those of the next block.
  @inlinable @inline(__always)
  var next: TileRecords { TileRecords(quants: quants + blockBytes, blockBytes: blockBytes) }
}

/// Adds a panel's products of one plane, two blocks at a time (`ShortScales`): of each pair
/// `dot * ((weight scale * activation scale + 16384) >> 15)`, which are all integers, and so is their sum over a row. Units
/// are multiplied with at the end.
@inlinable @inline(__always)
func addPairs<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ records: TileRecords<P>, _ dotTile: D.Type,
  _ weights: UnsafeRawPointer, _ stride: Int, _ units: I.Floats, blocks: Int, _ sums: inout T,
  _ askAhead: (Int) -> Void
) where T.Element == I.Floats, D.Element == I.Ints {
  @inline(__always)
  func multiply(_ dots: inout D, _ block: Int, _ records: TileRecords<P>) {
    askAhead(block)
    dots.forEach { index, dot in dot = I.firstOfNibbles(records.about(index)) }
    let first = F.firstHalf(isa, weights, stride, block)
    I.dotNibbles(&dots, first, records.quants, step: P.recordBytes)
    let second = F.secondHalf(isa, weights, stride, block)
    I.dotNibbles(&dots, second, records.quants + 16, step: P.recordBytes)
  }
  var totals = D(repeating: I.splat(Int32(0)))
  var current = records
  var block = 0
  while block < blocks {
    var firsts = D(repeating: I.splat(Int32(0)))
    var seconds = D(repeating: I.splat(Int32(0)))
    multiply(&firsts, block, current)
    if block &+ 1 < blocks { multiply(&seconds, block &+ 1, current.next) }
    let scales = F.shortScales(isa, weights, stride, block, blocks: blocks, units: units)
    totals.forEach { index, total in
      total = I.addScaled(
        total, firsts[index], seconds[index], scales,
        by: current.about(index).pointee.shortScales)
    }
    current = current.next.next
    block &+= 2
  }
  sums.forEach { index, sum in
    let unit = I.splat(records.about(index).pointee.productUnit)
    sum = I.multiply(I.multiply(I.convert(totals[index]), unit), units)
  }
}

/// Adds a panel's products, a block after the other: of each `dot * weight scale * activation scale`, and what a minimum
/// adds.
@inlinable @inline(__always)
func addBlocks<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ records: TileRecords<P>, _ dotTile: D.Type,
  _ weights: UnsafeRawPointer, _ stride: Int, _ units: I.Floats, blocks: Int, _ sums: inout T,
  _ askAhead: (Int) -> Void
) where T.Element == I.Floats, D.Element == I.Ints {
  let planes = P.self
  var dots = D(repeating: I.splat(Int32(0)))
  var next = records
  var block = 0
  while block < blocks {
    askAhead(block)
    let first = F.firstHalf(isa, weights, stride, block)
    let second = F.secondHalf(isa, weights, stride, block)
    let scales = F.scales(isa, weights, stride, block, units: units)
    let records = next
    /// The integer products of these columns.
    @inline(__always) func multiply(_ half: Half, start: (Int) -> I.Ints) {
      dots.forEach { index, dot in dot = start(index) }
      guard !P.isWide else {
        I.dotWide(&dots, first, second, half, records.quants, step: P.recordBytes)
        return
      }
      if half != .second {
        I.dot(&dots, first, records.quants, step: P.recordBytes, bits: F.bits)
      }
      if half != .first {
        I.dot(&dots, second, records.quants + 16, step: P.recordBytes, bits: F.bits)
      }
    }
    @inline(__always) func addScaled(_ scales: I.Floats) {
      sums.forEach { index, sum in
        let scale = I.multiply(scales, I.splat(records.about(index).pointee.scale))
        sum = I.fma(I.convert(dots[index]), scale, sum)
      }
    }

    if F.hasHalfScales {
      multiply(.first) { index in
        offset(isa, planes, records.about(index).pointee.firstHalfOffset128)
      }
      addScaled(scales)
      multiply(.second) { index in
        let about = records.about(index)
        return offset(
          isa, planes, about.pointee.offset128 &- about.pointee.firstHalfOffset128)
      }
      addScaled(F.secondScales(isa, weights, stride, block))
    } else {
      multiply(.both) { index in offset(isa, format, planes, records.about(index)) }
      addScaled(scales)
      if F.hasMinimums {
        let minimums = F.minimums(isa, weights, stride, block)
        sums.forEach { index, sum in
          sum = I.fma(minimums, I.splat(records.about(index).pointee.scaledSum), sum)
        }
      }
    }
    next = records.next
    block &+= 1
  }
}

/// What an unsigned quant's offset contributes: where the sum starts.
@inlinable @inline(__always)
func offset<I: VectorISA, F: PanelFormat, P: Planes>(
  _ isa: I.Type, _ format: F.Type, _ planes: P.Type, _ about: UnsafePointer<ActivationBlock>
) -> I.Ints {
  switch F.offsetShift {
  case 3: I.splat(about.pointee.offset8)
  case 4: I.shiftLeft(I.splat(about.pointee.offset8), 1)
  case 7: offset(isa, planes, about.pointee.offset128)
  default: I.splat(Int32(0))
  }
}

/// The same of whole bytes, whose offset is `correction` where `VectorISA.dot` does not subtract 128 itself.
@inlinable @inline(__always)
func offset<I: VectorISA, P: Planes>(
  _ isa: I.Type, _ planes: P.Type, _ correction: Int32
) -> I.Ints { P.isWide ? I.splat(correction) : I.firstOfOffsetQuads(correction) }
