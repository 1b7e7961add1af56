/// Attention over keys and values kept as int16, or as int8, with one float32 scale a vector; queries
/// and weights are int16 in both.
///
/// As int16 they are as many bytes as float16 and closer to exact, because a vector's largest values use
/// all bits. Sums are integers: the same on every instruction set, in any order. Limits keep them within
/// int32:
/// - queries and keys: the Euclidean norm of a vector's quants is at most `normLimit` and rounding, so
///   by Cauchy and Schwarz a score is below 2^31;
/// - values: `FixedStorage.positionsPerSum` products of a weight and a value are below 2^31.
public enum FixedPoint {
  @inlinable @inline(__always) static var normLimit: Float { 32_700 }
  @inlinable @inline(__always) static var valueLimit: Float { 4_095 }
  @inlinable @inline(__always) static var byteLimit: Float { 127 }
}

/// Writes a query [count], a multiple of 16, as int16, scaled by its Euclidean norm; `output` may be `x` itself.
///
/// - Returns: the scale.
@inlinable @inline(__always)
public func quantizeQuery<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, count: Int, output: UnsafeMutableRawPointer
) -> Float {
  let (scale, inverse) = fixedScale(isa, x, count, limit: FixedPoint.normLimit, byNorm: true)
  var i = 0
  while i < count {
    I.storeLowHalves(I.round(I.multiply(I.load(x + i), I.splat(inverse))), output + 2 &* i)
    i &+= PanelGeometry.rows
  }
  return scale
}

/// Where a position's key and value go, in a cache in fixed point (`AttentionSpan` says how they lie).
public struct FixedPlace {
  /// The key's first pair.
  public var key: UnsafeMutableRawPointer
  /// The value's first quant.
  public var value: UnsafeMutableRawPointer
  /// The key's scale and the value's.
  public var keyScale, valueScale: UnsafeMutablePointer<Float>

  @inlinable
  public init(
    key: UnsafeMutableRawPointer, value: UnsafeMutableRawPointer,
    keyScale: UnsafeMutablePointer<Float>, valueScale: UnsafeMutablePointer<Float>
  ) {
    self.key = key
    self.value = value
    self.keyScale = keyScale
    self.valueScale = valueScale
  }
}

/// Stores a key and a value, [headSize] each, a multiple of 16, in fixed point.
@inlinable @inline(__always)
public func storeFixed<I: VectorISA, S: FixedStorage>(
  _ isa: I.Type, _ storage: S.Type, key: UnsafePointer<Float>, value: UnsafePointer<Float>,
  headSize: Int, at place: FixedPlace
) {
  place.keyScale.pointee = scatterQuants(
    isa, storage, key, headSize, limit: S.keyLimit, byNorm: S.scalesKeysByNorm
  ) { i, quants in
    // Pairs lie 16 lanes apart.
    var pair = 0
    while pair < 8 {
      (place.key + (i / 2 &+ pair) &* (2 &* PanelGeometry.rows &* S.bytes)).copyMemory(
        from: quants + 2 &* pair &* S.bytes, byteCount: 2 &* S.bytes)
      pair &+= 1
    }
  }
  place.valueScale.pointee = scatterQuants(
    isa, storage, value, headSize, limit: S.valueLimit, byNorm: false
  ) { i, quants in
    // Between those of the position that is the other one of its pair.
    var j = 0
    while j < PanelGeometry.rows {
      (place.value + 2 &* (i &+ j) &* S.bytes).copyMemory(
        from: quants + j &* S.bytes, byteCount: S.bytes)
      j &+= 1
    }
  }
}

