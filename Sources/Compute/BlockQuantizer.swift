import GGUF

/// Quantizes `count` values of a row to `type`, as ggml's reference code does (`quantize_row_*_ref` in
/// `ggml-quants.c`; gguf-py's `quants.py` gives the same bytes).
///
/// - Parameters:
///   - type: one of `TensorType.writable`.
///   - count: a multiple of the type's block.
///   - output: `count / blockValues * blockBytes` bytes.
func quantize(
  _ type: TensorType, _ row: UnsafePointer<Float>, count: Int, into output: UnsafeMutableRawPointer
) {
  func forEachBlock(_ body: (UnsafePointer<Float>, UnsafeMutableRawPointer) -> Void) {
    for block in 0..<count / type.blockValues {
      body(row + block * type.blockValues, output + block * type.blockBytes)
    }
  }
  switch type {
  case .f32: output.copyMemory(from: row, byteCount: count * 4)
  case .f16: forEachBlock { storeHalf($0[0], $1) }
  case .bf16:
    forEachBlock { $1.storeBytes(of: bfloat16($0[0]).littleEndian, as: UInt16.self) }
  case .q4_0: forEachBlock { quantizeAroundZero($0, levels: 8, high: nil, low: $1 + 2, scale: $1) }
  case .q5_0:
    forEachBlock { quantizeAroundZero($0, levels: 16, high: $1 + 2, low: $1 + 6, scale: $1) }
  case .q4_1: forEachBlock { quantizeFromMinimum($0, steps: 15, high: nil, low: $1 + 4, scale: $1) }
  case .q5_1:
    forEachBlock { quantizeFromMinimum($0, steps: 31, high: $1 + 4, low: $1 + 8, scale: $1) }
  case .q8_0: forEachBlock(quantizeBytes)
  default: forEachBlock(quantizeSixBits)
  }
}

extension TensorType {
  /// The types that Swiftlet writes.
  public static let writable: [TensorType] = [
    .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q6_K,
  ]
}

// MARK: Blocks of 32

/// Q4_0 and Q5_0: the value farthest from zero becomes `-levels`.
private func quantizeAroundZero(
  _ values: UnsafePointer<Float>, levels: Float, high: UnsafeMutableRawPointer?,
  low: UnsafeMutableRawPointer, scale: UnsafeMutableRawPointer
) {
  let d = farthestFromZero(values, 32) / -levels
  storeHalf(d, scale)
  let inverse = d == 0 ? 0 : 1 / d
  storeQuants(high: high, low: low) { i in
    quant(values[i] * inverse + (levels + 0.5), atMost: 2 * levels - 1)
  }
}

/// Q4_1 and Q5_1: the smallest value becomes 0, the largest `steps`.
private func quantizeFromMinimum(
  _ values: UnsafePointer<Float>, steps: Float, high: UnsafeMutableRawPointer?,
  low: UnsafeMutableRawPointer, scale: UnsafeMutableRawPointer
) {
  var (smallest, largest) = (values[0], values[0])
  for i in 1..<32 {
    smallest = min(smallest, values[i])
    largest = max(largest, values[i])
  }
  let d = (largest - smallest) / steps
  storeHalf(d, scale)
  storeHalf(smallest, scale + 2)
  let inverse = d == 0 ? 0 : 1 / d
  storeQuants(high: high, low: low) { i in
    quant((values[i] - smallest) * inverse + 0.5, atMost: steps)
  }
}

/// Q8_0: rounded to the nearest, halves away from zero.
private func quantizeBytes(_ values: UnsafePointer<Float>, _ output: UnsafeMutableRawPointer) {
  let d = abs(farthestFromZero(values, 32)) / 127
  storeHalf(d, output)
  let inverse = d == 0 ? 0 : 1 / d
  for i in 0..<32 {
    let q = (values[i] * inverse).rounded(.toNearestOrAwayFromZero)
    (output + 2 + i).storeBytes(of: Int8(max(-127, min(127, q))), as: Int8.self)
  }
}

/// The whole part of `value`, from 0 to `most`. What is no number becomes 0.
private func quant(_ value: Float, atMost most: Float) -> UInt8 {
  value > 0 ? UInt8(min(value, most)) : 0
}

/// Quant i lies in the low nibble of byte i, quant i + 16 in its high one, fifth bits in `high`.
private func storeQuants(
  high: UnsafeMutableRawPointer?, low: UnsafeMutableRawPointer, _ quant: (Int) -> UInt8
) {
  var fifthBits: UInt32 = 0
  for i in 0..<16 {
    let (a, b) = (quant(i), quant(i + 16))
    low.storeBytes(of: (a & 15) | (b & 15) << 4, toByteOffset: i, as: UInt8.self)
    fifthBits |= UInt32(a >> 4) << UInt32(i) | UInt32(b >> 4) << UInt32(i + 16)
  }
  high?.storeBytes(of: fifthBits.littleEndian, as: UInt32.self)
}

/// The value of the largest magnitude, the first of several.
private func farthestFromZero(_ values: UnsafePointer<Float>, _ count: Int) -> Float {
  var farthest = values[0]
  for i in 1..<count where abs(values[i]) > abs(farthest) { farthest = values[i] }
  return farthest
}

