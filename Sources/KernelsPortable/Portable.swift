import KernelCore

/// Swift's own SIMD types, for any processor; the reference that the others are tested against.
enum Portable: VectorISA {
  typealias Floats = SIMD16<Float>
  typealias Ints = SIMD16<Int32>
  /// Lane r: row r's four bytes.
  typealias Bytes = SIMD16<UInt32>

  @inline(__always) static func splat(_ value: Float) -> Floats { Floats(repeating: value) }
  @inline(__always) static func load(_ p: UnsafePointer<Float>) -> Floats {
    UnsafeRawPointer(p).loadUnaligned(as: Floats.self)
  }
  @inline(__always) static func store(_ v: Floats, _ p: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(p).storeBytes(of: v, as: Floats.self)
  }
  @inline(__always) static func add(_ a: Floats, _ b: Floats) -> Floats { a + b }
  @inline(__always) static func subtract(_ a: Floats, _ b: Floats) -> Floats { a - b }
  @inline(__always) static func multiply(_ a: Floats, _ b: Floats) -> Floats { a * b }
  @inline(__always) static func divide(_ a: Floats, _ b: Floats) -> Floats { a / b }
  @inline(__always) static func maximum(_ a: Floats, _ b: Floats) -> Floats {
    b.replacing(with: a, where: a .> b)
  }
  @inline(__always) static func minimum(_ a: Floats, _ b: Floats) -> Floats {
    b.replacing(with: a, where: a .< b)
  }
  @inline(__always) static func magnitude(_ a: Floats) -> Floats {
    unsafeBitCast(unsafeBitCast(a, to: SIMD16<UInt32>.self) & 0x7FFF_FFFF, to: Floats.self)
  }
  @inline(__always) static func fma(_ a: Floats, _ b: Floats, _ c: Floats) -> Floats {
    #if arch(arm64)
      return c.addingProduct(a, b)
    #else
      // Without FMA in the target's baseline `addingProduct` would be 16 calls of `fmaf`. In float64
      // the product is exact, so that only a sum in the middle of two floats can round otherwise.
      return Floats(SIMD16<Double>(a) * SIMD16<Double>(b) + SIMD16<Double>(c))
    #endif
  }
  @inline(__always)
  static func keep(_ value: Floats, where test: Floats, atLeast bound: Float) -> Floats {
    Floats.zero.replacing(with: value, where: test .>= splat(bound))
  }
  @inline(__always) static func mask(_ a: Floats, atLeast b: Floats) -> UInt32 {
    var bits = SIMD16<UInt32>.zero
    for lane in 0..<16 { bits[lane] = 1 << UInt32(lane) }
    return SIMD16<UInt32>.zero.replacing(with: bits, where: a .>= b).wrappedSum()
  }
  @inline(__always) static func swapPairs(_ a: Floats) -> Floats {
    var swapped = Floats()
    swapped.evenHalf = a.oddHalf
    swapped.oddHalf = a.evenHalf
    return swapped
  }
  @inline(__always) static func butterfly(_ a: Floats, distance: Int) -> Floats {
    var result = Floats()
    for lane in 0..<16 {
      let other = a[lane ^ distance]
      result[lane] = lane & distance == 0 ? a[lane] + other : other - a[lane]
    }
    return result
  }
  @inline(__always) static func sum(_ a: Floats) -> Float {
    let eight = a.lowHalf + a.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
  @inline(__always) static func largest(_ a: Floats) -> Float { a.max() }
  @inline(__always)
  static func largestOfEach(_ a: Floats, _ b: Floats, _ c: Floats, _ d: Floats) -> Floats {
    var each = Floats.zero
    (each[0], each[4], each[8], each[12]) = (a.max(), b.max(), c.max(), d.max())
    return each
  }
  @inline(__always) static func storeFourths(_ a: Floats, _ p: UnsafeMutablePointer<Float>) {
    (p[0], p[1], p[2], p[3]) = (a[0], a[4], a[8], a[12])
  }

  @inline(__always) static func loadHalf(_ p: UnsafeRawPointer) -> Floats {
    let half = SIMD16<UInt32>(truncatingIfNeeded: p.loadUnaligned(as: SIMD16<UInt16>.self))
    // The exponent is rebiased by a multiplication, which also normalizes denormals.
    let magnitude = unsafeBitCast((half & 0x7FFF) &<< 13, to: Floats.self) * 0x1p112
    var bits = unsafeBitCast(magnitude, to: SIMD16<UInt32>.self)
    // Infinity and NaN: exponent 31 became 143, and must be 255.
    bits.replace(with: bits | 0x7F80_0000, where: (half & 0x7C00) .== 0x7C00)
    return unsafeBitCast(bits | ((half & 0x8000) &<< 16), to: Floats.self)
  }
  @inline(__always) static func storeHalf(_ v: Floats, _ p: UnsafeMutableRawPointer) {
    for i in 0..<16 {
      p.storeBytes(of: halfBits(v[i]), toByteOffset: 2 * i, as: UInt16.self)
    }
  }
  @inline(__always) static func loadBrainFloat(_ p: UnsafeRawPointer) -> Floats {
    let wide = SIMD16<UInt32>(truncatingIfNeeded: p.loadUnaligned(as: SIMD16<UInt16>.self))
    return unsafeBitCast(wide &<< 16, to: Floats.self)
  }
  @inline(__always) static func storeBrainFloat(_ v: Floats, _ p: UnsafeMutableRawPointer) {
    storeLowHalves(unsafeBitCast(v, to: Ints.self) &>> 16, p)
  }

  @inline(__always) static func splat(_ value: Int32) -> Ints { Ints(repeating: value) }
  @inline(__always) static func add(_ a: Ints, _ b: Ints) -> Ints { a &+ b }
  @inline(__always) static func shiftLeft(_ a: Ints, _ count: Int32) -> Ints { a &<< count }
  @inline(__always)
  static func sumOfEach(_ a: Ints, _ b: Ints, _ c: Ints, _ d: Ints) -> Ints {
    var each = Ints.zero
    each[0] = a.wrappedSum()
    each[4] = b.wrappedSum()
    each[8] = c.wrappedSum()
    each[12] = d.wrappedSum()
    return each
  }
  @inline(__always) static func convert(_ a: Ints) -> Floats { Floats(a) }
  @inline(__always) static func round(_ a: Floats) -> Ints {
    // Adding 1.5 * 2^23 leaves the nearest integer in the low bits; exact within +-2^22, which
    // covers quants (32700) and exponents.
    unsafeBitCast(a + 0x1.8p23, to: Ints.self) &- Ints(repeating: 0x4B40_0000)
  }
  @inline(__always) static func bits(_ a: Ints) -> Floats { unsafeBitCast(a, to: Floats.self) }
  @inline(__always) static func bitPattern(_ a: Floats) -> Ints { unsafeBitCast(a, to: Ints.self) }
  @inline(__always) static func storeLowBytes(_ a: Ints, _ p: UnsafeMutableRawPointer) {
    p.storeBytes(of: SIMD16<Int8>(truncatingIfNeeded: a), as: SIMD16<Int8>.self)
  }
  @inline(__always) static func storeLowHalves(_ a: Ints, _ p: UnsafeMutableRawPointer) {
    p.storeBytes(of: SIMD16<Int16>(truncatingIfNeeded: a), as: SIMD16<Int16>.self)
  }
  @inline(__always) static func powerOfTwo(_ a: Floats) -> Floats {
    unsafeBitCast(unsafeBitCast(a, to: SIMD16<UInt32>.self) & 0x7F80_0000, to: Floats.self)
  }
  @inline(__always)
  static func lookup(_ indices: Ints, in table: SIMD16<Int32>) -> Ints {
    var found = Ints.zero
    for lane in 0..<16 { found[lane] = table[Int(indices[lane] & 15)] }
    return found
  }
  @inline(__always) static func loadUnsignedBytes(_ p: UnsafeRawPointer) -> Ints {
    Ints(truncatingIfNeeded: p.loadUnaligned(as: SIMD16<UInt8>.self))
  }

  @inline(__always) static func loadBytes(_ p: UnsafeRawPointer) -> Bytes {
    p.loadUnaligned(as: Bytes.self)
  }
  @inline(__always) static func storeBytes(_ a: Bytes, _ p: UnsafeMutableRawPointer) {
    p.storeBytes(of: a, as: Bytes.self)
  }
  @inline(__always)
  static func loadRows(_ p: UnsafeRawPointer, _ stride: Int) -> (Bytes, Bytes, Bytes, Bytes) {
    var (a, b, c, d) = (Bytes(), Bytes(), Bytes(), Bytes())
    for row in 0..<16 {
      let four = (p + row &* stride).loadUnaligned(as: SIMD4<UInt32>.self)
      a[row] = four[0]
      b[row] = four[1]
      c[row] = four[2]
      d[row] = four[3]
    }
    return (a, b, c, d)
  }
  @inline(__always) static func loadHalves(_ p: UnsafeRawPointer, _ stride: Int) -> Floats {
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 16) { halves in
      let halves = halves.baseAddress.unsafelyUnwrapped
      for row in 0..<16 { halves[row] = (p + row &* stride).loadUnaligned(as: UInt16.self) }
      return loadHalf(halves)
    }
  }
  @inline(__always) static func flipSigns(_ a: Bytes) -> Bytes { a ^ 0x8080_8080 }
  @inline(__always) static func prefetch(_ p: UnsafeRawPointer) {}
  @inline(__always) static func prefetchForLater(_ p: UnsafeRawPointer) {}
  @inline(__always) static func lowNibbles(_ a: Bytes) -> Bytes { a & 0x0F0F_0F0F }
  @inline(__always) static func highNibbles(_ a: Bytes) -> Bytes { (a &>> 4) & 0x0F0F_0F0F }
  @inline(__always) static func field(_ a: Bytes, shift: Int, mask: Int32) -> Ints {
    unsafeBitCast(
      (a &>> UInt32(truncatingIfNeeded: shift)) & UInt32(bitPattern: mask), to: Ints.self)
  }
  @inline(__always) static func addFifthBits(_ a: Bytes, _ mask: UnsafeRawPointer) -> Bytes {
    var result = a
    let bits = mask.loadUnaligned(as: UInt64.self)
    for row in 0..<16 {
      let four = UInt32(truncatingIfNeeded: bits &>> UInt64(4 &* row)) & 15
      // Bit i of the four goes to bit 4 of byte i.
      result[row] |= ((four &* 0x0020_4081) & 0x0101_0101) &<< 4
    }
    return result
  }

