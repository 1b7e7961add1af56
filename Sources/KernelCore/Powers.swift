/// 2^(i / 16) of each lane's i, within ±126 * 16; bits of i above the lowest 13 do not count.
///
/// The table has 2^(j / 16) for j from 0 to 15, less what j adds to the bits with i: the lowest four bits of i find j, all
/// of i goes to the exponent.
@inlinable @inline(__always)
func powerOfTwo<I: VectorISA>(_ isa: I.Type, sixteenths i: I.Ints) -> I.Floats {
  let roots: SIMD16<Int32> = [
    0x3F80_0000, 0x3F7D_AAC3, 0x3F7B_95C2, 0x3F79_C3D3, 0x3F78_37F0, 0x3F76_F532, 0x3F75_FED7,
    0x3F75_583F, 0x3F75_04F3, 0x3F75_08A4, 0x3F75_672A, 0x3F76_248C, 0x3F77_44FD, 0x3F78_CCDF,
    0x3F7A_C0C7, 0x3F7D_257D,
  ]
  return I.bits(I.add(I.lookup(i, in: roots), I.shiftLeft(i, 19)))
}

/// 2^(x * factor) in 16 lanes, for x * factor within ±120: relative error below 6e-7, a hundredth of the weights' last
/// bit.
///
/// x * factor = i / 16 + r with |r| <= 1/32, and 2^r = 1 + r * (a + b * r) with the least relative error (Lawson). A float
/// of about 1.5 * 2^19 has four bits after the point: added to it, x * factor is rounded, and the lowest bits are i.
@inlinable @inline(__always)
func powerOfTwo<I: VectorISA>(_ isa: I.Type, _ x: I.Floats, times factor: I.Floats) -> I.Floats {
  let large = I.splat(Float(786_432))
  let rounded = I.fma(x, factor, large)
  let r = I.fma(x, factor, I.subtract(large, rounded))
  let power = powerOfTwo(isa, sixteenths: I.bitPattern(rounded))
  let slope = I.fma(I.splat(Float(0.24022643)), r, I.splat(Float(0.6931877)))
  return I.fma(I.multiply(power, r), slope, power)
}

/// e^x in 16 lanes: relative error below 2e-7 from -87 to 88, 0 below -87.
///
/// x = i / 16 * ln 2 + r with |r| <= ln 2 / 32 (ln 2 in two parts: Cody & Waite 1980), then the Taylor polynomial of
/// degree 3 in r, whose remainder is below 1e-8, times 2^(i / 16).
@inlinable @inline(__always)
func exponential<I: VectorISA>(_ isa: I.Type, _ x: I.Floats) -> I.Floats {
  let bounded = I.minimum(I.maximum(x, I.splat(Float(-87.5))), I.splat(Float(88)))
  // About 1.5 * 2^23: no bits after the point.
  let large = I.splat(Float(12_582_912))
  let rounded = I.fma(bounded, I.splat(Float(16 * 1.44269504088896341)), large)
  let i = I.subtract(rounded, large)
  var r = I.fma(i, I.splat(Float(-0.693359375 / 16)), bounded)
  r = I.fma(i, I.splat(Float(2.12194440e-4 / 16)), r)
  let power = powerOfTwo(isa, sixteenths: I.bitPattern(rounded))
  var slope = I.fma(I.splat(Float(1.0 / 6)), r, I.splat(Float(0.5)))
  slope = I.fma(slope, r, I.splat(Float(1)))
  return I.keep(I.fma(I.multiply(power, r), slope, power), where: x, atLeast: -87)
}
