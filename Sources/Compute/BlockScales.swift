import GGUF

/// Finds weights that are no numbers, without dequantizing what need not be.
public enum BlockScales {
  /// Where the half-precision scales and minimums lie in a block (ggml `ggml-common.h`); nil for types
  /// whose blocks are not known here.
  private static func halves(_ type: TensorType) -> [Int]? {
    switch type.name {
    case "Q4_0", "Q5_0", "Q8_0", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S",
      "IQ4_NL", "IQ4_XS":
      [0]
    case "Q4_1", "Q5_1", "Q8_1", "Q4_K", "Q5_K": [0, 2]
    case "Q2_K": [80, 82]
    case "Q3_K": [108]
    case "Q6_K": [208]
    case "TQ1_0": [52]
    case "TQ2_0": [64]
    case "F16": [0]
    default: nil
    }
  }

  /// The first block of `tensor` that holds a NaN or an infinity; for floating-point types a block is a
  /// value.
  ///
  /// - Returns: an error that names the tensor, the offset, the block and what it holds; nil where all are
  ///   finite, or the type is not known.
  public static func fault(_ tensor: TensorDescriptor, in file: GGUFFile) -> GGUFError? {
    let type = tensor.type
    let found = file.withBytes(of: tensor) { bytes -> (block: Int, value: Float)? in
      guard let base = bytes.baseAddress, type.blockBytes > 0 else { return nil }
      for block in 0..<bytes.count / type.blockBytes {
        let start = base + block * type.blockBytes
        switch type {
        case .f32:
          let value = Float(bitPattern: start.loadUnaligned(as: UInt32.self).littleEndian)
          if !value.isFinite { return (block, value) }
        case .bf16:
          let bits = UInt32(start.loadUnaligned(as: UInt16.self).littleEndian) << 16
          if !Float(bitPattern: bits).isFinite { return (block, Float(bitPattern: bits)) }
        default:
          guard let places = halves(type) else { return nil }
          for place in places where !half(start + place).isFinite {
            return (block, half(start + place))
          }
        }
      }
      return nil
    }
    guard let found else { return nil }
    let isFloat = type.blockValues == 1
    return GGUFError(
      file: file.name, field: "tensor \(tensor.name)",
      offset: file.byteRange(of: tensor).lowerBound + found.block * type.blockBytes,
      reason: .invalid(
        found: isFloat
          ? "value \(found.block), which is \(found.value)"
          : "block \(found.block) of \(type) with a scale that is \(found.value)",
        allowed: "finite numbers"))
  }
}
