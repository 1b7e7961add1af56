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
/// `dot * ((weight scale * activation scale + 16384) >> 15)`, which are all integers, summed over both blocks and then
/// rounded to a float. Units are multiplied with at the end.
@inlinable @inline(__always)
func addPairs<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ records: TileRecords<P>, _ dotTile: D.Type,
  _ weights: UnsafeRawPointer, _ stride: Int, _ units: I.Floats, blocks: Int, _ sums: inout T,
  _ askAhead: (Int) -> Void
) where T.Element == I.Floats, D.Element == I.Ints {
  @inline(__always)
  func multiply(_ dots: inout D, _ block: Int, _ records: TileRecords<P>) {
    askAhead(block)
    dots.forEach { index, dot in dot = offset(isa, format, records.about(index)) }
    let first = F.firstHalf(isa, weights, stride, block)
    I.dot(&dots, first, records.quants, step: P.recordBytes, bits: F.bits)
    let second = F.secondHalf(isa, weights, stride, block)
    I.dot(&dots, second, records.quants + 16, step: P.recordBytes, bits: F.bits)
  }
  var current = records
  var block = 0
  while block < blocks {
    var firsts = D(repeating: I.splat(Int32(0)))
    var seconds = D(repeating: I.splat(Int32(0)))
    multiply(&firsts, block, current)
    if block &+ 1 < blocks { multiply(&seconds, block &+ 1, current.next) }
    let scales = F.shortScales(isa, weights, stride, block, blocks: blocks, units: units)
    sums.forEach { index, sum in
      let factors = I.scalePairs(scales, by: current.about(index).pointee.shortScales)
      sum = I.add(
        sum, I.convert(I.dotPairs(I.pairs(firsts[index], seconds[index]), factors)))
    }
    current = current.next.next
    block &+= 2
  }
  sums.forEach { index, sum in
    sum = I.multiply(I.multiply(sum, I.splat(records.about(index).pointee.productUnit)), units)
  }
}

/// Which columns of a block.
@usableFromInline enum Half { case first, second, both }

/// Adds a panel's products, a block after the other: of each `dot * weight scale * activation scale`, and what a minimum
/// adds.
///
/// - Parameter hasManyRegisters: whether there are registers for two sums for each token and row.
@inlinable @inline(__always)
func addBlocks<I: VectorISA, F: PanelFormat, P: Planes, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ format: F.Type, _ records: TileRecords<P>, _ dotTile: D.Type,
  _ weights: UnsafeRawPointer, _ stride: Int, _ units: I.Floats, blocks: Int, _ sums: inout T,
  hasManyRegisters: Bool, _ askAhead: (Int) -> Void
) where T.Element == I.Floats, D.Element == I.Ints {
  var dots = D(repeating: I.splat(Int32(0)))
  var next = records
  var block = 0
  while block < blocks {
    askAhead(block)
    let first = F.firstHalf(isa, weights, stride, block)
    let second = F.secondHalf(isa, weights, stride, block)
    let scales = F.scales(isa, weights, stride, block, units: units)
    let records = next
    @inline(__always) func addProducts(_ sums: inout D, _ half: Half, plane: Int) {
      let quants = records.quants + plane &* 32
      if half != .second { I.dot(&sums, first, quants, step: P.recordBytes, bits: F.bits) }
      if half != .first { I.dot(&sums, second, quants + 16, step: P.recordBytes, bits: F.bits) }
    }
    /// The integer products of these columns.
    @inline(__always) func multiply(_ half: Half, start: (Int) -> I.Ints) {
      guard P.isWide else {
        dots.forEach { index, dot in dot = start(index) }
        addProducts(&dots, half, plane: 0)
        return
      }
      var high = D(repeating: I.splat(Int32(0)))
      if hasManyRegisters {
        // Each product waits for the one before it: twice as many sums wait half as long.
        dots.forEach { index, dot in dot = start(index) }
        if half != .second {
          addProducts(&high, .first, plane: 0)
          addProducts(&dots, .first, plane: 1)
        }
        if half != .first {
          addProducts(&high, .second, plane: 0)
          addProducts(&dots, .second, plane: 1)
        }
        dots.forEach { index, dot in dot = I.add(I.shiftLeft(high[index], 7), dot) }
      } else {
        addProducts(&high, half, plane: 0)
        dots.forEach { index, dot in dot = I.add(I.shiftLeft(high[index], 7), start(index)) }
        addProducts(&dots, half, plane: 1)
      }
    }
    @inline(__always) func addScaled(_ scales: I.Floats) {
      sums.forEach { index, sum in
        let scale = I.multiply(scales, I.splat(records.about(index).pointee.scale))
        sum = I.fma(I.convert(dots[index]), scale, sum)
      }
    }

    if F.hasHalfScales {
      multiply(.first) { index in I.splat(records.about(index).pointee.firstHalfOffset128) }
      addScaled(scales)
      multiply(.second) { index in
        let about = records.about(index)
        return I.splat(about.pointee.offset128 &- about.pointee.firstHalfOffset128)
      }
      addScaled(F.secondScales(isa, weights, stride, block))
    } else {
      multiply(.both) { index in offset(isa, format, records.about(index)) }
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
