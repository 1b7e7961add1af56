/// What a kernel needs of an instruction set whose products of bytes are sums of 16 bits, to multiply two blocks of
/// four-bit weights at a time (`ShortScales`).
///
/// A lane of 32 bits has a sum for each block. Weights and activations are interleaved for it: two columns of a block, and
/// the same two of the next one. A sum of 32 products is within ±32512 once the quants' offset is taken off, and what is
/// above in between comes back, because sums wrap around.
public protocol PairedISA: VectorISA {
  /// Of each lane the first two bytes of both, and the last two of both.
  static func interleave(_ a: Bytes, _ b: Bytes) -> (Bytes, Bytes)
  /// Interleaves 32 bytes at `a` and at `b`, two at a time: 64 bytes.
  static func interleave(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, into target: UnsafeMutableRawPointer)
  /// Adds to a lane's two int16 the products of its unsigned quants with two activations of each block.
  ///
  /// - Parameters:
  ///   - activations: four interleaved int8, of the first token.
  ///   - step: bytes from one token's activations to the next one's, a constant of the caller.
  static func addPairs<T: TokenTile>(
    _ sums: inout T, _ weights: Bytes, _ activations: UnsafeRawPointer, step: Int
  ) where T.Element == Ints
  /// The sum of a lane's two int16, each times its scale, as `VectorISA.scaledSum` has it.
  static func scaledSum(_ sums: Ints, _ scales: Bytes, by pair: UInt32) -> Ints
}

/// A panel of four-bit weights with two blocks interleaved.
///
/// 16 units, then for each two blocks 16 pairs of short scales and 16 vectors of quants: vector v has columns 2v and
/// 2v + 1 of the first block and of the second. A second block that there is not has scales of zero, and any quants.
@usableFromInline enum PairedPanel {
  @inlinable @inline(__always) static var vectors: Int { PanelGeometry.blockColumns / 2 }
  @inlinable @inline(__always) static var unitBytes: Int { 64 }
  @inlinable @inline(__always) static var scaleBytes: Int { 64 }
  @inlinable @inline(__always) static var pairBytes: Int {
    scaleBytes &+ vectors &* PanelGeometry.stepBytes
  }

  @inlinable @inline(__always)
  static func bytes(pairs: Int) -> Int { unitBytes &+ pairs &* pairBytes }

  /// Writes a panel of `Format`.
  @inlinable @inline(__always)
  static func unpack<I: PairedISA, F: PanelFormat>(
    _ isa: I.Type, _ format: F.Type, _ panel: UnsafeRawPointer, blocks: Int,
    into target: UnsafeMutableRawPointer
  ) {
    let stride = F.stride(blocks: blocks)
    let units = F.scaleUnits(isa, panel, stride, blocks: blocks)
    I.store(units, target.assumingMemoryBound(to: Float.self))
    var to = target + unitBytes
    var block = 0
    while block < blocks {
      let other = min(block &+ 1, blocks &- 1)
      F.lookAhead(isa, panel, stride, block)
      if other > block { F.lookAhead(isa, panel, stride, other) }
      I.storeBytes(F.shortScales(isa, panel, stride, block, blocks: blocks, units: units), to)
      let quants = to + scaleBytes
      interleave(
        isa, F.firstHalf(isa, panel, stride, block), F.firstHalf(isa, panel, stride, other),
        into: quants)
      interleave(
        isa, F.secondHalf(isa, panel, stride, block), F.secondHalf(isa, panel, stride, other),
        into: quants + vectors / 2 &* PanelGeometry.stepBytes)
      to += pairBytes
      block &+= 2
    }
  }

  @inlinable @inline(__always)
  static func interleave<I: PairedISA>(
    _ isa: I.Type, _ a: (I.Bytes, I.Bytes, I.Bytes, I.Bytes),
    _ b: (I.Bytes, I.Bytes, I.Bytes, I.Bytes), into target: UnsafeMutableRawPointer
  ) {
    @inline(__always) func write(_ a: I.Bytes, _ b: I.Bytes, _ index: Int) {
      let (first, second) = I.interleave(a, b)
      I.storeBytes(first, target + 2 &* index &* PanelGeometry.stepBytes)
      I.storeBytes(second, target + (2 &* index &+ 1) &* PanelGeometry.stepBytes)
    }
    write(a.0, b.0, 0)
    write(a.1, b.1, 1)
    write(a.2, b.2, 2)
    write(a.3, b.3, 3)
  }

