/// Keys and queries as int16, scaled by their Euclidean norm: that of a vector's quants is at most `limit` and rounding,
/// so that by Cauchy and Schwarz a score is within int32.
public enum ShortKeys: KeyStorage {
  @inlinable @inline(__always) public static var bytes: Int { 2 }
  @inlinable @inline(__always) public static var step: Int { 2 }
  @inlinable @inline(__always) public static var limit: Float { 32_700 }
  @inlinable @inline(__always) public static var scalesByNorm: Bool { true }
  @inlinable @inline(__always) public static var offset: Int32 { 0 }
  @inlinable @inline(__always) public static var mixes: Bool { false }
  @inlinable @inline(__always) public static var weightGroup: Int { 32 }

  @inlinable @inline(__always)
  public static func store<I: VectorISA>(
    _ isa: I.Type, _ quants: I.Ints, _ target: UnsafeMutableRawPointer
  ) { I.storeLowHalves(quants, target) }

  @inlinable @inline(__always)
  public static func quantizeQuery<I: VectorISA>(
    _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, count: Int
  ) -> Float {
    let (scale, inverse, _) = fixedScale(isa, x, count, limit: limit, byNorm: true)
    var i = 0
    while i < count {
      I.storeLowHalves(
        I.round(I.multiply(I.load(x + i), I.splat(inverse))), UnsafeMutableRawPointer(x) + 2 &* i)
      i &+= PanelGeometry.rows
    }
    return scale
  }

  @inlinable @inline(__always)
  public static func firstScore<I: VectorISA>(
    _ isa: I.Type, _ query: UnsafeRawPointer, count: Int
  ) -> I.Ints { I.splat(Int32(0)) }

  @inlinable @inline(__always)
  public static func addScores<I: VectorISA>(
    _ isa: I.Type, _ sum: I.Ints, _ keys: I.Bytes, _ query: UnsafeRawPointer
  ) -> I.Ints { I.dotPairs(sum, keys, query) }

  @inlinable @inline(__always)
  public static func largestNorm<I: VectorISA>(_ isa: I.Type, _ span: AttentionSpan) -> Float {
    largestOfSpan(isa, span.keyScales.unsafelyUnwrapped) * limit
  }

  @inlinable @inline(__always)
  public static func queryNorm(_ span: AttentionSpan, _ row: Int) -> Float {
    span.queryScales.unsafelyUnwrapped[row] * limit
  }
}