/// Calls `body` with the quants of x / scale, 16 at a time from index i, and returns the scale.
@inlinable @inline(__always)
func scatterQuants<I: VectorISA, S: FixedStorage>(
  _ isa: I.Type, _ storage: S.Type, _ x: UnsafePointer<Float>, _ count: Int, limit: Float,
  byNorm: Bool, _ body: (Int, UnsafeRawPointer) -> Void
) -> Float {
  let (scale, inverse) = fixedScale(isa, x, count, limit: limit, byNorm: byNorm)
  withUnsafeTemporaryAllocation(byteCount: 32, alignment: 16) { quants in
    let quants = quants.baseAddress.unsafelyUnwrapped
    var i = 0
    while i < count {
      S.store(isa, I.round(I.multiply(I.load(x + i), I.splat(inverse))), quants)
      body(i, quants)
      i &+= PanelGeometry.rows
    }
  }
  return scale
}

/// The scale of a vector, and what it is multiplied with to be quantized.
@inlinable @inline(__always)
func fixedScale<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, _ count: Int, limit: Float, byNorm: Bool
) -> (scale: Float, inverse: Float) {
  let size = byNorm ? sumOfSquares(isa, x, count).squareRoot() : largestMagnitude(isa, x, count)
  // Below this the reciprocal overflows; such a vector is zero to float32's precision.
  guard size > 1e-30 else { return (size.isNaN ? size : 0, 0) }
  return (size / limit, limit / size)
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
  /// What the norm of a key's quants, or the largest of them, and the largest of a value's may be.
  static var keyLimit: Float { get }
  static var scalesKeysByNorm: Bool { get }
  static var valueLimit: Float { get }
  /// The largest of a row's weights.
  static var weightLimit: Float { get }
  /// Of so many positions products of weights and values are within int32; a multiple of `PanelGeometry.rows`.
  static var positionsPerSum: Int { get }
  /// 32 values as int16.
  static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Bytes
  /// 16 values.
  static func store<I: VectorISA>(
    _ isa: I.Type, _ quants: I.Ints, _ target: UnsafeMutableRawPointer)
}

/// int16.
public enum ShortPairs: FixedStorage {
  @inlinable @inline(__always) public static var bytes: Int { 2 }
  @inlinable @inline(__always) public static var keyLimit: Float { FixedPoint.normLimit }
  @inlinable @inline(__always) public static var scalesKeysByNorm: Bool { true }
  @inlinable @inline(__always) public static var valueLimit: Float { FixedPoint.valueLimit }
  @inlinable @inline(__always) public static var weightLimit: Float { 16_383 }
  /// 32 * 16383 * 4095 < 2^31.
  @inlinable @inline(__always) public static var positionsPerSum: Int { 32 }
  @inlinable @inline(__always)
  public static func store<I: VectorISA>(
    _ isa: I.Type, _ quants: I.Ints, _ target: UnsafeMutableRawPointer
  ) { I.storeLowHalves(quants, target) }
  @inlinable @inline(__always)
  public static func load<I: VectorISA>(_ isa: I.Type, _ pointer: UnsafeRawPointer) -> I.Bytes {
    I.loadBytes(pointer)
  }
}

/// int8.
public enum BytePairs: FixedStorage {
  @inlinable @inline(__always) public static var bytes: Int { 1 }
  @inlinable @inline(__always) public static var keyLimit: Float { FixedPoint.byteLimit }
  @inlinable @inline(__always) public static var scalesKeysByNorm: Bool { false }
  @inlinable @inline(__always) public static var valueLimit: Float { FixedPoint.byteLimit }
  @inlinable @inline(__always) public static var weightLimit: Float { 32_767 }
  /// 256 * 32767 * 127 < 2^31.
  @inlinable @inline(__always) public static var positionsPerSum: Int { AttentionSpan.positions }
  @inlinable @inline(__always)
  public static func store<I: VectorISA>(
    _ isa: I.Type, _ quants: I.Ints, _ target: UnsafeMutableRawPointer
  ) { I.storeLowBytes(quants, target) }
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
  // A row's product waits for the one before it: few rows take four panels, which have sums of their own.
  while largestTile >= 8, span.rows < 8, panels &- panel >= 4 {
    scorePanels(isa, storage, Tile4<I.Ints>.self, largestTile: 4, span, panel, scores)
    panel &+= 4
  }
  // Two where there are registers for it, and rows that share what is loaded.
  while largestTile >= 8, span.rows >= 8, panels &- panel >= 2 {
    scorePanels(isa, storage, Tile2<I.Ints>.self, largestTile: largestTile, span, panel, scores)
    panel &+= 2
  }
  while panel < panels {
    scorePanels(isa, storage, Single<I.Ints>.self, largestTile: largestTile, span, panel, scores)
    panel &+= 1
  }