  /// The weights of a column.
  @inlinable @inline(__always)
  static func column<I: PairedISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ column: Int, units: I.Floats
  ) -> I.Floats {
    let block = column / PanelGeometry.blockColumns
    let pair = panel + (unitBytes &+ block / 2 &* pairBytes)
    let place = column % PanelGeometry.blockColumns
    let vector = I.loadBytes(pair + (scaleBytes &+ place / 2 &* PanelGeometry.stepBytes))
    let quants = I.field(vector, shift: 16 &* (block & 1) &+ 8 &* (place & 1), mask: 255)
    return I.multiply(
      ShortScales.scales(isa, pair, block, units: units),
      I.convert(I.add(quants, I.splat(Int32(-8)))))
  }
}

/// Activations with two blocks interleaved, in tiles of four tokens: of each pair of blocks 64 int8 a token, then a
/// `PairedBlocks` a token.
public enum PairedActivations {
  @inlinable @inline(__always) static var tile: Int { 4 }
  @inlinable @inline(__always) static var tokenBytes: Int { 64 }
  @inlinable @inline(__always) static var pairBytes: Int {
    tile &* (tokenBytes &+ MemoryLayout<PairedBlocks>.stride)
  }

  /// Bytes of `tokens` rows of `blocks` blocks.
  @inlinable @inline(__always)
  public static func bytes(tokens: Int, blocks: Int) -> Int {
    (tokens &+ tile &- 1) / tile &* ((blocks &+ 1) / 2) &* pairBytes
  }

  @inlinable @inline(__always)
  static func blocks(_ pair: UnsafeRawPointer, _ token: Int) -> UnsafePointer<PairedBlocks> {
    (pair + tile &* tokenBytes).assumingMemoryBound(to: PairedBlocks.self) + token
  }

  /// Writes those of `tokens` rows of `input`.
  @inlinable @inline(__always)
  static func interleave<I: PairedISA>(
    _ isa: I.Type, _ input: ActivationRows, tokens: Int, into target: UnsafeMutableRawPointer
  ) {
    let blocks = input.blockCount
    let pairs = (blocks &+ 1) / 2
    let blockBytes = input.group &* OnePlane.recordBytes
    var token = 0
    while token < tokens {
      let place = ActivationRows.place(
        row: input.first &+ token, group: input.group, blockCount: blocks)
      var record = input.records + place &* OnePlane.recordBytes
      var pair = target + token / tile &* pairs &* pairBytes
      let index = token % tile
      var block = 0
      while block < blocks {
        let other = block &+ 1 < blocks ? record + blockBytes : record
        I.interleave(record, other, into: pair + index &* tokenBytes)
        @inline(__always)
        func about(_ record: UnsafeRawPointer) -> UnsafePointer<ActivationBlock> {
          (record + OnePlane.quantBytes).assumingMemoryBound(to: ActivationBlock.self)
        }
        UnsafeMutablePointer(mutating: self.blocks(pair, index)).pointee = PairedBlocks(
          about(record), about(other))
        record = other + blockBytes
        pair += pairBytes
        block &+= 2
      }
      token &+= 1
    }
  }
}

/// Where a kernel keeps interleaved activations, for all products of the same rows.
public struct PairedRoom {
  /// As many bytes as `PairedActivations` need.
  @usableFromInline let memory: UnsafeMutableRawPointer
  @usableFromInline var isFilled = false

  @inlinable
  public init(_ memory: UnsafeMutableRawPointer) { self.memory = memory }

  /// The interleaved activations of rows that are always the same.
  @inlinable @inline(__always)
  mutating func fill<I: PairedISA>(
    _ isa: I.Type, _ input: ActivationRows, tokens: Int
  ) -> UnsafeRawPointer {
    if !isFilled { PairedActivations.interleave(isa, input, tokens: tokens, into: memory) }
    isFilled = true
    return UnsafeRawPointer(memory)
  }
}

/// What the dot products need to know of two blocks of quantized activations, beside their quants.
@usableFromInline struct PairedBlocks {
  /// `ActivationBlock.offset8` of both, as int16: within ±32512.
  @usableFromInline var offsets: UInt32
  /// `ActivationBlock.shortScales`.
  @usableFromInline var shortScales: UInt32

  @inlinable @inline(__always)
  init(_ first: UnsafePointer<ActivationBlock>, _ second: UnsafePointer<ActivationBlock>) {
    offsets =
      UInt32(UInt16(truncatingIfNeeded: first.pointee.offset8))
      | UInt32(UInt16(truncatingIfNeeded: second.pointee.offset8)) &<< 16
    shortScales = first.pointee.shortScales
  }
}

