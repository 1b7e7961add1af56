/// How finely activations are quantized before an int8 dot product.
public enum ActivationPrecision {
  /// One int8 per value, scale amax/127 as in ggml's Q8_0, but a float32 and without the row's outliers.
  public static let narrowLimit: Float = 127
  /// Two int8 planes, value = 128 * high + low, |value| <= 127 * 128: about 15 bits.
  public static let wideLimit: Float = 16256
}

/// What the dot product needs to know of one block of 32 quantized activations, beside its quants: 32 bytes.
///
/// Unsigned weights have an offset, a power of two; what it contributes is where a sum starts. It is
/// kept ready for use, so that the kernel has only to load it.
public struct ActivationBlock {
  /// Quant times `scale` gives the value.
  public var scale: Float
  /// `scale` times the sum of the block's quants: what a block minimum (Q4_1) is multiplied with.
  public var scaledSum: Float
  /// -8 times the sum of the block's quants, for four-bit weights.
  public var offset8: Int32
  /// -4 times that sum, as two int16: for sets that sum four-bit weights' products in two halves of a lane.
  public var halvedOffset8: UInt32
  /// -128 times the sum of the block's quants, for weights of whole bytes.
  public var offset128: Int32
  /// The part of `offset128` that comes from the first 16 columns.
  public var firstHalfOffset128: Int32
  /// Of a block with an even number the short scales of itself and the next one, two int16 (`ShortScales`).
  public var shortScales: UInt32
  /// What products of short scales are multiples of, as `VectorISA.addScaled` has them: 32768 units of the row.
  public var productUnit: Float

  /// - Parameters:
  ///   - shortScales: as the property.
  ///   - productUnit: as the property.
  ///   - sumBits: the sum of the quants, as the bits of a float.
  ///   - firstHalfBits: that of the first 16.
  @inlinable @inline(__always)
  init(
    _ scale: Float, shortScales: UInt32, productUnit: Float, sumBits: Float, firstHalfBits: Float
  ) {
    let sum = Int32(bitPattern: sumBits.bitPattern)
    self.scale = scale
    scaledSum = scale * Float(sum)
    offset8 = sum &* -8
    // Of one plane it is within ±16256. Of two planes nobody reads it.
    halvedOffset8 = UInt32(UInt16(truncatingIfNeeded: sum &* -4)) &* 0x0001_0001
    offset128 = sum &* -128
    firstHalfOffset128 = Int32(bitPattern: firstHalfBits.bitPattern) &* -128
    self.shortScales = shortScales
    self.productUnit = productUnit
  }
}

/// `ActivationPrecision` as a type: kernels are compiled for one of the two, and do not ask in their loops.
public protocol Planes {
  static var isWide: Bool { get }
}

/// One int8 per value.
public enum OnePlane: Planes {
  @inlinable @inline(__always) public static var isWide: Bool { false }
}

/// Two.
public enum TwoPlanes: Planes {
  @inlinable @inline(__always) public static var isWide: Bool { true }
}

extension Planes {
  /// Bytes of a block's quants, and where its `ActivationBlock` comes after them.
  @inlinable @inline(__always) public static var quantBytes: Int { isWide ? 64 : 32 }
  /// Bytes of a block: whole cache lines, so that threads that write different rows do not share one.
  @inlinable @inline(__always) public static var recordBytes: Int { isWide ? 128 : 64 }
}

/// Quantized activations as a kernel sees them: rows from some row of a matrix on.
///
/// A block is a record: 32 int8, or the high 32 and the low 32 where wide, then its `ActivationBlock`. Records lie
/// as [group of rows, block, row of the group]: what a tile of tokens needs of a block is in one piece, at
/// distances that are known when kernels are compiled. With rows apart, their addresses took as long as the dot
/// products (docs/performance.md).
///
/// Or they lie as `PairedActivations`, for four-bit weights.
public struct ActivationRows {
  /// The matrix's first record, or its first tile.
  public var records: UnsafeRawPointer
  /// Whether they are `PairedActivations`.
  public var isPaired: Bool
  /// The matrix's row that is the first here.
  public var first: Int
  /// Rows of a group.
  public var group: Int
  /// Blocks of 32 columns in a row.
  public var blockCount: Int
  /// What is multiplied in float32, where rows have such values.
  public var outliers: OutlierRows?

  @inlinable
  public init(
    records: UnsafeRawPointer, first: Int, group: Int, blockCount: Int,
    outliers: OutlierRows? = nil
  ) {
    self.records = records
    isPaired = false
    self.first = first
    self.group = group
    self.blockCount = blockCount
    self.outliers = outliers
  }

  /// - Parameter paired: the first tile of `PairedActivations`.
  @inlinable
  public init(
    paired: UnsafeRawPointer, first: Int, blockCount: Int, outliers: OutlierRows? = nil
  ) {
    self.init(
      records: paired, first: first, group: PairedActivations.tile, blockCount: blockCount,
      outliers: outliers)
    isPaired = true
  }

  /// Records from the matrix's first to the first block of `row`; to each next block it is `group` more.
  @inlinable @inline(__always)
  public static func place(row: Int, group: Int, blockCount: Int) -> Int {
    row / group &* group &* blockCount &+ row % group
  }

  /// Rows from `token` on, `limit` at most, that are in one group.
  @inlinable @inline(__always)
  func together(from token: Int, limit: Int) -> Int {
    min(limit, group &- (first &+ token) % group)
  }
}
