/// Sum of squares over `count` values: 16 running sums, then `VectorISA.sum`; a rest of fewer than
/// 16 is added in order.
@inlinable @inline(__always)
func sumOfSquares<I: VectorISA>(_ isa: I.Type, _ x: UnsafePointer<Float>, _ count: Int) -> Float {
  var sums = I.splat(Float(0))
  var i = 0
  while i &+ 16 <= count {
    let v = I.load(x + i)
    sums = I.fma(v, v, sums)
    i &+= 16
  }
  var total = I.sum(sums)
  while i < count {
    total += x[i] * x[i]
    i &+= 1
  }
  return total
}

/// RMS norm (Zhang & Sennrich 2019): y = x / sqrt(mean(x^2) + epsilon) * weight, one row.
@inlinable @inline(__always)
public func rmsNorm<I: VectorISA>(
  _ isa: I.Type, _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float,
  count: Int, output: UnsafeMutablePointer<Float>
) {
  let mean = sumOfSquares(isa, x, count) / Float(count)
  let scale = 1 / (mean + epsilon).squareRoot()
  let scales = I.splat(scale)
  var i = 0
  while i &+ 16 <= count {
    I.store(I.multiply(I.multiply(I.load(x + i), scales), I.load(weight + i)), output + i)
    i &+= 16
  }
  while i < count {
    output[i] = x[i] * scale * weight[i]
    i &+= 1
  }
}

/// SwiGLU's product (Shazeer 2020): output = gate / (1 + e^-gate) * up. `output` may be `gate`.
///
/// - Parameters:
///   - count: a multiple of 16; rows are padded to whole panels.
///   - next: where results go afterwards, which is asked for: rows of many tokens are more than the L2 holds.
@inlinable @inline(__always)
public func swiGLU<I: VectorISA>(
  _ isa: I.Type, gate: UnsafePointer<Float>, up: UnsafePointer<Float>, count: Int,
  output: UnsafeMutablePointer<Float>, next: UnsafePointer<Float>
) {
  let one = I.splat(Float(1))
  var i = 0
  while i < count {
    I.prefetch(next + i)
    let g = I.load(gate + i)
    let e = exponential(isa, I.subtract(I.splat(Float(0)), g))
    I.store(I.multiply(I.divide(g, I.add(one, e)), I.load(up + i)), output + i)
    i &+= 16
  }
}