/// As `quantizedMatmul` in one plane, with the same bits, for many tokens: what is read is first interleaved, weights a panel
/// after the other.
@inlinable @inline(__always)
public func pairedMatmul<I: PairedISA, F: PanelFormat>(
  _ isa: I.Type, _ format: F.Type, weights: UnsafeRawPointer, panels: Range<Int>,
  input: ActivationRows, tokens: Int, output: OutputRows, room: UnsafeMutablePointer<PairedRoom>
) {
  let blocks = input.blockCount
  let pairs = (blocks &+ 1) / 2
  let panelBytes = F.panelBytes(blocks: blocks)
  let activations = room.pointee.fill(isa, input, tokens: tokens)
  withUnsafeTemporaryAllocation(
    byteCount: PairedPanel.bytes(pairs: pairs), alignment: PanelGeometry.stepBytes
  ) { scratch in
    let unpacked = scratch.baseAddress.unsafelyUnwrapped
    for panel in panels {
      let packed = weights + panel &* panelBytes
      PairedPanel.unpack(isa, format, packed, blocks: blocks, into: unpacked)
      let units = I.load(unpacked.assumingMemoryBound(to: Float.self))
      if let outliers = input.outliers {
        readColumns(isa, outliers) { PairedPanel.column(isa, unpacked, $0, units: units) }
      }
      // The next panel is asked for by the first tiles, evenly, but not of the file's rows (`lookAhead`).
      let next = F.looksAhead ? 0 : panelBytes
      var row = activations
      var token = 0
      while token < tokens {
        let part =
          token == 0 ? 0..<next / 2 : token == PairedActivations.tile ? next / 2..<next : 0..<0
        @inline(__always)
        func compute<T: TokenTile, D: TokenTile>(_ tile: T.Type, _ dotTile: D.Type)
        where T.Element == I.Floats, D.Element == I.Ints {
          pairedTile(
            isa, tile, dotTile, unpacked, row, pairs: pairs, units: units, input, token, output,
            panel, asking: packed + panelBytes, part)
        }
        switch tokens &- token {
        case 1: compute(Single<I.Floats>.self, Single<I.Ints>.self)
        case 2: compute(Tile2<I.Floats>.self, Tile2<I.Ints>.self)
        case 3: compute(Tile3<I.Floats>.self, Tile3<I.Ints>.self)
        default: compute(Tile4<I.Floats>.self, Tile4<I.Ints>.self)
        }
        row += pairs &* PairedActivations.pairBytes
        token &+= PairedActivations.tile
      }
    }
  }
}

/// A panel times a tile of tokens.
@inlinable @inline(__always)
func pairedTile<I: PairedISA, T: TokenTile, D: TokenTile>(
  _ isa: I.Type, _ tile: T.Type, _ dotTile: D.Type, _ weights: UnsafeRawPointer,
  _ activations: UnsafeRawPointer, pairs: Int, units: I.Floats, _ input: ActivationRows,
  _ token: Int, _ output: OutputRows, _ panel: Int, asking next: UnsafeRawPointer,
  _ bytes: Range<Int>
) where T.Element == I.Floats, D.Element == I.Ints {
  var sums = T(repeating: I.splat(Float(0)))
  // They may be more than the L2 holds, and would be waited for.
  sums.forEach { index, _ in output.prefetch(isa, token: token &+ index, panel: panel) }
  let share = ((bytes.count &+ pairs &- 1) / pairs &+ 63) & ~63
  var asked = bytes.lowerBound
  var vectors = weights + PairedPanel.unitBytes
  var current = activations
  var pair = 0
  while pair < pairs {
    prefetch(isa, next, asked..<min(asked &+ share, bytes.upperBound))
    asked &+= share
    var dots = D(repeating: I.splat(Int32(0)))
    dots.forEach { index, dot in
      dot = I.splat(
        Int32(bitPattern: PairedActivations.blocks(current, index).pointee.offsets))
    }
    var vector = 0
    while vector < PairedPanel.vectors {
      let quants = vectors + (PairedPanel.scaleBytes &+ vector &* PanelGeometry.stepBytes)
      I.addPairs(
        &dots, I.loadBytes(quants), current + 4 &* vector, step: PairedActivations.tokenBytes)
      vector &+= 1
    }
    let scales = I.loadBytes(vectors)
    sums.forEach { index, sum in
      let about = PairedActivations.blocks(current, index)
      sum = I.add(
        sum, I.convert(I.scaledSum(dots[index], scales, by: about.pointee.shortScales)))
    }
    vectors += PairedPanel.pairBytes
    current += PairedActivations.pairBytes
    pair &+= 1
  }
  sums.forEach { index, sum in
    sum = I.multiply(I.multiply(sum, I.splat(input.productUnit(token &+ index))), units)
  }
  if let outliers = input.outliers { addOutliers(isa, outliers, token, &sums) }
  sums.forEach { index, sum in
    output.write(isa, sum, token: token &+ index, panel: panel)
  }
}
