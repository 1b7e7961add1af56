/// How a matrix lies in memory: which panel kernel multiplies it.
public enum PanelKind: Int, CaseIterable, Sendable {
  case q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q5_K, q6_K
  /// As in the file, not interleaved (`RowFormat`).
  case q4_0Rows, q4_1Rows, q8_0Rows
  case f32, f16, bf16
}

/// A quantized matmul's operands.
public struct QuantizedOperands {
  public var weights: UnsafeRawPointer
  public var panels: Range<Int>
  public var input: ActivationRows
  /// Whether `input` has two planes (`ActivationPrecision`).
  public var wide: Bool
  public var tokens: Int
  public var output: OutputRows
  /// Of the table whose kernel it is for.
  public var readsInOrder: Bool
  /// What is read afterwards; the kernel takes from it what it has asked for.
  public var ahead: UnsafeMutablePointer<ReadAhead>?

  @inlinable
  public init(
    weights: UnsafeRawPointer, panels: Range<Int>, input: ActivationRows, wide: Bool, tokens: Int,
    output: OutputRows, readsInOrder: Bool, ahead: UnsafeMutablePointer<ReadAhead>? = nil
  ) {
    self.weights = weights
    self.panels = panels
    self.input = input
    self.wide = wide
    self.tokens = tokens
    self.output = output
    self.readsInOrder = readsInOrder
    self.ahead = ahead
  }
}

/// A floating-point matmul's operands.
public struct FloatOperands {
  public var weights: UnsafeRawPointer
  public var panels: Range<Int>
  public var columns: Int
  public var input: UnsafePointer<Float>
  public var inputStride: Int
  public var tokens: Int
  public var output: OutputRows

  @inlinable
  public init(
    weights: UnsafeRawPointer, panels: Range<Int>, columns: Int, input: UnsafePointer<Float>,
    inputStride: Int, tokens: Int, output: OutputRows
  ) {
    self.weights = weights
    self.panels = panels
    self.columns = columns
    self.input = input
    self.inputStride = inputStride
    self.tokens = tokens
    self.output = output
  }
}

/// The kernels of one instruction set. Pointers are trusted: `Compute` checks bounds before a call.
///
/// A class, so that passing it on counts one reference and not one for each kernel.
public final class KernelTable: Sendable {
  public typealias Quantized = @Sendable (QuantizedOperands) -> Void
  public typealias Floating = @Sendable (FloatOperands) -> Void
  public typealias Attention =
    @Sendable (AttentionSpan, UnsafeMutablePointer<Float>, AttentionPartial) -> Void

  /// As in `SWIFTLET_ISA`.
  public let name: String
  /// Whether one and two tokens read one line of weights and keys after the other, and ask for no weights ahead:
  /// for processors that follow such a stream best by themselves.
  public let readsInOrder: Bool

  public let q4_0, q4_1, q5_0, q5_1, q8_0, q4_K, q5_K, q6_K: Quantized
  public let q4_0Rows, q4_1Rows, q8_0Rows: Quantized
  public let f32, f16, bf16: Floating
  /// (a `Rows` kind, the first of 16 rows, blocks of a row, the panel to write)
  public let interleave:
    @Sendable (PanelKind, UnsafeRawPointer, Int, UnsafeMutableRawPointer) -> Void

  /// Attention over keys in float16, in fixed point of 16 and of 8 bits, or in float32.
  public let attendHalf, attendShort, attendBytes, attendSingle: Attention
  /// (later, into earlier, rows, headSize)
  public let mergeSpan: @Sendable (AttentionPartial, AttentionPartial, Int, Int) -> Void
  /// (partial, row, headSize, output)
  public let finishAttention:
    @Sendable (AttentionPartial, Int, Int, UnsafeMutablePointer<Float>) ->
      Void
  public typealias Rotate =
    @Sendable (
      UnsafePointer<Float>, Int, RotaryAngles, Float, UnsafeMutablePointer<Float>,
      UnsafePointer<Float>
    ) -> Void
  /// (head, count, angles, scale, output, a head to ask for)
  public let rotate: Rotate
  /// (x, weight, epsilon, count, output)
  public let rmsNorm:
    @Sendable (
      UnsafePointer<Float>, UnsafePointer<Float>, Float, Int, UnsafeMutablePointer<Float>
    ) -> Void
  public typealias QuantizeRow =
    @Sendable (
      UnsafeMutablePointer<Float>, Int, UnsafeMutableRawPointer, Int, UnsafeMutablePointer<Outlier>
    ) -> Void
  /// (x, blockCount, the first block's record, records from one block to the next, outliers)
  public let quantizeRow: QuantizeRow
  /// (x, blockCount, the row's tile of `PairedActivations`, its place there, outliers); nil where four-bit weights read
  /// no such activations
  public let quantizePairedRow: QuantizeRow?
  /// Whether they do.
  public let pairsFourBits: Bool
  public typealias QuantizeWideRow =
    @Sendable (
      UnsafePointer<Float>, Int, UnsafeMutableRawPointer, Int
    ) -> Void
  /// (x, blockCount, the first block's record, records from one block to the next), in two planes
  public let quantizeWideRow: QuantizeWideRow
  public typealias SwiGLU =
    @Sendable (
      UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>,
      UnsafePointer<Float>
    ) -> Void
  /// (gate, up, count, output, another output to ask for)
  public let swiGLU: SwiGLU
  /// 16 floats to 16 halves.
  public let storeHalf: @Sendable (UnsafePointer<Float>, UnsafeMutableRawPointer) -> Void
  public typealias QuantizeQuery = @Sendable (UnsafeMutablePointer<Float>, Int) -> Float
  /// (query, count), in place, returning the scale; in fixed point of 16 and of 8 bits
  public let quantizeShortQuery, quantizeByteQuery: QuantizeQuery
  public typealias StoreKey = @Sendable (UnsafeMutablePointer<Float>, Int, KeyPlace) -> Void
  /// (key, headSize, where it goes), in fixed point of 16 and of 8 bits; what is at the key changes in the latter
  public let storeShortKey, storeByteKey: StoreKey
  /// (value, headSize, its first quant), returning the scale
  public let storeByteValue: @Sendable (UnsafePointer<Float>, Int, UnsafeMutableRawPointer) -> Float