  @inline(__always)
  static func dotPairs(_ sum: Ints, _ pairs: Bytes, _ other: UnsafeRawPointer) -> Ints {
    let first = lowHalves(pairs) &* Int32(other.loadUnaligned(as: Int16.self))
    return sum &+ first
      &+ highHalves(pairs) &* Int32((other + 2).loadUnaligned(as: Int16.self))
  }

  @inline(__always) static func pairs(_ first: Ints, _ second: Ints) -> Bytes {
    unsafeBitCast((first & 0xFFFF) | (second &<< 16), to: Bytes.self)
  }
  @inline(__always) static func highHalves(_ pairs: Bytes) -> Ints {
    unsafeBitCast(pairs, to: Ints.self) &>> 16
  }
  @inline(__always) private static func lowHalves(_ pairs: Bytes) -> Ints {
    (unsafeBitCast(pairs, to: Ints.self) &<< 16) &>> 16
  }

  @inline(__always)
  static func dotOffsetQuads(_ sum: Ints, _ offset: Bytes, signed: UnsafeRawPointer) -> Ints {
    step(sum, offset, signed)
  }
  @inline(__always)
  static func firstOfOffsetQuads(_ correction: Int32) -> Ints { splat(correction) }
  @inline(__always) static var weightBytes: Int { 1 }
  @inline(__always)
  static func storeWeights(_ a: (Ints, Ints, Ints, Ints), _ p: UnsafeMutableRawPointer) {
    storeLowBytes(a.0, p)
    storeLowBytes(a.1, p + 16)
    storeLowBytes(a.2, p + 32)
    storeLowBytes(a.3, p + 48)
  }
  @inline(__always)
  static func dotQuads(_ sum: Ints, signed: Bytes, weights: UnsafeRawPointer) -> Ints {
    @inline(__always) func product(_ byte: UInt32) -> Ints {
      // Shifted to the top and back, which keeps the sign.
      let quant = unsafeBitCast(signed &<< (24 &- 8 &* byte), to: Ints.self) &>> 24
      return quant &* Int32((weights + Int(byte)).load(as: UInt8.self))
    }
    return sum &+ ((product(0) &+ product(1)) &+ (product(2) &+ product(3)))
  }

