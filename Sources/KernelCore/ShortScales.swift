/// Scales of blocks as int16, of four-bit weights and of what they are multiplied with.
///
/// The products of a block of 32 four-bit weights (-8 to 7) with eight-bit activations are within ±32512: of two blocks
/// they fit in one vector of int16, and so do the products of their scales. One instruction then multiplies the scales of
/// both blocks, and one adds their products to the row's sum, where floats take two for each block (docs/performance.md,
/// "Two blocks at a time").
///
/// Scales are multiples of a unit of their row. The unit of a row of weights is a power of two that makes the largest
/// scale 16384 to 32767 units: scales have 11 bits in the file, and are exact down to a sixteenth of the largest.
///
/// Of a row of activations all scales together are at most 66051 units, and so are their products with scales of weights:
/// times 32512 that is less than 2^31, and a row's sum is an int32. Each of them is at most 32767 units.
@usableFromInline enum ShortScales {
  /// The largest short scale.
  @inlinable @inline(__always) static var largest: Float { 32767 }
  /// The sum of `blockCount` scales before they are rounded, by half a unit each: of up to 65536.
  @inlinable @inline(__always)
  static func largestSum(blockCount: Int) -> Float { Float(max(66_000 &- blockCount / 2, 1)) }

  /// The units of 16 rows of weights.
  ///
  /// - Parameter powers: of each row the largest power of two that is not above the largest scale, and infinity where
  ///   one is not finite: then the unit is infinite as well, and no result is finite.
  @inlinable @inline(__always)
  static func units<I: VectorISA>(_ isa: I.Type, _ powers: I.Floats) -> I.Floats {
    // There are no smaller binary16 numbers than 2^-24.
    I.multiply(I.maximum(powers, I.splat(0x1p-24)), I.splat(0x1p-14))
  }

  /// Scales of weights as multiples of units.
  @inlinable @inline(__always)
  static func round<I: VectorISA>(_ isa: I.Type, _ scales: I.Floats, units: I.Floats) -> I.Ints {
    // To divide by a power of two is exact.
    I.round(I.multiply(scales, I.divide(I.splat(Float(1)), units)))
  }

  /// The scales of a block of weights.
  ///
  /// - Parameter pairs: 16 pairs of short scales, of the blocks `block & ~1` and `block | 1`, with units in front.
  @inlinable @inline(__always)
  static func scales<I: VectorISA>(
    _ isa: I.Type, _ pairs: UnsafeRawPointer, _ block: Int, units: I.Floats
  ) -> I.Floats {
    // Read from two bytes before, the first block's are in the upper halves. A branch instead made the compiler load a
    // tile's activations before it and keep them on the stack: of two planes nearly twice as slow (docs/performance.md, "Two
    // products and one load").
    let halves = I.loadBytes(pairs + (2 &* (block & 1) &- 2))
    return I.multiply(I.convert(I.highHalves(halves)), units)
  }
}
