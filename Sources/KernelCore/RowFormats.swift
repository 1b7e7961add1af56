/// A panel that lies in memory as in the file: 16 rows, one after the other, each a run of ggml's
/// blocks (ggml `ggml-common.h`). Nothing is copied when a model is loaded; a token's product
/// interleaves rows in registers, and that of many tokens a panel once (`UnpackedPanel`).
/// `interleave` serves to move a matrix for good.
public protocol RowFormat: PanelFormat {
  /// The interleaved form of the same blocks.
  associatedtype Interleaved: PanelFormat
  /// Bytes of a block in the file.
  static var blockBytes: Int { get }
  /// Writes the 16 rows at `rows` as one panel.
  static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, blocks: Int, into panel: UnsafeMutableRawPointer)
}

extension RowFormat {
  @inlinable @inline(__always)
  public static func stride(blocks: Int) -> Int { blocks &* blockBytes }

  @inlinable @inline(__always)
  public static func panelBytes(blocks: Int) -> Int {
    PanelGeometry.rows &* blocks &* blockBytes
  }

  /// Rows have to be interleaved, whatever their quants.
  @inlinable @inline(__always)
  public static var isPacked: Bool { true }

  /// The next panel's bytes, in their order, as fast as this one's are used up: the hardware sees 16
  /// streams that all end soon, and follows none of them into the next panel.
  @inlinable @inline(__always)
  public static var looksAhead: Bool { true }

  @inlinable @inline(__always)
  public static func lookAhead<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) {
    let bytes = PanelGeometry.rows &* blockBytes
    let next = panel + (PanelGeometry.rows &* stride &+ block &* bytes)
    var line = 0
    while line < bytes {
      I.prefetch(next + line)
      line &+= 64
    }
  }
}

/// Writes 16 rows as one panel of the kind that `kind.interleaved` names.
@inlinable @inline(__always)
public func interleaveRows<I: VectorISA>(
  _ isa: I.Type, _ kind: PanelKind, _ rows: UnsafeRawPointer, blocks: Int,
  into panel: UnsafeMutableRawPointer
) {
  switch kind {
  case .q4_0Rows: FourBitRows.interleave(isa, rows, blocks: blocks, into: panel)
  case .q4_1Rows: MinimumRows<NibbleRows>.interleave(isa, rows, blocks: blocks, into: panel)
  case .q8_0Rows: OffsetRows<SignedByteRows>.interleave(isa, rows, blocks: blocks, into: panel)
  default: break
  }
}

/// How the quants of a file's block are read, 16 rows at once, and how they are stored interleaved.
public protocol RowStorage {
  associatedtype Interleaved: QuantStorage
  /// Bytes of a block's quants.
  static var bytes: Int { get }
  /// Columns 0 to 15 of a block, or 16 to 31.
  static func half<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, second: Bool
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes)
  /// Column `column` of a block, 0 to 31.
  static func quants<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, column: Int
  ) -> I.Ints
  /// Writes a block's quants of 16 rows as `Interleaved` holds them.
  static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, into target: UnsafeMutableRawPointer)
}

/// 16 bytes: low nibbles are columns 0 to 15, high nibbles 16 to 31 (Q4_0, Q4_1).
public enum NibbleRows: RowStorage {
  public typealias Interleaved = Nibbles
  @inlinable @inline(__always) public static var bytes: Int { 16 }

  @inlinable @inline(__always)
  public static func half<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, second: Bool
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    let (a, b, c, d) = I.loadRows(rows, stride)
    return second
      ? (I.highNibbles(a), I.highNibbles(b), I.highNibbles(c), I.highNibbles(d))
      : (I.lowNibbles(a), I.lowNibbles(b), I.lowNibbles(c), I.lowNibbles(d))
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, column: Int
  ) -> I.Ints {
    I.field(
      vector(isa, I.loadRows(rows, stride), (column & 15) &>> 2),
      shift: 8 &* (column & 3) &+ ((column & 16) &>> 2), mask: 15)
  }

  @inlinable @inline(__always)
  public static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, into target: UnsafeMutableRawPointer
  ) { storeFour(isa, I.loadRows(rows, stride), target) }
}

/// 32 signed bytes in the order of the columns (Q8_0).
public enum SignedByteRows: RowStorage {
  public typealias Interleaved = WholeBytes
  @inlinable @inline(__always) public static var bytes: Int { 32 }

  @inlinable @inline(__always)
  public static func half<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, second: Bool
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    let (a, b, c, d) = I.loadRows(rows + (second ? 16 : 0), stride)
    return (I.flipSigns(a), I.flipSigns(b), I.flipSigns(c), I.flipSigns(d))
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, column: Int
  ) -> I.Ints {
    let vectors = I.loadRows(rows + (column & 16), stride)
    return I.field(
      I.flipSigns(vector(isa, vectors, (column & 15) &>> 2)), shift: 8 &* (column & 3), mask: 255)
  }

  @inlinable @inline(__always)
  public static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, _ stride: Int, into target: UnsafeMutableRawPointer
  ) {
    storeFour(isa, half(isa, rows, stride, second: false), target)
    storeFour(isa, half(isa, rows, stride, second: true), target + 256)
  }
}

