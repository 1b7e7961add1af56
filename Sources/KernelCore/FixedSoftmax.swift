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

/// What a score of the span, less its query's scale, is within: by Cauchy and Schwarz the product of the norms, of
/// quants as they are limited.
@inlinable @inline(__always)
func mostScore<I: VectorISA, S: FixedStorage>(
  _ isa: I.Type, _ storage: S.Type, _ span: AttentionSpan
) -> Float {
  let scales = span.keyScales.unsafelyUnwrapped
  // Only of spans that are full.
  guard span.count == AttentionSpan.positions else { return .infinity }
  var most = I.load(scales)
  var i = PanelGeometry.rows
  while i < AttentionSpan.positions {
    most = I.maximum(most, I.load(scales + i))
    i &+= PanelGeometry.rows
  }
  let norm = S.scalesKeysByNorm ? S.keyLimit : S.keyLimit * Float(span.headSize).squareRoot()
  return I.largest(most) * norm * FixedPoint.normLimit
}

/// Whether a row sees the whole span, and its scores are so small that powers of e are taken of them as they are,
/// without looking for the largest: e^55 and e^-55, 256 of them, and times values of 1e-5, are well within float32. It
/// depends on the row and the span alone, so that batches and threads change nothing.
@inlinable @inline(__always)
func isBounded(_ span: AttentionSpan, _ row: Int, mostScore: Float) -> Bool {
  visiblePositions(span, row) == AttentionSpan.positions
    && span.queryScales.unsafelyUnwrapped[row] * mostScore <= 55
}

/// Softmax of some rows, and their weights as int16, each times the scale of its position's value.
///
/// Each step of all rows comes before the next step, which begins with what the one before ended with: the largest of a
/// row's lanes, for which operations wait for each other.
@inlinable @inline(__always)
func weightRows<I: VectorISA, S: FixedStorage>(
  _ isa: I.Type, _ storage: S.Type, _ span: AttentionSpan, _ rows: Range<Int>, panels: Int,
  mostScore: Float, _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  var row = rows.lowerBound
  while row < rows.upperBound {
    if isBounded(span, row, mostScore: mostScore) {
      partial.largest[row] = 0
    } else {
      findPeak(isa, span, row, scores + row &* AttentionSpan.positions, partial)
    }
    row &+= 1
  }
  row = rows.lowerBound
  while row < rows.upperBound {
    let bounded = isBounded(span, row, mostScore: mostScore)
    weigh(isa, span, row, bounded: bounded, scores + row &* AttentionSpan.positions, partial)
    row &+= 1
  }
  row = rows.lowerBound
  while row < rows.upperBound {
    storeWeights(
      isa, storage, span, row, panels: panels, scores + row &* AttentionSpan.positions, partial)
    row &+= 1
  }
}

/// Positions of the span that a row sees.
@inlinable @inline(__always)
func visiblePositions(_ span: AttentionSpan, _ row: Int) -> Int {
  min(max(Int(span.visible[row]) &- span.start, 0), span.count)
}

/// The largest score that a row sees, less its query's scale, as the row's `largest`.
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

/// Replaces a row's scores by weights, and makes its `largest` and `total`. The largest weight is where the row's first
/// value will be, for `storeWeights`.
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
  var most = I.splat(Float(0))
  @inline(__always) func put(_ e: I.Floats, _ weight: I.Floats, at i: Int) {
    I.store(weight, scores + i)
    sums = I.add(sums, e)
    most = I.maximum(most, weight)
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
    let e = seen(power(score))
    put(e, seen(I.multiply(e, I.load(valueScales + whole))), at: whole)
  }
  partial.largest[row] = visible > 0 ? peak * queryScale : -Float.infinity
  partial.total[row] = I.sum(sums)
  partial.values[row &* span.headSize] = I.largest(most)
}

/// A row's weights as int16 in place, and behind them their scale.
@inlinable @inline(__always)
func storeWeights<I: VectorISA, S: FixedStorage>(
  _ isa: I.Type, _ storage: S.Type, _ span: AttentionSpan, _ row: Int, panels: Int,
  _ scores: UnsafeMutablePointer<Float>, _ partial: AttentionPartial
) {
  let lanes = PanelGeometry.rows
  let seen = (visiblePositions(span, row) &+ lanes &- 1) / lanes &* lanes
  let largest = partial.values[row &* span.headSize]
  let inverse = I.splat(largest > 1e-34 ? S.weightLimit / largest : 0)
  var i = 0
  @inline(__always) func weights(_ i: Int) -> I.Ints {
    I.round(I.multiply(I.load(scores + i), inverse))
  }
  while i &+ lanes < seen {
    I.storeLowHalves(weights(i), weights(i &+ lanes), UnsafeMutableRawPointer(scores) + 2 &* i)
    i &+= 2 &* lanes
  }
  if i < seen {
    I.storeLowHalves(weights(i), UnsafeMutableRawPointer(scores) + 2 &* i)
    i &+= lanes
  }
  let nothing = I.round(I.splat(Float(0)))
  let end = panels &* lanes
  while i < end {
    I.storeLowHalves(nothing, UnsafeMutableRawPointer(scores) + 2 &* i)
    i &+= lanes
  }
  scores[AttentionSpan.positions / 2] = largest / S.weightLimit
}
