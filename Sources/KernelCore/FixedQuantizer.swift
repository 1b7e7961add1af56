/// Where a position's key goes, in a cache in fixed point (`AttentionSpan` says how it lies).
public struct KeyPlace {
  /// The key's first columns.
  public var quants: UnsafeMutableRawPointer
  public var scale: UnsafeMutablePointer<Float>
  /// The key's norm, where it is kept.
  public var norm: UnsafeMutablePointer<Float>?

  @inlinable
  public init(
    quants: UnsafeMutableRawPointer, scale: UnsafeMutablePointer<Float>,
    norm: UnsafeMutablePointer<Float>?
  ) {
    self.quants = quants
    self.scale = scale
    self.norm = norm
  }
}

/// Stores a key [headSize], a multiple of 16, in fixed point. What is at `key` changes where it is mixed.
@inlinable @inline(__always)
public func storeKey<I: VectorISA, K: KeyStorage>(
  _ isa: I.Type, _ keys: K.Type, _ key: UnsafeMutablePointer<Float>, headSize: Int,
  at place: KeyPlace
) {
  if K.mixes { mixHead(isa, key, count: headSize) }
  let lanes = PanelGeometry.rows
  let (scale, inverse, norm) = fixedScale(
    isa, key, headSize, limit: K.limit, byNorm: K.scalesByNorm)
  place.scale.pointee = scale
  place.norm?.pointee = norm
  withUnsafeTemporaryAllocation(byteCount: 32, alignment: 16) { quants in
    let quants = quants.baseAddress.unsafelyUnwrapped
    var i = 0
    while i < headSize {
      let rounded = I.round(I.multiply(I.load(key + i), I.splat(inverse)))
      K.store(isa, I.add(rounded, I.splat(K.offset)), quants)
      // Four bytes a lane.
      var part = 0
      while part < lanes / K.step {
        (place.quants + (i / K.step &+ part) &* (4 &* lanes)).copyMemory(
          from: quants + 4 &* part, byteCount: 4)
        part &+= 1
      }
      i &+= lanes
    }
  }
}

/// Stores a value [headSize], a multiple of 16, as int8 from `quants` on, between those of the positions that share its
/// lanes.
///
/// - Returns: its scale.
@inlinable @inline(__always)
public func storeValue<I: VectorISA>(
  _ isa: I.Type, _ value: UnsafePointer<Float>, headSize: Int, at quants: UnsafeMutableRawPointer
) -> Float {
  let lanes = PanelGeometry.rows
  let (scale, inverse, _) = fixedScale(
    isa, value, headSize, limit: ByteValues.limit, byNorm: false)
  withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { rounded in
    let rounded = rounded.baseAddress.unsafelyUnwrapped
    var i = 0
    while i < headSize {
      I.storeLowBytes(I.round(I.multiply(I.load(value + i), I.splat(inverse))), rounded)
      var j = 0
      while j < lanes {
        (quants + ByteValues.step &* (i &+ j)).copyMemory(from: rounded + j, byteCount: 1)
        j &+= 1
      }
      i &+= lanes
    }
  }
  return scale
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
