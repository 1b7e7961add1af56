/// Attention over keys and values kept as int16, or as int8, with one float32 scale a vector; queries
/// and weights are int16 in both.
///
/// As int16 they are as many bytes as float16 and closer to exact, because a vector's largest values use
/// all bits. Sums are integers: the same on every instruction set, in any order. Limits keep them within
/// int32:
/// - queries and keys: the Euclidean norm of a vector's quants is at most `normLimit` and rounding, so
///   by Cauchy and Schwarz a score is below 2^31;
/// - values: `FixedPoint.positionsPerSum` products of a weight and a value are below 2^31.
public enum FixedPoint {
  @inlinable @inline(__always) static var normLimit: Float { 32_700 }
  @inlinable @inline(__always) static var valueLimit: Float { 4_095 }
  @inlinable @inline(__always) static var byteLimit: Float { 127 }
  @inlinable @inline(__always) static var weightLimit: Float { 16_383 }
  /// 32 * 16383 * 4095 < 2^31. A multiple of `PanelGeometry.rows`.
  @inlinable @inline(__always) static var positionsPerSum: Int { 32 }
}

/// Writes x / scale as int16, `count` of them, a multiple of 16; `output` may be `x` itself.
///
/// - Parameter byNorm: a query or key, scaled by its Euclidean norm; else a value, by its largest.
/// - Returns: the scale.
@inlinable @inline(__always)
public func quantizeFixed<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, count: Int, byNorm: Bool,
  output: UnsafeMutableRawPointer
) -> Float {
  let size = byNorm ? sumOfSquares(isa, x, count).squareRoot() : largestMagnitude(isa, x, count)
  let limit = byNorm ? FixedPoint.normLimit : FixedPoint.valueLimit
  // Below this the reciprocal overflows; such a vector is zero to float32's precision.
  let inverse = I.splat(size > 1e-30 ? limit / size : 0)
  var i = 0
  while i < count {
    I.storeLowHalves(I.round(I.multiply(I.load(x + i), inverse)), output + 2 &* i)
    i &+= 16
  }
  return size > 1e-30 ? size / limit : (size.isNaN ? size : 0)
}

