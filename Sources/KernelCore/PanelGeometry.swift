/// The shape of a packed weight panel.
///
/// A matrix [rows, columns] is cut into panels of 16 rows. Inside a panel the rows are interleaved,
/// so that one vector holds the same columns of all 16: a dot product needs no sum across lanes,
/// and one pass over a panel reads its bytes once, in order.
public enum PanelGeometry {
  /// Rows of a panel: the lanes of `VectorISA.Floats`.
  public static let rows = 16
  /// Columns of a block: what one scale covers in ggml's 32-wide formats, and in our activations.
  public static let blockColumns = 32
  /// Blocks of 32 in one of ggml's 256-wide super-blocks (K-quants).
  public static let blocksPerSuperBlock = 8

  /// Columns of a quantized block go into 8 vectors ("steps") of 16 rows x 4 columns.
  public static let stepBytes = 64
}

/// How finely activations are quantized before an int8 dot product.
public enum ActivationPrecision {
  /// One int8 per value, scale amax/127 as in ggml's Q8_0, but a float32 and without the row's outliers.
  public static let narrowLimit: Float = 127
  /// Two int8 planes, value = 128 * high + low, |value| <= 127 * 128: about 15 bits.
  public static let wideLimit: Float = 16256
}

/// What the dot product needs to know of one block of 32 quantized activations: 20 bytes.
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
  /// -128 times the sum of the block's quants, for weights of whole bytes.
  public var offset128: Int32
  /// The part of `offset128` that comes from the first 16 columns.
  public var firstHalfOffset128: Int32

  /// - Parameters:
  ///   - sumBits: the sum of the quants, as the bits of a float.
  ///   - firstHalfBits: that of the first 16.
  @inlinable @inline(__always)
  init(_ scale: Float, sumBits: Float, firstHalfBits: Float) {
    let sum = Int32(bitPattern: sumBits.bitPattern)
    self.scale = scale
    scaledSum = scale * Float(sum)
    offset8 = sum &* -8
    offset128 = sum &* -128
    firstHalfOffset128 = Int32(bitPattern: firstHalfBits.bitPattern) &* -128
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