  let mostScore = mostScore(isa, storage, span)
  var row = 0
  while row < span.rows {
    weightRows(
      isa, storage, span, row..<min(row &+ 8, span.rows), panels: panels, mostScore: mostScore,
      scores, partial)
    row &+= 8
  }

  var column = 0
  let lanes = PanelGeometry.rows
  // Few rows read values in the order in which they lie.
  while largestTile >= 8, span.rows < 4, span.headSize &- column >= 4 &* lanes {
    valueColumns(
      isa, storage, Tile4<FixedSum<I>>.self, largestTile: 3, span, panels, column, scores, partial)
    column &+= 4 &* lanes
  }
  while largestTile >= 8, span.headSize &- column >= 2 &* lanes {
    valueColumns(
      isa, storage, Tile2<FixedSum<I>>.self, largestTile: 8, span, panels, column, scores, partial)
    column &+= 2 &* lanes
  }
  while column < span.headSize {
    valueColumns(
      isa, storage, Single<FixedSum<I>>.self, largestTile: largestTile, span, panels, column,
      scores, partial)
    column &+= lanes
  }
}

/// Scores of all rows with the keys of as many panels as `P` has.
@inlinable @inline(__always)
func scorePanels<I: VectorISA, S: FixedStorage, P: TokenTile>(
  _ isa: I.Type, _ storage: S.Type, _ keyPanels: P.Type, largestTile: Int, _ span: AttentionSpan,
  _ panel: Int, _ scores: UnsafeMutablePointer<Float>
) where P.Element == I.Ints {
  var row = 0
  if largestTile >= 8 {
    while span.rows &- row >= 8 {
      scoreTile(isa, storage, Tile8<P>.self, span, panel, row, scores)
      row &+= 8
    }
  }
  while span.rows &- row >= 4 {
    scoreTile(isa, storage, Tile4<P>.self, span, panel, row, scores)
    row &+= 4
  }
  switch span.rows &- row {
  case 3: scoreTile(isa, storage, Tile3<P>.self, span, panel, row, scores)
  case 2: scoreTile(isa, storage, Tile2<P>.self, span, panel, row, scores)
  case 1: scoreTile(isa, storage, Single<P>.self, span, panel, row, scores)
  default: break
  }
}

