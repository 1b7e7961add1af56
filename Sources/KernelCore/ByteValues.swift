/// Values as int8, with one scale a vector, and weights as 255ths of the largest of 32. What rounds them is averaged
/// over positions: the cost is a fraction of what it is for keys (docs/accuracy.md).
public enum ByteValues {
  /// Positions of a value that a lane has.
  @inlinable @inline(__always) static var step: Int { 4 }
  @inlinable @inline(__always) static var limit: Float { 127 }
  @inlinable @inline(__always) static var weightLimit: Float { 255 }
  /// Positions whose weights share a scale; a span has eight groups.
  @inlinable @inline(__always) static var group: Int { 32 }

  /// Where the scales of a row's weights are.
  @inlinable @inline(__always)
  static func scales(_ row: UnsafePointer<Float>) -> UnsafePointer<Float> {
    row + AttentionSpan.positions / 2
  }

  /// Replaces a row's weights by their quants, zero from `seen` to `end`, and puts the scales of groups behind those of
  /// a whole span (`scales`).
  ///
  /// - Parameter place: room for 16 floats.
  @inlinable @inline(__always)
  static func storeWeights<I: VectorISA>(
    _ isa: I.Type, _ weights: UnsafeMutablePointer<Float>, seen: Int, end: Int,
    place: UnsafeMutablePointer<Float>
  ) {
    let lanes = PanelGeometry.rows
    let quants = UnsafeMutableRawPointer(weights)
    @inline(__always) func largest(_ index: Int) -> I.Floats {
      var i = index &* group
      let stop = min(i &+ group, seen)
      var most = I.splat(Float(0))
      while i < stop {
        most = I.maximum(most, I.load(weights + i))
        i &+= lanes
      }
      return most
    }
    // Of four groups each: a span has eight.
    @inline(__always) func largestOfFour(_ index: Int) -> I.Floats {
      I.maximum(
        I.largestOfEach(
          largest(index), largest(index &+ 1), largest(index &+ 2), largest(index &+ 3)),
        I.splat(Float(1e-34)))
    }
    let (first, second) = (largestOfFour(0), largestOfFour(4))
    I.storeFourths(I.divide(I.splat(weightLimit), first), place)
    I.storeFourths(I.divide(I.splat(weightLimit), second), place + 4)
    // Added to it a float is rounded, and its lowest bits are the whole number.
    let large = I.splat(Float(12_582_912))
    var i = 0
    while i < seen {
      let inverse = I.splat(place[i / group])
      I.storeWeights(
        I.bitPattern(I.fma(I.load(weights + i), inverse, large)), quants + i &* I.weightBytes)
      i &+= lanes
    }
    while i < end {
      I.storeWeights(I.splat(Int32(0)), quants + i &* I.weightBytes)
      i &+= lanes
    }
    let scales = UnsafeMutablePointer(mutating: self.scales(weights))
    I.storeFourths(I.multiply(first, I.splat(1 / weightLimit)), scales)
    I.storeFourths(I.multiply(second, I.splat(1 / weightLimit)), scales + 4)
  }
}
