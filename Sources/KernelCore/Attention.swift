/// One key-value head's cached keys and values, and the queries that look at them.
public struct AttentionSpan {
  /// Positions of a span: the unit in which softmax is taken and partial results are merged.
  /// Fixed, and counted from position 0, so that results do not depend on batch or threads.
  public static let positions = 256

  /// The span's keys [position / 16, headSize, 16]; in fixed point [position / 16, headSize / step, 16, step]
  /// (`KeyStorage`).
  public var keys: UnsafeRawPointer
  /// The span's values [position, headSize]; in fixed point int8 [position / 4, headSize, 4].
  public var values: UnsafeRawPointer
  /// In fixed point: the scale of each position's key and value, and of each row's query.
  public var keyScales, valueScales, queryScales: UnsafePointer<Float>?
  /// The norm of each position's key, where it is kept.
  public var keyNorms: UnsafePointer<Float>?
  /// A multiple of 16.
  public var headSize: Int
  /// First position, a multiple of `positions`, and how many are looked at, at most `positions`.
  public var start: Int
  public var count: Int
  /// Queries [row, headSize], already divided by sqrt(headSize); in fixed point quants at the start of
  /// each row.
  public var queries: UnsafePointer<Float>
  public var rows: Int
  /// For each row the number of positions it sees, counted from 0.
  public var visible: UnsafePointer<Int32>
  /// Of the table whose kernel it is for.
  public var readsInOrder: Bool
  /// The keys that are read after this span, where they and the span's values are in the L3: few rows ask for them
  /// while they read values. Nil where they may be in memory, and would be waited for.
  public var upcoming: UnsafeRawBufferPointer?

  @inlinable
  public init(
    keys: UnsafeRawPointer, values: UnsafeRawPointer, keyScales: UnsafePointer<Float>?,
    valueScales: UnsafePointer<Float>?, keyNorms: UnsafePointer<Float>?, headSize: Int, start: Int,
    count: Int,
    queries: UnsafePointer<Float>, queryScales: UnsafePointer<Float>?, rows: Int,
    visible: UnsafePointer<Int32>, readsInOrder: Bool,
    upcoming: UnsafeRawBufferPointer? = nil
  ) {
    self.keys = keys
    self.values = values
    self.keyScales = keyScales
    self.valueScales = valueScales
    self.keyNorms = keyNorms
    self.queryScales = queryScales
    self.headSize = headSize
    self.start = start
    self.count = count
    self.queries = queries
    self.rows = rows
    self.visible = visible
    self.readsInOrder = readsInOrder
    self.upcoming = upcoming
  }
}

/// Softmax-weighted values over one or more spans, not yet divided by `total`.
public struct AttentionPartial {
  /// [row]: the largest score, or 0 where scores are small (`isBounded`); -infinity where a row sees nothing.
  public var largest: UnsafeMutablePointer<Float>
  /// [row]: the sum of e^(score - largest).
  public var total: UnsafeMutablePointer<Float>
  /// [row, headSize].
  public var values: UnsafeMutablePointer<Float>

  @inlinable
  public init(
    largest: UnsafeMutablePointer<Float>, total: UnsafeMutablePointer<Float>,
    values: UnsafeMutablePointer<Float>
  ) {
    self.largest = largest
    self.total = total
    self.values = values
  }
}

/// Scaled dot-product attention (Vaswani et al. 2017) over one span of positions.
///
/// - Parameter scores: scratch [rows, AttentionSpan.positions].
@inlinable @inline(__always)
public func attendSpan<I: VectorISA, F: FloatFormat>(
  _ isa: I.Type, _ format: F.Type, largestTile: Int, _ span: AttentionSpan,
  scores: UnsafeMutablePointer<Float>, into partial: AttentionPartial
) {
  let width = AttentionSpan.positions
  let lanes = PanelGeometry.rows
  let keyPanelBytes = span.headSize &* lanes &* F.bytes
  let panels = (span.count &+ lanes &- 1) / lanes

  let keys = FloatPanels(
    values: span.keys, columnStride: lanes &* F.bytes, columns: span.headSize,
    panelStride: keyPanelBytes)
  let scoreRows = OutputRows(values: scores, stride: width, accumulates: false)
  var panel = 0
  while panel < panels {
    floatPanel(
      isa, format, largestTile: largestTile, keys, span.queries, span.headSize, span.rows,
      scoreRows, panel)
    panel &+= 1
  }

  var row = 0
  while row < span.rows {
    softmaxRow(
      isa, scores + row &* width, panels: panels,
      visible: min(max(Int(span.visible[row]) &- span.start, 0), span.count),
      largest: partial.largest + row, total: partial.total + row)
    row &+= 1
  }

  let values = FloatPanels(
    values: span.values, columnStride: span.headSize &* F.bytes, columns: span.count,
    panelStride: lanes &* F.bytes)
  let valueRows = OutputRows(values: partial.values, stride: span.headSize, accumulates: false)
  panel = 0
  while panel &* lanes < span.headSize {
    floatPanel(
      isa, format, largestTile: largestTile, values, scores, width, span.rows, valueRows, panel)
    panel &+= 1
  }
}

