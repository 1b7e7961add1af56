/// A tensor's element format, by ggml's number (ggml `docs/gguf.md`, `enum ggml_type`).
///
/// This is the only place that knows how many values a block holds and how many bytes it takes.
public struct TensorType: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// IEEE 754 single precision.
  public static let f32 = TensorType(rawValue: 0)
  /// IEEE 754 half precision.
  public static let f16 = TensorType(rawValue: 1)
  /// Blocks of 32: a scale and 4-bit numbers around 8.
  public static let q4_0 = TensorType(rawValue: 2)
  /// Blocks of 32: a scale, a minimum and 4-bit numbers.
  public static let q4_1 = TensorType(rawValue: 3)
  /// Blocks of 32: a scale and 5-bit numbers around 16.
  public static let q5_0 = TensorType(rawValue: 6)
  /// Blocks of 32: a scale, a minimum and 5-bit numbers.
  public static let q5_1 = TensorType(rawValue: 7)
  /// Blocks of 32: a scale and 8-bit numbers.
  public static let q8_0 = TensorType(rawValue: 8)
  /// Blocks of 256 with 4-bit numbers, in eight groups with scales and minimums.
  public static let q4_K = TensorType(rawValue: 12)
  /// Blocks of 256 with 5-bit numbers, in eight groups with scales and minimums.
  public static let q5_K = TensorType(rawValue: 13)
  /// Blocks of 256 with 6-bit numbers, in 16 groups with scales.
  public static let q6_K = TensorType(rawValue: 14)
  /// The upper half of single precision.
  public static let bf16 = TensorType(rawValue: 30)

  /// The types that Swiftlet computes with. Files may list others; a model cannot use them.
  public static let computable: [TensorType] = [
    .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q4_K, .q5_K, .q6_K,
  ]

  /// Name, values a block and bytes a block of every type ggml has not removed.
  private static let layouts: [UInt32: (name: String, values: Int, bytes: Int)] = [
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2),
    26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
  ]

  /// Whether ggml defines this number today.
  public var isKnown: Bool { Self.layouts[rawValue] != nil }

  /// As ggml writes it, `type 77` where unknown.
  public var name: String { Self.layouts[rawValue]?.name ?? "type \(rawValue)" }

  /// Values that share a block: the row length is a multiple of it. 0 where unknown.
  public var blockValues: Int { Self.layouts[rawValue]?.values ?? 0 }

  /// Bytes of a block. 0 where unknown.
  public var blockBytes: Int { Self.layouts[rawValue]?.bytes ?? 0 }

  /// Bits a weight takes, scales included.
  public var bitsPerWeight: Double {
    blockValues == 0 ? 0 : Double(blockBytes * 8) / Double(blockValues)
  }
}

extension TensorType: CustomStringConvertible {
  public var description: String { name }
}