  public init(
    name: String, readsInOrder: Bool,
    q4_0: @escaping Quantized, q4_1: @escaping Quantized, q5_0: @escaping Quantized,
    q5_1: @escaping Quantized, q8_0: @escaping Quantized, q4_K: @escaping Quantized,
    q5_K: @escaping Quantized, q6_K: @escaping Quantized,
    q4_0Rows: @escaping Quantized, q4_1Rows: @escaping Quantized, q8_0Rows: @escaping Quantized,
    f32: @escaping Floating, f16: @escaping Floating, bf16: @escaping Floating,
    interleave:
      @escaping @Sendable (PanelKind, UnsafeRawPointer, Int, UnsafeMutableRawPointer) -> Void,
    attendHalf: @escaping Attention, attendShort: @escaping Attention,
    attendBytes: @escaping Attention,
    attendSingle: @escaping Attention,
    mergeSpan: @escaping @Sendable (AttentionPartial, AttentionPartial, Int, Int) -> Void,
    finishAttention:
      @escaping @Sendable (AttentionPartial, Int, Int, UnsafeMutablePointer<Float>) -> Void,
    rotate: @escaping Rotate,
    rmsNorm:
      @escaping @Sendable (
        UnsafePointer<Float>, UnsafePointer<Float>, Float, Int, UnsafeMutablePointer<Float>
      ) -> Void,
    quantizeRow: @escaping QuantizeRow, quantizePairedRow: QuantizeRow?,
    quantizeWideRow: @escaping QuantizeWideRow,
    swiGLU: @escaping SwiGLU,
    storeHalf: @escaping @Sendable (UnsafePointer<Float>, UnsafeMutableRawPointer) -> Void,
    quantizeShortQuery: @escaping QuantizeQuery, quantizeByteQuery: @escaping QuantizeQuery,
    storeShortKey: @escaping StoreKey, storeByteKey: @escaping StoreKey,
    storeByteValue:
      @escaping @Sendable (UnsafePointer<Float>, Int, UnsafeMutableRawPointer) -> Float
  ) {
    self.name = name
    self.readsInOrder = readsInOrder
    self.q4_0 = q4_0
    self.q4_1 = q4_1
    self.q5_0 = q5_0
    self.q5_1 = q5_1
    self.q8_0 = q8_0
    self.q4_K = q4_K
    self.q5_K = q5_K
    self.q6_K = q6_K
    self.q4_0Rows = q4_0Rows
    self.q4_1Rows = q4_1Rows
    self.q8_0Rows = q8_0Rows
    self.f32 = f32
    self.f16 = f16
    self.bf16 = bf16
    self.interleave = interleave
    self.attendHalf = attendHalf
    self.attendShort = attendShort
    self.attendBytes = attendBytes
    self.attendSingle = attendSingle
    self.mergeSpan = mergeSpan
    self.finishAttention = finishAttention
    self.rotate = rotate
    self.rmsNorm = rmsNorm
    self.quantizeRow = quantizeRow
    self.quantizePairedRow = quantizePairedRow
    pairsFourBits = quantizePairedRow != nil
    self.quantizeWideRow = quantizeWideRow
    self.swiGLU = swiGLU
    self.storeHalf = storeHalf
    self.quantizeShortQuery = quantizeShortQuery
    self.quantizeByteQuery = quantizeByteQuery
    self.storeShortKey = storeShortKey
    self.storeByteKey = storeByteKey
    self.storeByteValue = storeByteValue
  }
}