/// One of four vectors.
@inlinable @inline(__always)
func vector<I: VectorISA>(
  _ isa: I.Type, _ vectors: (I.Bytes, I.Bytes, I.Bytes, I.Bytes), _ index: Int
) -> I.Bytes {
  switch index {
  case 0: vectors.0
  case 1: vectors.1
  case 2: vectors.2
  default: vectors.3
  }
}

@inlinable @inline(__always)
func storeFour<I: VectorISA>(
  _ isa: I.Type, _ vectors: (I.Bytes, I.Bytes, I.Bytes, I.Bytes), _ target: UnsafeMutableRawPointer
) {
  I.storeBytes(vectors.0, target)
  I.storeBytes(vectors.1, target + 64)
  I.storeBytes(vectors.2, target + 128)
  I.storeBytes(vectors.3, target + 192)
}

/// Block: a half scale, then quants (Q8_0; for Q4_0 see `FourBitRows`).
public enum OffsetRows<Storage: RowStorage>: RowFormat {
  public typealias Interleaved = OffsetPanel<Storage.Interleaved>
  @inlinable @inline(__always) public static var bits: Int { Storage.Interleaved.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { Interleaved.offsetShift }
  @inlinable @inline(__always) public static var hasMinimums: Bool { false }
  @inlinable @inline(__always) public static var blockBytes: Int { 2 &+ Storage.bytes }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  ) -> I.Floats { I.loadHalves(panel + block &* blockBytes, stride) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, panel + (block &* blockBytes &+ 2), stride, second: false)
  }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, panel + (block &* blockBytes &+ 2), stride, second: true)
  }

  @inlinable @inline(__always)
  public static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, blocks: Int, into panel: UnsafeMutableRawPointer
  ) {
    let stride = stride(blocks: blocks)
    var block = 0
    while block < blocks {
      let from = rows + block &* blockBytes
      let to = panel + block &* Interleaved.blockBytes
      I.storeHalf(I.loadHalves(from, stride), to)
      Storage.interleave(isa, from + 2, stride, into: to + 32)
      block &+= 1
    }
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints {
    Storage.quants(isa, panel + (block &* blockBytes &+ 2), stride, column: column)
  }
}

/// Block: a half scale, a half minimum, then quants (Q4_1).
public enum MinimumRows<Storage: RowStorage>: RowFormat {
  public typealias Interleaved = MinimumPanel<Storage.Interleaved>
  @inlinable @inline(__always) public static var bits: Int { Storage.Interleaved.bits }
  @inlinable @inline(__always) public static var offsetShift: Int32 { -1 }
  @inlinable @inline(__always) public static var hasMinimums: Bool { true }
  @inlinable @inline(__always) public static var blockBytes: Int { 4 &+ Storage.bytes }

  @inlinable @inline(__always)
  public static func scales<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, units: I.Floats
  ) -> I.Floats { I.loadHalves(panel + block &* blockBytes, stride) }

  @inlinable @inline(__always)
  public static func minimums<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> I.Floats { I.loadHalves(panel + (block &* blockBytes &+ 2), stride) }

  @inlinable @inline(__always)
  public static func firstHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, panel + (block &* blockBytes &+ 4), stride, second: false)
  }

  @inlinable @inline(__always)
  public static func secondHalf<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int
  ) -> (I.Bytes, I.Bytes, I.Bytes, I.Bytes) {
    Storage.half(isa, panel + (block &* blockBytes &+ 4), stride, second: true)
  }

  @inlinable @inline(__always)
  public static func interleave<I: VectorISA>(
    _ isa: I.Type, _ rows: UnsafeRawPointer, blocks: Int, into panel: UnsafeMutableRawPointer
  ) {
    let stride = stride(blocks: blocks)
    var block = 0
    while block < blocks {
      let from = rows + block &* blockBytes
      let to = panel + block &* Interleaved.blockBytes
      I.storeHalf(I.loadHalves(from, stride), to)
      I.storeHalf(I.loadHalves(from + 2, stride), to + 32)
      Storage.interleave(isa, from + 4, stride, into: to + 64)
      block &+= 1
    }
  }

  @inlinable @inline(__always)
  public static func quants<I: VectorISA>(
    _ isa: I.Type, _ panel: UnsafeRawPointer, _ stride: Int, _ block: Int, _ column: Int
  ) -> I.Ints {
    Storage.quants(isa, panel + (block &* blockBytes &+ 4), stride, column: column)
  }
}