/// Scores of a tile of rows with the keys of some panels, less the scales of the rows' queries.
@inlinable @inline(__always)
func scoreTile<I: VectorISA, S: FixedStorage, T: TokenTile, P: TokenTile>(
  _ isa: I.Type, _ storage: S.Type, _ tile: T.Type, _ span: AttentionSpan, _ panel: Int, _ row: Int,
  _ scores: UnsafeMutablePointer<Float>
) where T.Element == P, P.Element == I.Ints {
  let rowBytes = span.headSize &* 4
  let queries = UnsafeRawPointer(span.queries) + row &* rowBytes
  let panelBytes = span.headSize &* PanelGeometry.rows &* S.bytes
  let keys = span.keys + panel &* panelBytes
  var sums = T(repeating: P(repeating: I.splat(Int32(0))))
  var pair = 0
  while pair &* 2 < span.headSize {
    sums.forEach { index, sums in
      let query = queries + (index &* rowBytes &+ pair &* 4)
      sums.forEach { panel, sum in
        let key = S.load(isa, keys + (panel &* panelBytes &+ pair &* 32 &* S.bytes))
        sum = I.dotPairs(sum, key, query)
      }
    }
    pair &+= 1
  }
  let keyScales = span.keyScales.unsafelyUnwrapped + panel &* PanelGeometry.rows
  sums.forEach { index, sums in
    let target =
      scores + ((row &+ index) &* AttentionSpan.positions &+ panel &* PanelGeometry.rows)
    sums.forEach { panel, sum in
      let place = panel &* PanelGeometry.rows
      I.store(I.multiply(I.convert(sum), I.load(keyScales + place)), target + place)
    }
  }
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

/// The weighted values of all rows, as many times 16 columns as `C` has.
@inlinable @inline(__always)
func valueColumns<I: VectorISA, S: FixedStorage, C: TokenTile>(
  _ isa: I.Type, _ storage: S.Type, _ columns: C.Type, largestTile: Int, _ span: AttentionSpan,
  _ panels: Int, _ column: Int, _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) where C.Element == FixedSum<I> {
  var row = 0
  if largestTile >= 8 {
    while span.rows &- row >= 8 {
      valueTile(isa, storage, Tile8<C>.self, span, panels, column, row, scores, partial)
      row &+= 8
    }
  }
  if largestTile >= 4 {
    while span.rows &- row >= 4 {
      valueTile(isa, storage, Tile4<C>.self, span, panels, column, row, scores, partial)
      row &+= 4
    }
  }
  while span.rows &- row >= 2 {
    if span.rows &- row == 3 {
      valueTile(isa, storage, Tile3<C>.self, span, panels, column, row, scores, partial)
      return
    }
    valueTile(isa, storage, Tile2<C>.self, span, panels, column, row, scores, partial)
    row &+= 2
  }
  if row < span.rows {
    valueTile(isa, storage, Single<C>.self, span, panels, column, row, scores, partial)
  }
}

/// Some times 16 columns of the weighted values of a tile of rows.
@inlinable @inline(__always)
func valueTile<I: VectorISA, S: FixedStorage, T: TokenTile, C: TokenTile>(
  _ isa: I.Type, _ storage: S.Type, _ tile: T.Type, _ span: AttentionSpan, _ panels: Int,
  _ column: Int, _ row: Int, _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) where T.Element == C, C.Element == FixedSum<I> {
  let rowBytes = AttentionSpan.positions &* 4
  let weights = UnsafeRawPointer(scores) + row &* rowBytes
  let values = span.values + column &* 2 &* S.bytes
  let next = 2 &* PanelGeometry.rows &* S.bytes
  let end = panels &* PanelGeometry.rows
  var sums = T(repeating: C(repeating: FixedSum()))
  var start = 0
  while start < end {
    let stop = min(start &+ S.positionsPerSum, end)
    sums.forEach { _, row in row.forEach { _, sum in sum.part = I.splat(Int32(0)) } }
    var position = start
    while position < stop {
      let pair = values + position &* span.headSize &* S.bytes
      sums.forEach { index, row in
        let weight = weights + (index &* rowBytes &+ position &* 2)
        row.forEach { part, sum in
          sum.part = I.dotPairs(sum.part, S.load(isa, pair + part &* next), weight)
        }
      }
      position &+= 2
    }
    sums.forEach { _, row in
      row.forEach { _, sum in sum.whole = I.add(sum.whole, I.convert(sum.part)) }
    }
    start = stop
  }
  sums.forEach { index, sums in
    let scale = scores[(row &+ index) &* AttentionSpan.positions &+ AttentionSpan.positions / 2]
    let target = partial.values + ((row &+ index) &* span.headSize &+ column)
    sums.forEach { part, sum in
      I.store(I.multiply(sum.whole, I.splat(scale)), target + part &* PanelGeometry.rows)
    }
  }
}