// MARK: Blocks of 256

/// Below this a group counts as all zero (ggml's `GROUP_MAX_EPS`).
private let smallestGroup: Float = 1e-15

/// Q6_K: 16 groups of 16 values, each with a signed scale of its own.
private func quantizeSixBits(_ values: UnsafePointer<Float>, _ output: UnsafeMutableRawPointer) {
  var groupScales = [Float](repeating: 0, count: 16)
  // Groups whose scale becomes 0 keep the levels of their search, as in ggml.
  var quants = [UInt8](repeating: 0, count: 256)
  for group in 0..<16 {
    groupScales[group] = searchScale(values + 16 * group) { quants[16 * group + $0] = $1 }
  }
  let largest = groupScales.withUnsafeBufferPointer {
    farthestFromZero($0.baseAddress.unsafelyUnwrapped, 16)
  }
  output.initializeMemory(as: UInt8.self, repeating: 0, count: TensorType.q6_K.blockBytes)
  guard abs(largest) >= smallestGroup else { return }

  let inverse = -128 / largest
  storeHalf(1 / inverse, output + 208)
  let d = half(output + 208)
  for group in 0..<16 {
    let scale = Int8(max(-128, min(127, (inverse * groupScales[group]).rounded(.toNearestOrEven))))
    (output + 192 + group).storeBytes(of: scale, as: Int8.self)
    let step = d * Float(scale)
    guard step != 0 else { continue }
    for i in 16 * group..<16 * group + 16 {
      quants[i] = UInt8(nearest(values[i] / step, 32) + 32)
    }
  }
  for part in 0..<2 {
    for i in 0..<32 {
      let q = (0..<4).map { quants[part * 128 + $0 * 32 + i] }
      let nibbles = output + part * 64 + i
      nibbles.storeBytes(of: (q[0] & 15) | (q[2] & 15) << 4, as: UInt8.self)
      nibbles.storeBytes(of: (q[1] & 15) | (q[3] & 15) << 4, toByteOffset: 32, as: UInt8.self)
      let high = q.enumerated().reduce(UInt8(0)) { $0 | ($1.element >> 4) << UInt8(2 * $1.offset) }
      (output + 128 + part * 32 + i).storeBytes(of: high, as: UInt8.self)
    }
  }
}

/// The scale whose 64 levels lie closest to 16 values, errors weighted by the values' squares: the best
/// of 19 (ggml's `make_qx_quants` with `rmse_type` 1).
///
/// - Parameter store: told the place and the level, from 0, of each value.
private func searchScale(_ values: UnsafePointer<Float>, store: (Int, UInt8) -> Void) -> Float {
  let farthest = farthestFromZero(values, 16)
  guard abs(farthest) >= smallestGroup else { return 0 }
  var (scale, best): (Float, Float) = (0, 0)
  // ggml tries the middle first, and keeps it where others are no better.
  for step in [0] + Array(-9 ... -1) + Array(1...9) {
    let inverse = -(32 + 0.1 * Float(step)) / farthest
    var (product, square): (Float, Float) = (0, 0)
    for i in 0..<16 {
      let level = Float(nearest(inverse * values[i], 32))
      let weight = values[i] * values[i]
      product += weight * values[i] * level
      square += weight * level * level
    }
    guard step == 0 || square > 0 && product * product > best * square else { continue }
    for i in 0..<16 { store(i, UInt8(nearest(inverse * values[i], 32) + 32)) }
    scale = square > 0 ? product / square : 0
    best = scale * product
  }
  return scale
}

/// The nearest whole number from `-levels` to `levels` - 1, halves to even.
private func nearest(_ value: Float, _ levels: Float) -> Int {
  Int(max(-levels, min(levels - 1, value.rounded(.toNearestOrEven))))
}

// MARK: Floats of 16 bits

private func storeHalf(_ value: Float, _ output: UnsafeMutableRawPointer) {
  output.storeBytes(of: halfBits(value).littleEndian, as: UInt16.self)
}

/// `value` as an IEEE half, rounded to the nearest, ties to even.
func halfBits(_ value: Float) -> UInt16 {
  let sign = UInt16(value.bitPattern >> 16) & 0x8000
  let magnitude = value.bitPattern & 0x7FFF_FFFF
  if magnitude > 0x7F80_0000 { return sign | 0x7E00 }  // NaN
  if magnitude >= 0x4780_0000 { return sign | 0x7C00 }  // 65536 and more
  if magnitude < 0x3880_0000 {
    // Below 2^-14: adding 0.5 leaves multiples of 2^-24 in the low bits, rounded by the sum itself.
    let sum = Float(bitPattern: magnitude) + 0.5
    return sign | UInt16(truncatingIfNeeded: sum.bitPattern &- 0x3F00_0000)
  }
  let rounded = magnitude &+ 0x0FFF &+ ((magnitude >> 13) & 1)
  return sign | UInt16(truncatingIfNeeded: (rounded &- 0x3800_0000) >> 13)
}

/// The upper half of `value`, rounded to the nearest, ties to even.
private func bfloat16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(bits >> 16) | 64 }
  let tie = (bits >> 16) & 1
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ tie) >> 16)
}
