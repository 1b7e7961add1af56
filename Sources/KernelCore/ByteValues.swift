/// Values as int8, with one scale a vector, and weights as 255ths of the largest of 32. What rounds them is averaged
/// over positions: the cost is a fraction of what it is for keys (docs/accuracy.md).
public enum ByteValues {
  /// Positions of a value that a lane has.
  @inlinable @inline(__always) static var step: Int { 4 }
  @inlinable @inline(__always) static var limit: Float { 127 }
  @inlinable @inline(__always) static var weightLimit: Float { 255 }
  /// Positions whose weights share a scale; a span has eight groups.
  @inlinable @inline(__always) static var group: Int { 32 }

  /// The scale of a group of a row's weights.
  @inlinable @inline(__always)
  static func scale(_ row: UnsafePointer<Float>, group: Int) -> Float {
    (row + AttentionSpan.positions / 2)[place(of: group)]
  }

  /// Where `findScales` has what belongs to a group, of 16 floats: the first two groups in lanes 0 and 1, the next two
  /// in lanes 4 and 5.
  @inlinable @inline(__always)
  static func place(of group: Int) -> Int { 2 &* group &- (group & 1) }

  /// Positions whose weights are stored together.
  @inlinable @inline(__always) static var together: Int { 64 }

  /// What a row's weights are multiplied with to make quants of them, and the quants' scales.
  ///
  /// - Parameters:
  ///   - end: positions that have weights, a multiple of `together`.
  ///   - inverses, scales: room for 16 floats (`place`).
  @inlinable @inline(__always)
  static func findScales<I: VectorISA>(
    _ isa: I.Type, _ weights: UnsafePointer<Float>, end: Int,
    inverses: UnsafeMutablePointer<Float>, scales: UnsafeMutablePointer<Float>
  ) {
    let lanes = PanelGeometry.rows
    @inline(__always) func largest(_ index: Int) -> I.Floats {
      guard index &* group < end else { return I.splat(Float(0)) }
      let first = weights + index &* group
      return I.maximum(I.load(first), I.load(first + lanes))
    }
    let most = I.maximum(
      I.alternateFourths(
        I.largestOfEach(largest(0), largest(2), largest(4), largest(6)),
        I.largestOfEach(largest(1), largest(3), largest(5), largest(7))),
      I.splat(Float(1e-34)))
    I.store(I.divide(I.splat(weightLimit), most), inverses)
    I.store(I.multiply(most, I.splat(1 / weightLimit)), scales)
  }

  /// Replaces a row's weights by their quants, and puts the scales of groups behind those of a whole span (`scale`).
  ///
  /// - Parameters:
  ///   - end, inverses, scales: those of `findScales`.
  @inlinable @inline(__always)
  static func storeWeights<I: VectorISA>(
    _ isa: I.Type, _ weights: UnsafeMutablePointer<Float>, end: Int,
    inverses: UnsafePointer<Float>, scales: UnsafePointer<Float>
  ) {
    let lanes = PanelGeometry.rows
    // Added to it a float is rounded, and its lowest bits are the whole number.
    let large = I.splat(Float(12_582_912))
    var i = 0
    while i < end {
      let first = weights + i
      @inline(__always) func rounded(_ vector: Int, _ inverse: I.Floats) -> I.Ints {
        I.bitPattern(I.fma(I.load(first + vector &* lanes), inverse, large))
      }
      let inverse = I.splat(inverses[place(of: i / group)])
      let next = I.splat(inverses[place(of: i / group &+ 1)])
      let numbers = (
        rounded(0, inverse), rounded(1, inverse), rounded(2, next), rounded(3, next)
      )
      I.storeWeights(numbers, UnsafeMutableRawPointer(weights) + i &* I.weightBytes)
      i &+= together
    }
    I.store(I.load(scales), weights + AttentionSpan.positions / 2)
  }
}