  @inline(__always)
  static func dot(
    _ sum: Ints, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer, bits: Int
  ) -> Ints {
    step(
      step(step(step(sum, w.0, activations), w.1, activations + 4), w.2, activations + 8), w.3,
      activations + 12)
  }

  /// One token after the other: registers are too few for the sums of several.
  @inline(__always)
  static func dot<T: TokenTile>(
    _ sums: inout T, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
    step: Int, bits: Int
  ) where T.Element == Ints {
    sums.forEach { index, sum in sum = dot(sum, w, activations + index &* step, bits: bits) }
  }

  @inline(__always)
  static func firstOfNibbles(_ about: UnsafePointer<ActivationBlock>) -> Ints {
    splat(about.pointee.offset8)
  }
  @inline(__always)
  static func dotNibbles<T: TokenTile>(
    _ sums: inout T, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer, step: Int
  ) where T.Element == Ints { dot(&sums, w, activations, step: step, bits: 4) }
  @inline(__always)
  static func addScaled(
    _ sum: Ints, _ first: Ints, _ second: Ints, _ scales: Bytes, by pair: UInt32
  ) -> Ints {
    let low = lowHalves(scales) &* Int32(Int16(truncatingIfNeeded: pair))
    let high = highHalves(scales) &* Int32(Int16(truncatingIfNeeded: pair &>> 16))
    return sum &+ (first &* ((low &+ 16384) &>> 15) &+ second &* ((high &+ 16384) &>> 15))
  }

