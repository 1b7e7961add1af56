/// Multiplies a head's vector with an orthogonal matrix in place: a Hadamard matrix, Sylvester's, of as many columns as
/// the largest power of two that divides `count`, for each such part.
///
/// Every result has a share of every value, so that a few large ones are spread over all columns. Products of a query
/// and a key that are both mixed are what they were (Ashkboos et al. 2024, QuaRot).
///
/// - Parameters:
///   - x: [count].
///   - count: a multiple of 16.
@inlinable @inline(__always)
func mixHead<I: VectorISA>(_ isa: I.Type, _ x: UnsafeMutablePointer<Float>, count: Int) {
  let lanes = PanelGeometry.rows
  // The part that is mixed: the lowest bit of `count`.
  let part = count & (0 &- count)
  let scale = I.splat(1 / Float(part).squareRoot())
  @inline(__always) func mixed(_ i: Int) -> I.Floats {
    var x = I.multiply(I.load(x + i), scale)
    x = I.butterfly(x, distance: 1)
    x = I.butterfly(x, distance: 2)
    x = I.butterfly(x, distance: 4)
    return I.butterfly(x, distance: 8)
  }
  var i = 0
  var distance = lanes
  // Most heads: of 64 columns, which stay in registers.
  if part >= 4 &* lanes {
    while i < count {
      let (a, b) = (mixed(i), mixed(i &+ lanes))
      let (c, d) = (mixed(i &+ 2 &* lanes), mixed(i &+ 3 &* lanes))
      let (ab, cd) = (I.add(a, b), I.add(c, d))
      let (lessAB, lessCD) = (I.subtract(a, b), I.subtract(c, d))
      I.store(I.add(ab, cd), x + i)
      I.store(I.add(lessAB, lessCD), x + (i &+ lanes))
      I.store(I.subtract(ab, cd), x + (i &+ 2 &* lanes))
      I.store(I.subtract(lessAB, lessCD), x + (i &+ 3 &* lanes))
      i &+= 4 &* lanes
    }
    distance = 4 &* lanes
  }
  while i < count {
    I.store(mixed(i), x + i)
    i &+= lanes
  }
  while distance < part {
    i = 0
    while i < count {
      let (a, b) = (I.load(x + i), I.load(x + (i &+ distance)))
      I.store(I.add(a, b), x + i)
      I.store(I.subtract(a, b), x + (i &+ distance))
      i &+= lanes
      if i & distance != 0 { i &+= distance }
    }
    distance &*= 2
  }
}
