import GGUF

/// 32 weights of a row, in the terms that all of ggml's formats share:
/// `weight = scale * (quant - offset) + minimum`, the first 16 with `scale`, the rest with
/// `secondScale`.
struct QuantizedBlock {
  var quants = SIMD32<UInt8>()
  var offset: Float = 0
  var scale: Float = 0
  var secondScale: Float = 0
  var minimum: Float = 0

  var isFinite: Bool { scale.isFinite && secondScale.isFinite && minimum.isFinite }

  /// Reads block `index` of 32 columns from a row of `type`, one of the quantized
  /// `TensorType.computable`. Layouts: ggml `ggml-common.h`, `ggml-quants.c`.
  init(_ type: TensorType, _ row: UnsafeRawPointer, _ index: Int) {
    switch type {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: self.init(small: type, row + index * type.blockBytes)
    default: self.init(super: type, row + index / 8 * type.blockBytes, index % 8)
    }
  }

  // MARK: Blocks of 32

  private init(small type: TensorType, _ p: UnsafeRawPointer) {
    scale = half(p)
    secondScale = scale
    switch type {
    case .q4_0:
      readNibbles(p + 2)
      offset = 8
    case .q4_1:
      readNibbles(p + 4)
      minimum = half(p + 2)
    case .q5_0:
      readNibbles(p + 6)
      addFifthBits(p + 2)
      offset = 16
    case .q5_1:
      readNibbles(p + 8)
      addFifthBits(p + 4)
      minimum = half(p + 2)
    default:  // q8_0: signed bytes
      let signed = (p + 2).loadUnaligned(as: SIMD32<UInt8>.self)
      quants = signed ^ 0x80
      offset = 128
    }
  }

  private mutating func readNibbles(_ p: UnsafeRawPointer) {
    let packed = p.loadUnaligned(as: SIMD16<UInt8>.self)
    quants.lowHalf = packed & 15
    quants.highHalf = packed &>> 4
  }

  private mutating func addFifthBits(_ p: UnsafeRawPointer) {
    let bits = p.loadUnaligned(as: UInt32.self).littleEndian
    for i in 0..<32 { quants[i] |= UInt8(truncatingIfNeeded: (bits >> UInt32(i)) & 1) << 4 }
  }

  // MARK: Blocks of 256

  private init(super type: TensorType, _ p: UnsafeRawPointer, _ block: Int) {
    switch type {
    case .q4_K:
      readScaleAndMinimum(p, block)
      readHalfBytes(p + 16, block)
    case .q5_K:
      readScaleAndMinimum(p, block)
      readHalfBytes(p + 48, block)
      let high = (p + 16).loadUnaligned(as: SIMD32<UInt8>.self)
      quants |= ((high &>> UInt8(block)) & 1) &<< 4
    default:
      readSixBits(p, block)
    }
  }

  /// Two blocks share 32 bytes: the even one has the low nibbles.
  private mutating func readHalfBytes(_ p: UnsafeRawPointer, _ block: Int) {
    let packed = (p + block / 2 * 32).loadUnaligned(as: SIMD32<UInt8>.self)
    quants = block % 2 == 0 ? packed & 15 : packed &>> 4
  }

  /// The 8 six-bit scales and minimums of a super-block, packed into 12 bytes.
  static func packedScale(_ p: UnsafeRawPointer, _ block: Int) -> (scale: UInt8, minimum: UInt8) {
    func byte(_ i: Int) -> UInt8 { p.load(fromByteOffset: i, as: UInt8.self) }
    if block < 4 { return (byte(block) & 63, byte(block + 4) & 63) }
    return (
      (byte(block + 4) & 15) | ((byte(block - 4) >> 6) << 4),
      (byte(block + 4) >> 4) | ((byte(block) >> 6) << 4)
    )
  }

  private mutating func readScaleAndMinimum(_ p: UnsafeRawPointer, _ block: Int) {
    let packed = Self.packedScale(p + 4, block)
    scale = half(p) * Float(packed.scale)
    secondScale = scale
    minimum = -(half(p + 2) * Float(packed.minimum))
  }

  private mutating func readSixBits(_ p: UnsafeRawPointer, _ block: Int) {
    let part = block / 4
    let quarter = block % 4
    let low = (p + part * 64 + quarter % 2 * 32).loadUnaligned(as: SIMD32<UInt8>.self)
    let high = (p + 128 + part * 32).loadUnaligned(as: SIMD32<UInt8>.self)
    quants = (quarter < 2 ? low & 15 : low &>> 4) | (((high &>> UInt8(2 * quarter)) & 3) &<< 4)
    offset = 32
    let factors = Self.sixBitFactors(p, block)
    scale = half(p + 208) * Float(factors.first)
    secondScale = half(p + 208) * Float(factors.second)
  }

  /// The signed scales of a Q6_K block's two halves.
  static func sixBitFactors(_ p: UnsafeRawPointer, _ block: Int) -> (first: Int8, second: Int8) {
    (
      p.load(fromByteOffset: 192 + 2 * block, as: Int8.self),
      p.load(fromByteOffset: 193 + 2 * block, as: Int8.self)
    )
  }
}

/// The IEEE half at `p`, as a float.
@inline(__always)
func half(_ p: UnsafeRawPointer) -> Float {
  let bits = UInt32(p.loadUnaligned(as: UInt16.self).littleEndian)
  let magnitude = Float(bitPattern: (bits & 0x7FFF) << 13) * 0x1p112
  let special: UInt32 = bits & 0x7C00 == 0x7C00 ? 0x7F80_0000 : 0
  return Float(bitPattern: magnitude.bitPattern | special | (bits & 0x8000) << 16)
}

/// Dequantizes `count` values of a row of `type` to float32, with ggml's arithmetic.
///
/// - Parameter count: a multiple of the type's block.
func dequantize(
  _ type: TensorType, _ row: UnsafeRawPointer, count: Int, into output: UnsafeMutablePointer<Float>
) {
  switch type {
  case .f32:
    UnsafeMutableRawPointer(output).copyMemory(from: row, byteCount: count * 4)
  case .f16:
    for i in 0..<count { output[i] = half(row + 2 * i) }
  case .bf16:
    for i in 0..<count {
      let bits = UInt32((row + 2 * i).loadUnaligned(as: UInt16.self).littleEndian)
      output[i] = Float(bitPattern: bits << 16)
    }
  default:
    for index in 0..<count / 32 {
      let block = QuantizedBlock(type, row, index)
      let target = output + index * 32
      for i in 0..<16 {
        target[i] = block.scale * (Float(block.quants[i]) - block.offset) + block.minimum
      }
      for i in 16..<32 {
        target[i] = block.secondScale * (Float(block.quants[i]) - block.offset) + block.minimum
      }
    }
  }
}