  /// The high plane's 32 bytes, then the low one's.
  @inline(__always)
  static func storeWide(_ first: Ints, _ second: Ints, _ p: UnsafeMutableRawPointer) {
    let (firstHigh, secondHigh) = ((first &+ 64) &>> 7, (second &+ 64) &>> 7)
    storeLowBytes(firstHigh, p)
    storeLowBytes(secondHigh, p + 16)
    // quant - 128 * high, modulo 256: within -64 to 63.
    storeLowBytes(first &+ firstHigh &<< 7, p + 32)
    storeLowBytes(second &+ secondHigh &<< 7, p + 48)
  }
  @inline(__always)
  static func dotWide<T: TokenTile>(
    _ sums: inout T, _ first: (Bytes, Bytes, Bytes, Bytes), _ second: (Bytes, Bytes, Bytes, Bytes),
    _ half: Half, _ activations: UnsafeRawPointer, step: Int
  ) where T.Element == Ints {
    @inline(__always) func add(plane: Int, _ sums: inout T) {
      let quants = activations + plane &* 32
      if half != .second { dot(&sums, first, quants, step: step, bits: 8) }
      if half != .first { dot(&sums, second, quants + 16, step: step, bits: 8) }
    }
    var high = T(repeating: splat(Int32(0)))
    add(plane: 0, &high)
    sums.forEach { index, sum in sum = high[index] &<< 7 &+ sum }
    add(plane: 1, &sums)
  }

  @inline(__always)
  static func step(_ sum: Ints, _ w: Bytes, _ x: UnsafeRawPointer) -> Ints {
    @inline(__always) func product(_ byte: UInt32) -> Ints {
      let quant = unsafeBitCast((w &>> (8 &* byte)) & 0xFF, to: Ints.self)
      let activation = Int32((x + Int(byte)).load(as: Int8.self))
      return quant &* Ints(repeating: activation)
    }
    return sum &+ ((product(0) &+ product(1)) &+ (product(2) &+ product(3)))
  }

  /// Float to IEEE half bits, to nearest even.
  @inline(__always)
  static func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: (bits &>> 16) & 0x8000)
    let magnitude = bits & 0x7FFF_FFFF
    if magnitude >= 0x7F80_0000 {  // infinity, NaN
      return sign | (magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00)
    }
    if magnitude >= 0x4780_0000 { return sign | 0x7C00 }  // 65536 and above
    if magnitude < 0x3880_0000 {  // below the smallest normal half, 2^-14
      // Adding 0.5 shifts the value so that its half's last bit is the float's last bit.
      let shifted = Float(bitPattern: magnitude) + 0.5
      return sign | UInt16(truncatingIfNeeded: shifted.bitPattern &- 0x3F00_0000)
    }
    let odd = (magnitude &>> 13) & 1
    return sign
      | UInt16(truncatingIfNeeded: (magnitude &- 0x3800_0000 &+ 0xFFF &+ odd) &>> 13)
  }
}
