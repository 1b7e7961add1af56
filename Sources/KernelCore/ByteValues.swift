/// Values as int8, with one scale a vector, and weights as 255ths of the largest of a group
/// (`KeyStorage.weightGroup`). What rounds them is averaged over positions: the cost is a fraction of what it is for keys
/// (docs/accuracy.md).
public enum ByteValues {
  /// Positions of a value that a lane has.
  @inlinable @inline(__always) static var step: Int { 4 }
  @inlinable @inline(__always) static var limit: Float { 127 }
  @inlinable @inline(__always) static var weightLimit: Float { 255 }

  /// The scale of a group of a row's weights.
  @inlinable @inline(__always)
  static func scale(_ row: UnsafePointer<Float>, group: Int) -> Float {
    (row + AttentionSpan.positions / 2)[group]
  }

  /// Positions whose weights are stored together, a multiple of a group.
  @inlinable @inline(__always) static var together: Int { 64 }

  /// The largest weight of each group of a row, one after the other.
  ///
  /// - Parameters:
  ///   - group: positions of a group, 32 or 64, a constant of the caller.
  ///   - end: positions that have weights, a multiple of `together`.
  ///   - target: room for all groups of a span.
  @inlinable @inline(__always)
  static func findLargest<I: VectorISA>(
    _ isa: I.Type, _ weights: UnsafePointer<Float>, group: Int, end: Int,
    _ target: UnsafeMutablePointer<Float>
  ) {
    let lanes = PanelGeometry.rows
    @inline(__always) func largest(_ index: Int) -> I.Floats {
      guard index &* group < end else { return I.splat(Float(0)) }
      let first = weights + index &* group
      @inline(__always) func ofTwo(_ vector: Int) -> I.Floats {
        I.maximum(I.load(first + vector &* lanes), I.load(first + (vector &+ 1) &* lanes))
      }
      return group == 2 &* lanes ? ofTwo(0) : I.maximum(ofTwo(0), ofTwo(2))
    }
    var index = 0
    while index &* group < AttentionSpan.positions {
      I.storeFourths(
        I.largestOfEach(
          largest(index), largest(index &+ 1), largest(index &+ 2), largest(index &+ 3)),
        target + index)
      index &+= 4
    }
  }

  /// Replaces groups' largest weights by the quants' scales, and puts at `inverses` what weights are multiplied with to
  /// make quants of them, negated.
  ///
  /// - Parameter count: rounded up to 16, which both have room for.
  @inlinable @inline(__always)
  static func findScales<I: VectorISA>(
    _ isa: I.Type, _ largest: UnsafeMutablePointer<Float>, count: Int,
    inverses: UnsafeMutablePointer<Float>
  ) {
    var i = 0
    while i < count {
      let most = I.maximum(I.load(largest + i), I.splat(Float(1e-34)))
      I.store(I.divide(I.splat(-weightLimit), most), inverses + i)
      I.store(I.multiply(most, I.splat(1 / weightLimit)), largest + i)
      i &+= PanelGeometry.rows
    }
  }

  /// Replaces a row's weights by their quants, and puts the scales of groups behind those of a whole span (`scale`).
  ///
  /// - Parameters:
  ///   - group, end: those of `findLargest`.
  ///   - inverses, scales: those of `findScales`, from the row's first group on; 16 of the scales are read.
  @inlinable @inline(__always)
  static func storeWeights<I: VectorISA>(
    _ isa: I.Type, _ weights: UnsafeMutablePointer<Float>, group: Int, end: Int,
    inverses: UnsafePointer<Float>, scales: UnsafePointer<Float>
  ) {
    let lanes = PanelGeometry.rows
    // What is subtracted from it is rounded, and the lowest bits are the whole number.
    let large = I.splat(Float(-12_582_912))
    var i = 0
    while i < end {
      let first = weights + i
      @inline(__always) func rounded(_ vector: Int, _ inverse: I.Floats) -> I.Ints {
        I.bitPattern(I.fma(I.load(first + vector &* lanes), inverse, large))
      }
      let inverse = I.splat(inverses[i / group])
      let next = I.splat(inverses[(i &+ together / 2) / group])
      let numbers = (
        rounded(0, inverse), rounded(1, inverse), rounded(2, next), rounded(3, next)
      )
      I.storeWeights(numbers, UnsafeMutableRawPointer(weights) + i &* I.weightBytes)
      i &+= together
    }
    I.store(I.load(scales), weights + AttentionSpan.positions / 2)
  }
}