/// Writes x / scale as int8, `count` of them, a multiple of 16, and returns the scale.
@inlinable @inline(__always)
public func quantizeByte<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, count: Int, output: UnsafeMutableRawPointer
) -> Float {
  let size = largestMagnitude(isa, x, count)
  let inverse = I.splat(size > 1e-30 ? FixedPoint.byteLimit / size : 0)
  var i = 0
  while i < count {
    I.storeLowBytes(I.round(I.multiply(I.load(x + i), inverse)), output + i)
    i &+= 16
  }
  return size > 1e-30 ? size / FixedPoint.byteLimit : (size.isNaN ? size : 0)
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

/// How keys and values in fixed point lie in memory.
public protocol FixedStorage {
  /// Bytes of a value.
  static var bytes: Int { get }
  /// 32 values as int16.
  static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Bytes
}

/// int16.
public enum ShortPairs: FixedStorage {
  @inlinable @inline(__always) public static var bytes: Int { 2 }
  @inlinable @inline(__always)
  public static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Bytes {
    I.loadBytes(pointer)
  }
}

/// int8.
public enum BytePairs: FixedStorage {
  @inlinable @inline(__always) public static var bytes: Int { 1 }
  @inlinable @inline(__always)
  public static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Bytes {
    I.loadBytePairs(pointer)
  }
}

/// Scaled dot-product attention (Vaswani et al. 2017) over one span of positions in fixed point.
///
/// - Parameter scores: scratch [rows, AttentionSpan.positions]. A row's weights replace its scores as
///   int16, and their scale follows them.
@inlinable @inline(__always)
public func attendFixedSpan<I: VectorISA, S: FixedStorage>(
  _ isa: I.Type, _ storage: S.Type, largestTile: Int, _ span: AttentionSpan,
  scores: UnsafeMutablePointer<Float>,
  into partial: AttentionPartial
) {
  let panels = (span.count &+ PanelGeometry.rows &- 1) / PanelGeometry.rows
  var panel = 0
  while panel < panels {
    var row = 0
    if largestTile >= 8 {
      while span.rows &- row >= 8 {
        scoreTile(isa, storage, Tile8<I.Ints>.self, span, panel, row, scores)
        row &+= 8
      }
    }
    while span.rows &- row >= 4 {
      scoreTile(isa, storage, Tile4<I.Ints>.self, span, panel, row, scores)
      row &+= 4
    }
    switch span.rows &- row {
    case 3: scoreTile(isa, storage, Tile3<I.Ints>.self, span, panel, row, scores)
    case 2: scoreTile(isa, storage, Tile2<I.Ints>.self, span, panel, row, scores)
    case 1: scoreTile(isa, storage, Single<I.Ints>.self, span, panel, row, scores)
    default: break
    }
    panel &+= 1
  }

  var row = 0
  while row < span.rows {
    weightRow(isa, span, row, panels: panels, scores, partial)
    row &+= 1
  }

  var column = 0
  while column < span.headSize {
    row = 0
    if largestTile >= 8 {
      while span.rows &- row >= 8 {
        valueTile(isa, storage, Tile8<FixedSum<I>>.self, span, panels, column, row, scores, partial)
        row &+= 8
      }
    }
    while span.rows &- row >= 4 {
      valueTile(isa, storage, Tile4<FixedSum<I>>.self, span, panels, column, row, scores, partial)
      row &+= 4
    }
    switch span.rows &- row {
    case 3:
      valueTile(isa, storage, Tile3<FixedSum<I>>.self, span, panels, column, row, scores, partial)
    case 2:
      valueTile(isa, storage, Tile2<FixedSum<I>>.self, span, panels, column, row, scores, partial)
    case 1:
      valueTile(isa, storage, Single<FixedSum<I>>.self, span, panels, column, row, scores, partial)
    default: break
    }
    column &+= PanelGeometry.rows
  }
}

/// Scores of a tile of rows with the 16 keys of a panel.
@inlinable @inline(__always)
func scoreTile<I: VectorISA, S: FixedStorage, T: TokenTile>(
  _ isa: I.Type, _ storage: S.Type, _ tile: T.Type, _ span: AttentionSpan, _ panel: Int, _ row: Int,
  _ scores: UnsafeMutablePointer<Float>
) where T.Element == I.Ints {
  let rowBytes = span.headSize &* 4
  let queries = UnsafeRawPointer(span.queries) + row &* rowBytes
  let keys = span.keys + panel &* span.headSize &* PanelGeometry.rows &* S.bytes
  var sums = T(repeating: I.splat(Int32(0)))
  var pair = 0
  while pair &* 2 < span.headSize {
    let key = S.load(isa, keys + pair &* 32 &* S.bytes)
    sums.forEach { index, sum in
      sum = I.dotPairs(sum, key, queries + (index &* rowBytes &+ pair &* 4))
    }
    pair &+= 1
  }
  let keyScales = I.load(span.keyScales.unsafelyUnwrapped + panel &* PanelGeometry.rows)
  let queryScales = span.queryScales.unsafelyUnwrapped + row
  sums.forEach { index, sum in
    let scale = I.multiply(keyScales, I.splat(queryScales[index]))
    let target =
      scores + ((row &+ index) &* AttentionSpan.positions &+ panel &* PanelGeometry.rows)
    I.store(I.multiply(I.convert(sum), scale), target)
  }
}

/// Softmax of a row, then its weights as int16, each times the scale of its position's value.
@inlinable @inline(__always)
func weightRow<I: VectorISA>(
  _ isa: I.Type, _ span: AttentionSpan, _ row: Int, panels: Int,
  _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  let scores = scores + row &* AttentionSpan.positions
  softmaxRow(
    isa, scores, panels: panels,
    visible: min(max(Int(span.visible[row]) &- span.start, 0), span.count),
    largest: partial.largest + row, total: partial.total + row)
  let valueScales = span.valueScales.unsafelyUnwrapped
  let end = panels &* PanelGeometry.rows
  var most = I.splat(Float(0))
  var i = 0
  while i < end {
    let e = I.load(scores + i)
    // What lies beyond the visible positions may be anything.
    let weight = I.keep(
      I.multiply(e, I.load(valueScales + i)), where: e, atLeast: .leastNormalMagnitude)
    I.store(weight, scores + i)
    most = I.maximum(most, weight)
    i &+= PanelGeometry.rows
  }
  let largest = I.largest(most)
  let inverse = I.splat(largest > 1e-30 ? FixedPoint.weightLimit / largest : 0)
  i = 0
  while i < end {
    I.storeLowHalves(
      I.round(I.multiply(I.load(scores + i), inverse)), UnsafeMutableRawPointer(scores) + 2 &* i)
    i &+= PanelGeometry.rows
  }
  scores[AttentionSpan.positions / 2] = largest / FixedPoint.weightLimit
}

/// A sum over all positions, and the integer one that is being formed.
public struct FixedSum<I: VectorISA> {
  @usableFromInline var whole: I.Floats
  @usableFromInline var part: I.Ints

  @inlinable @inline(__always)
  init() {
    whole = I.splat(Float(0))
    part = I.splat(Int32(0))
  }
}

/// 16 columns of the weighted values of a tile of rows.
@inlinable @inline(__always)
func valueTile<I: VectorISA, S: FixedStorage, T: TokenTile>(
  _ isa: I.Type, _ storage: S.Type, _ tile: T.Type, _ span: AttentionSpan, _ panels: Int,
  _ column: Int, _ row: Int,
  _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) where T.Element == FixedSum<I> {
  let rowBytes = AttentionSpan.positions &* 4
  let weights = UnsafeRawPointer(scores) + row &* rowBytes
  let values = span.values + column &* 2 &* S.bytes
  let end = panels &* PanelGeometry.rows
  var sums = T(repeating: FixedSum())
  var start = 0
  while start < end {
    let stop = min(start &+ FixedPoint.positionsPerSum, end)
    sums.forEach { _, sum in sum.part = I.splat(Int32(0)) }
    var position = start
    while position < stop {
      let value = S.load(isa, values + position &* span.headSize &* S.bytes)
      sums.forEach { index, sum in
        sum.part = I.dotPairs(sum.part, value, weights + (index &* rowBytes &+ position &* 2))
      }
      position &+= 2
    }
    sums.forEach { _, sum in sum.whole = I.add(sum.whole, I.convert(sum.part)) }
    start = stop
  }
  sums.forEach { index, sum in
    let scale = scores[(row &+ index) &* AttentionSpan.positions &+ AttentionSpan.positions / 2]
    I.store(
      I.multiply(sum.whole, I.splat(scale)),
      partial.values + ((row &+ index) &* span.headSize &+ column))
  }
}
