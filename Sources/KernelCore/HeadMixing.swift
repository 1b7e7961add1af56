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
  var i = 0
  while i < count {
    var mixed = I.multiply(I.load(x + i), scale)
    mixed = I.butterfly(mixed, distance: 1)
    mixed = I.butterfly(mixed, distance: 2)
    mixed = I.butterfly(mixed, distance: 4)
    mixed = I.butterfly(mixed, distance: 8)
    I.store(mixed, x + i)
    i &+= lanes
  }
  var distance = lanes
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