/// Replaces the first `visible` scores by e^(score - largest) and the rest of the panels by 0.
@inlinable @inline(__always)
func softmaxRow<I: VectorISA>(
  _ isa: I.Type, _ scores: UnsafeMutablePointer<Float>, panels: Int, visible: Int,
  largest: UnsafeMutablePointer<Float>, total: UnsafeMutablePointer<Float>
) {
  let lanes = PanelGeometry.rows
  var i = visible
  while i < panels &* lanes {
    scores[i] = -Float.infinity
    i &+= 1
  }
  guard visible > 0 else {
    largest.pointee = -Float.infinity
    total.pointee = 0
    i = 0
    while i < panels &* lanes {
      scores[i] = 0
      i &+= 1
    }
    return
  }
  var peaks = I.load(scores)
  i = lanes
  while i < visible {
    peaks = I.maximum(peaks, I.load(scores + i))
    i &+= lanes
  }
  let peak = I.largest(peaks)
  let shift = I.splat(peak)
  var sums = I.splat(Float(0))
  i = 0
  while i < panels &* lanes {
    let e = exponential(isa, I.subtract(I.load(scores + i), shift))
    I.store(e, scores + i)
    sums = I.add(sums, e)
    i &+= lanes
  }
  largest.pointee = peak
  total.pointee = I.sum(sums)
}

/// Merges the partial result of a later span into that of the spans before it (the online softmax
/// of Milakov & Gimelshein 2018, as used by FlashAttention, Dao et al. 2022).
@inlinable @inline(__always)
public func mergeSpan<I: VectorISA>(
  _ isa: I.Type, _ later: AttentionPartial, into earlier: AttentionPartial, rows: Int,
  headSize: Int
) {
  var row = 0
  while row < rows {
    let (old, new) = (earlier.values + row &* headSize, later.values + row &* headSize)
    if later.total[row] > 0, later.largest[row] == earlier.largest[row] {
      // As below, where both factors are 1.
      earlier.total[row] += later.total[row]
      var i = 0
      while i < headSize {
        I.store(I.add(I.load(new + i), I.load(old + i)), old + i)
        i &+= PanelGeometry.rows
      }
    } else if later.total[row] != 0 {
      // A total that is no number makes the result one that is none.
      let peak = max(earlier.largest[row], later.largest[row])
      let factors = exponential(
        isa, I.subtract(pairOf(isa, earlier.largest[row], later.largest[row]), I.splat(peak)))
      let (kept, added) = firstTwo(isa, factors)
      earlier.largest[row] = peak
      earlier.total[row] = earlier.total[row] * kept + later.total[row] * added
      var i = 0
      while i < headSize {
        let kept = I.multiply(I.load(old + i), I.splat(kept))
        I.store(I.fma(I.load(new + i), I.splat(added), kept), old + i)
        i &+= PanelGeometry.rows
      }
    }
    row &+= 1
  }
}

@inlinable @inline(__always)
func pairOf<I: VectorISA>(_ isa: I.Type, _ a: Float, _ b: Float) -> I.Floats {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { lanes in
    let lanes = lanes.baseAddress.unsafelyUnwrapped
    lanes.initialize(repeating: 0, count: 16)
    lanes[0] = a
    lanes[1] = b
    return I.load(lanes)
  }
}

@inlinable @inline(__always)
func firstTwo<I: VectorISA>(_ isa: I.Type, _ a: I.Floats) -> (Float, Float) {
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { lanes in
    let lanes = lanes.baseAddress.unsafelyUnwrapped
    I.store(a, lanes)
    return (lanes[0], lanes[1])
  }
}

/// Divides each row by its total.
@inlinable @inline(__always)
public func finishAttention<I: VectorISA>(
  _ isa: I.Type, _ partial: AttentionPartial, row: Int, headSize: Int,
  output: UnsafeMutablePointer<Float>
) {
  let inverse = I.splat(1 / partial.total[row])
  var i = 0
  while i < headSize {
    I.store(I.multiply(I.load(partial.values + (row &* headSize &+ i)), inverse), output + i)
    i &+= PanelGeometry.rows
  }
}

/// Rotary position embedding (Su et al. 2021) over interleaved pairs (2i, 2i+1), times `scale`.
///
/// - Parameters:
///   - head: [count], a multiple of 16.
///   - angles: how far its pairs are rotated.
///   - output: [count]; may be `head`.
///   - next: what is rotated afterwards, which is asked for: rows of many tokens are more than the L2 holds.
@inlinable @inline(__always)
public func rotate<I: VectorISA>(
  _ isa: I.Type, _ head: UnsafePointer<Float>, count: Int, by angles: RotaryAngles, scale: Float,
  output: UnsafeMutablePointer<Float>, next: UnsafePointer<Float>
) {
  let scale = I.splat(scale)
  var i = 0
  while i < angles.rotated {
    I.prefetch(next + i)
    let x = I.load(head + i)
    let crossed = I.multiply(I.swapPairs(x), I.load(angles.sines + i))
    I.store(I.multiply(I.fma(x, I.load(angles.cosines + i), crossed), scale), output + i)
    i &+= PanelGeometry.rows
  }
  while i < count {
    I.store(I.multiply(I.load(head + i), scale), output + i)
    i &+= PanelGeometry.rows
  }
}

/// The angles of a position.
public struct RotaryAngles {
  /// [rotated], each pair's cosine twice.
  public var cosines: UnsafePointer<Float>
  /// [rotated], each pair's sine twice, the first negated.
  public var sines: UnsafePointer<Float>
  /// Values of a head that are rotated, a multiple of 16 and no more than there are.
  public var rotated: Int

  @inlinable
  public init(cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>, rotated: Int) {
    self.cosines = cosines
    self.sines = sines
    self.rotated = rotated
  }
}
