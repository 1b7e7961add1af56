/// Keys and queries as int8, with one scale a vector: half the bytes and half the instructions of `ShortKeys`.
///
/// What makes eight bits enough is that both are mixed first: a few columns with large values would leave the others few
/// bits (docs/accuracy.md).
public enum ByteKeys: KeyStorage {
  @inlinable @inline(__always) public static var bytes: Int { 1 }
  @inlinable @inline(__always) public static var step: Int { 4 }
  @inlinable @inline(__always) public static var limit: Float { 127 }
  @inlinable @inline(__always) public static var scalesByNorm: Bool { false }
  /// Keys are the unsigned operand: a product is too large by 128 times the query's quant.
  @inlinable @inline(__always) public static var offset: Int32 { 128 }
  @inlinable @inline(__always) public static var mixes: Bool { true }
  /// Weights of positions that are far differ less: 64 of them are as close to exact as 32 (docs/accuracy.md).
  @inlinable @inline(__always) public static var weightGroup: Int { 64 }

  @inlinable @inline(__always)
  public static func store<I: VectorISA>(
    _ isa: I.Type, _ quants: I.Ints, _ target: UnsafeMutableRawPointer
  ) { I.storeLowBytes(quants, target) }

  /// Behind the quants: -128 times their sum, and the query's norm.
  @inlinable @inline(__always)
  public static func quantizeQuery<I: VectorISA>(
    _ isa: I.Type, _ x: UnsafeMutablePointer<Float>, count: Int
  ) -> Float {
    mixHead(isa, x, count: count)
    let (scale, inverse, norm) = fixedScale(isa, x, count, limit: limit, byNorm: false)
    let quants = UnsafeMutableRawPointer(x)
    var sums = I.splat(Int32(0))
    var i = 0
    while i < count {
      let rounded = I.round(I.multiply(I.load(x + i), I.splat(inverse)))
      sums = I.add(sums, rounded)
      I.storeLowBytes(rounded, quants + i)
      i &+= PanelGeometry.rows
    }
    // Of whole numbers below 2^24: exact. Of a query that is not finite it is any number, of up to 2^35.
    let sum = Int64(I.sum(I.convert(sums)))
    (quants + count).storeBytes(of: Int32(truncatingIfNeeded: -128 &* sum), as: Int32.self)
    (quants + (count &+ 4)).storeBytes(of: norm, as: Float.self)
    return scale
  }

  @inlinable @inline(__always)
  public static func firstScore<I: VectorISA>(
    _ isa: I.Type, _ query: UnsafeRawPointer, count: Int
  ) -> I.Ints { I.firstOfOffsetQuads((query + count).load(as: Int32.self)) }

  @inlinable @inline(__always)
  public static func addScores<I: VectorISA>(
    _ isa: I.Type, _ sum: I.Ints, _ keys: I.Bytes, _ query: UnsafeRawPointer
  ) -> I.Ints { I.dotOffsetQuads(sum, keys, signed: query) }

  @inlinable @inline(__always)
  public static func largestNorm<I: VectorISA>(_ isa: I.Type, _ span: AttentionSpan) -> Float {
    largestOfSpan(isa, span.keyNorms.unsafelyUnwrapped)
  }

  @inlinable @inline(__always)
  public static func queryNorm(_ span: AttentionSpan, _ row: Int) -> Float {
    (UnsafeRawPointer(span.queries + row &* span.headSize) + (span.headSize &+ 4))
      .load(as: Float.self)
  }
}
