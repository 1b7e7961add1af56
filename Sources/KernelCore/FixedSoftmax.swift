/// Whether a row sees the whole span, and its scores are so small that powers of e are taken of them as they are,
/// without looking for the largest: e^55 and e^-55, 256 of them, and times values of 1e-5, are well within float32. By
/// Cauchy and Schwarz scores are within the product of the norms. It depends on the row and the span alone, so that
/// batches and threads change nothing.
///
/// - Parameter mostKey: the largest norm of the span's keys.
@inlinable @inline(__always)
func isBounded<K: KeyStorage>(
  _ keys: K.Type, _ span: AttentionSpan, _ row: Int, mostKey: Float
) -> Bool {
  visiblePositions(span, row) == AttentionSpan.positions
    && K.queryNorm(span, row) * mostKey <= 55
}

/// Rows whose softmax is taken together, at most.
@inlinable @inline(__always) var mostRowsWeighed: Int { 8 }

/// Softmax of some rows, and their weights as quants, each times the scale of its position's value.
///
/// Each step of all rows comes before the next step, which begins with what the one before ended with: the largest of a
/// row's lanes, for which operations wait for each other.
///
/// - Parameters:
///   - rows: at most `mostRowsWeighed`.
///   - end: positions that get weights, zero where a row sees nothing: those of the span's panels, rounded up to
///     `ByteValues.together`.
@inlinable @inline(__always)
func weightRows<I: VectorISA, K: KeyStorage>(
  _ isa: I.Type, _ keys: K.Type, _ span: AttentionSpan, _ rows: Range<Int>, end: Int,
  mostKey: Float,
  _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  var bounded: UInt = 0
  var row = rows.lowerBound
  while row < rows.upperBound {
    if isBounded(keys, span, row, mostKey: mostKey) {
      bounded |= 1 &<< UInt(bitPattern: row &- rows.lowerBound)
      partial.largest[row] = 0
    } else {
      findPeak(isa, span, row, scores + row &* AttentionSpan.positions, partial)
    }
    row &+= 1
  }
  row = rows.lowerBound
  while row < rows.upperBound {
    let isBounded = bounded & 1 != 0
    bounded &>>= 1
    weigh(
      isa, span, row, bounded: isBounded, end: end, scores + row &* AttentionSpan.positions, partial
    )
    row &+= 1
  }
  // The same of a division by the largest weights, which rows share.
  let lanes = PanelGeometry.rows
  let groups = AttentionSpan.positions / K.weightGroup
  let count = rows.count &* groups
  let most = mostRowsWeighed &* groups &+ lanes
  withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 &* most) { scratch in
    let scales = scratch.baseAddress.unsafelyUnwrapped
    let inverses = scales + most
    I.store(I.splat(Float(0)), scales + count / lanes &* lanes)
    var group = 0
    row = rows.lowerBound
    while row < rows.upperBound {
      ByteValues.findLargest(
        isa, scores + row &* AttentionSpan.positions, group: K.weightGroup, end: end,
        scales + group)
      row &+= 1
      group &+= groups
    }
    ByteValues.findScales(isa, scales, count: count, inverses: inverses)
    group = 0
    row = rows.lowerBound
    while row < rows.upperBound {
      ByteValues.storeWeights(
        isa, scores + row &* AttentionSpan.positions, group: K.weightGroup, end: end,
        inverses: inverses + group, scales: scales + group)
      row &+= 1
      group &+= groups
    }
  }
}

/// Positions of the span that a row sees.
@inlinable @inline(__always)
func visiblePositions(_ span: AttentionSpan, _ row: Int) -> Int {
  min(max(Int(span.visible[row]) &- span.start, 0), span.count)
}

/// The largest score that a row sees, without its query's scale, as the row's `largest`.
@inlinable @inline(__always)
func findPeak<I: VectorISA>(
  _ isa: I.Type, _ span: AttentionSpan, _ row: Int, _ scores: UnsafeMutablePointer<Float>,
  _ partial: AttentionPartial
) {
  let lanes = PanelGeometry.rows
  let visible = visiblePositions(span, row)
  let seen = (visible &+ lanes &- 1) / lanes &* lanes
  var i = visible
  while i < seen {
    scores[i] = -Float.infinity
    i &+= 1
  }
  var peaks = I.splat(-Float.infinity)
  i = 0
  while i < seen {
    peaks = I.maximum(peaks, I.load(scores + i))
    i &+= lanes
  }
  partial.largest[row] = I.largest(peaks)
}

/// Replaces a row's scores by weights, 0 from what it sees to `end`, and makes its `largest` and `total`.
@inlinable @inline(__always)
func weigh<I: VectorISA>(
  _ isa: I.Type, _ span: AttentionSpan, _ row: Int, bounded: Bool, end: Int,
  _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  let lanes = PanelGeometry.rows
  // Scores lack the query's scale: e^(scale * (score - peak)) = 2^(score * factor - peak * factor).
  let queryScale = span.queryScales.unsafelyUnwrapped[row]
  let factor = queryScale * 1.44269504
  let factors = I.splat(factor)
  let valueScales = span.valueScales.unsafelyUnwrapped
  var sums = I.splat(Float(0))
  @inline(__always) func put(_ e: I.Floats, _ weight: I.Floats, at i: Int) {
    I.store(weight, scores + i)
    sums = I.add(sums, e)
  }
  var i = 0
  if bounded {
    @inline(__always) func weigh(at i: Int) {
      let e = roughPowerOfTwo(isa, I.load(scores + i), times: factors)
      put(e, I.multiply(e, I.load(valueScales + i)), at: i)
    }
    while i < AttentionSpan.positions {
      weigh(at: i)
      weigh(at: i &+ lanes)
      i &+= 2 &* lanes
    }
    partial.total[row] = I.sum(sums)
    return
  }
  let visible = visiblePositions(span, row)
  let whole = visible / lanes &* lanes
  let peak = partial.largest[row]
  let shift = I.splat(-(peak * factor))
  @inline(__always) func power(_ score: I.Floats) -> I.Floats {
    let x = I.maximum(I.splat(Float(-120)), I.fma(score, factors, shift))
    return roughPowerOfTwo(isa, x, times: I.splat(Float(1)))
  }
  while i < whole {
    let e = power(I.load(scores + i))
    put(e, I.multiply(e, I.load(valueScales + i)), at: i)
    i &+= lanes
  }
  if whole < visible {
    // What lies beyond the visible positions may be anything.
    let score = I.load(scores + whole)
    @inline(__always) func seen(_ value: I.Floats) -> I.Floats {
      I.keep(value, where: score, atLeast: -Float.greatestFiniteMagnitude)
    }
    // Of a score that is no number the difference is none, and nothing else of others.
    let power = power(score)
    let e = I.add(seen(power), I.subtract(power, power))
    put(e, seen(I.multiply(e, I.load(valueScales + whole))), at: whole)
    i &+= lanes
  }
  while i < end {
    I.store(I.splat(Float(0)), scores + i)
    i &+= lanes
  }
  partial.largest[row] = visible > 0 ? peak * queryScale : -Float.infinity
  partial.total[row] = I.sum(sums)
}
