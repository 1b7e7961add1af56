/// 2^(x * factor) in 16 lanes, for x * factor within ±120: relative error below 3e-6, a twentieth of the weights' last
/// bit.
///
/// x * factor = n + r with |r| <= 1/2, then the polynomial of degree 4 whose relative error to 2^r is least (Remez), and
/// n is added to the exponent. A float of about 1.5 * 2^23 has no fraction: added to it, x * factor is rounded, and the
/// lowest bits are n.
@inlinable @inline(__always)
func powerOfTwo<I: VectorISA>(_ isa: I.Type, _ x: I.Floats, times factor: I.Floats) -> I.Floats {
  let large = I.splat(Float(12_582_912))
  let rounded = I.fma(x, factor, large)
  let r = I.fma(x, factor, I.subtract(large, rounded))
  var p = I.splat(Float(9.5701022e-3))
  p = I.fma(p, r, I.splat(Float(5.5917859e-2)))
  p = I.fma(p, r, I.splat(Float(0.24024745)))
  p = I.fma(p, r, I.splat(Float(0.69312179)))
  p = I.fma(p, r, I.splat(Float(0.99999928)))
  return I.bits(I.add(I.bitPattern(p), I.shiftLeft(I.bitPattern(rounded), 23)))
}

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

/// Softmax of some rows, and their weights as quants, each times the scale of its position's value.
///
/// Each step of all rows comes before the next step, which begins with what the one before ended with: the largest of a
/// row's lanes, for which operations wait for each other.
@inlinable @inline(__always)
func weightRows<I: VectorISA, K: KeyStorage>(
  _ isa: I.Type, _ keys: K.Type, _ span: AttentionSpan, _ rows: Range<Int>, panels: Int,
  mostKey: Float, _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  let lanes = PanelGeometry.rows
  var row = rows.lowerBound
  while row < rows.upperBound {
    if isBounded(keys, span, row, mostKey: mostKey) {
      partial.largest[row] = 0
    } else {
      findPeak(isa, span, row, scores + row &* AttentionSpan.positions, partial)
    }
    row &+= 1
  }
  row = rows.lowerBound
  while row < rows.upperBound {
    let bounded = isBounded(keys, span, row, mostKey: mostKey)
    weigh(isa, span, row, bounded: bounded, scores + row &* AttentionSpan.positions, partial)
    row &+= 1
  }
  row = rows.lowerBound
  while row < rows.upperBound {
    ByteValues.storeWeights(
      isa, scores + row &* AttentionSpan.positions,
      seen: (visiblePositions(span, row) &+ lanes &- 1) / lanes &* lanes, end: panels &* lanes,
      place: partial.values + row &* span.headSize)
    row &+= 1
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

/// Replaces a row's scores by weights, and makes its `largest` and `total`.
@inlinable @inline(__always)
func weigh<I: VectorISA>(
  _ isa: I.Type, _ span: AttentionSpan, _ row: Int, bounded: Bool,
  _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  let lanes = PanelGeometry.rows
  let visible = visiblePositions(span, row)
  let whole = visible / lanes &* lanes
  // Scores lack the query's scale: e^(scale * (score - peak)) = 2^(score * factor - peak * factor).
  let queryScale = span.queryScales.unsafelyUnwrapped[row]
  let peak = partial.largest[row]
  let factor = queryScale * 1.44269504
  let factors = I.splat(factor)
  let shift = I.splat(-(peak * factor))
  let valueScales = span.valueScales.unsafelyUnwrapped
  var sums = I.splat(Float(0))
  @inline(__always) func put(_ e: I.Floats, _ weight: I.Floats, at i: Int) {
    I.store(weight, scores + i)
    sums = I.add(sums, e)
  }
  @inline(__always) func power(_ score: I.Floats) -> I.Floats {
    let x = I.maximum(I.splat(Float(-120)), I.fma(score, factors, shift))
    return powerOfTwo(isa, x, times: I.splat(Float(1)))
  }
  var i = 0
  while bounded, i < whole {
    let e = powerOfTwo(isa, I.load(scores + i), times: factors)
    put(e, I.multiply(e, I.load(valueScales + i)), at: i)
    i &+= lanes
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
  }
  partial.largest[row] = visible > 0 ? peak * queryScale : -Float.infinity
  partial.total[row] = I.sum(sums)
}
