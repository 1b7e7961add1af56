/// Where a position's key and value go, in a cache in fixed point (`AttentionSpan` says how they lie).
public struct FixedPlace {
  /// The key's first columns.
  public var key: UnsafeMutableRawPointer
  /// The value's first quant.
  public var value: UnsafeMutableRawPointer
  /// The key's scale and the value's.
  public var keyScale, valueScale: UnsafeMutablePointer<Float>
  /// The key's norm, where it is kept.
  public var keyNorm: UnsafeMutablePointer<Float>?

  @inlinable
  public init(
    key: UnsafeMutableRawPointer, value: UnsafeMutableRawPointer,
    keyScale: UnsafeMutablePointer<Float>, valueScale: UnsafeMutablePointer<Float>,
    keyNorm: UnsafeMutablePointer<Float>?
  ) {
    self.key = key
    self.value = value
    self.keyScale = keyScale
    self.valueScale = valueScale
    self.keyNorm = keyNorm
  }
}

/// Stores a key and a value, [headSize] each, a multiple of 16, in fixed point. What is at `key` changes.
@inlinable @inline(__always)
public func storeFixed<I: VectorISA, K: KeyStorage>(
  _ isa: I.Type, _ keys: K.Type, key: UnsafeMutablePointer<Float>, value: UnsafePointer<Float>,
  headSize: Int, at place: FixedPlace
) {
  if K.mixes { mixHead(isa, key, count: headSize) }
  let lanes = PanelGeometry.rows
  withUnsafeTemporaryAllocation(byteCount: 32, alignment: 16) { quants in
    let quants = quants.baseAddress.unsafelyUnwrapped
    let (keyScale, keyInverse, norm) = fixedScale(
      isa, key, headSize, limit: K.limit, byNorm: K.scalesByNorm)
    place.keyScale.pointee = keyScale
    place.keyNorm?.pointee = norm
    var i = 0
    while i < headSize {
      let rounded = I.round(I.multiply(I.load(key + i), I.splat(keyInverse)))
      K.store(isa, I.add(rounded, I.splat(K.offset)), quants)
      // Four bytes a lane.
      var part = 0
      while part < lanes / K.step {
        (place.key + (i / K.step &+ part) &* (4 &* lanes)).copyMemory(
          from: quants + 4 &* part, byteCount: 4)
        part &+= 1
      }
      i &+= lanes
    }
    let (valueScale, valueInverse, _) = fixedScale(
      isa, value, headSize, limit: ByteValues.limit, byNorm: false)
    place.valueScale.pointee = valueScale
    // Weights are rounded with their values' scales, their sum has the keys'.
    if valueScale.isNaN { place.keyScale.pointee = valueScale }
    i = 0
    while i < headSize {
      I.storeLowBytes(I.round(I.multiply(I.load(value + i), I.splat(valueInverse))), quants)
      // Between those of the positions that share its lanes.
      var j = 0
      while j < lanes {
        (place.value + ByteValues.step &* (i &+ j)).copyMemory(from: quants + j, byteCount: 1)
        j &+= 1
      }
      i &+= lanes
    }
  }
}

/// The scale of a vector, what it is multiplied with to be quantized, and its Euclidean norm.
@inlinable @inline(__always)
func fixedScale<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, _ count: Int, limit: Float, byNorm: Bool
) -> (scale: Float, inverse: Float, norm: Float) {
  let norm = sumOfSquares(isa, x, count).squareRoot()
  // Among others a number that is none would be lost.
  guard norm.isFinite else { return (.nan, 0, norm) }
  let size = byNorm ? norm : largestMagnitude(isa, x, count)
  // Below this the reciprocal overflows; such a vector is zero to float32's precision.
  guard size > 1e-30 else { return (0, 0, norm) }
  return (size / limit, limit / size, norm)
}

@inlinable @inline(__always)
func largestMagnitude<I: VectorISA>(_ isa: I.Type, _ x: UnsafePointer<Float>, _ count: Int)
  -> Float
{
  var largest = I.magnitude(I.load(x))
  var i = 16
  while i < count {
    largest = I.maximum(largest, I.magnitude(I.load(x + i)))
    i &+= 16
  }
  return I.largest(largest)
}

/// The largest of a full span's numbers.
@inlinable @inline(__always)
func largestOfSpan<I: VectorISA>(_ isa: I.Type, _ numbers: UnsafePointer<Float>) -> Float {
  var most = I.load(numbers)
  var i = PanelGeometry.rows
  while i < AttentionSpan.positions {
    most = I.maximum(most, I.load(numbers + i))
    i &+= PanelGeometry.rows
  }
  return I.largest(most)
}
