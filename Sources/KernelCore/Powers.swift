/// A root's bits plus i << 19 for each lane's i, within ±126 * 16: 2^(i / 16), times what the table's roots have in common.
/// Bits of i above the lowest 13 do not count.
///
/// - Parameter roots: the bits of 2^(j / 16) times a number, for j from 0 to 15, less what j adds to the bits with i: the
///   lowest four bits of i find j, all of i goes to the exponent.
@inlinable @inline(__always)
func powerOfTwo<I: VectorISA>(
  _ isa: I.Type, sixteenths i: I.Ints, _ roots: SIMD16<Int32>
) -> I.Floats {
  I.bits(I.add(I.lookup(i, in: roots), I.shiftLeft(i, 19)))
}

/// About 2^(x * factor) in 16 lanes, for x * factor within ±120: between 0.99968 and 1.00001 of it, a twelfth of what rounds
/// the weights. 1 where x is 0.
///
/// x * factor = i / 16 + r with |r| <= 1/32, and 2^r is close to 1 + 16/23 * r: of the lines that are a sum of r and some
/// 16ths times a number, the closest. A float of about 1.5 * 2^19 has four bits after the point: added to it, x * factor
/// is rounded, the lowest bits are i, and what it lacks of r + 23/16 is exact.
@inlinable @inline(__always)
func roughPowerOfTwo<I: VectorISA>(
  _ isa: I.Type, _ x: I.Floats, times factor: I.Floats
) -> I.Floats {
  // Times 16/23.
  let roots: SIMD16<Int32> = [
    0x3F32_1643, 0x3F31_F8B7, 0x3F32_3488, 0x3F32_CDAC, 0x3F33_C843, 0x3F35_289F, 0x3F36_F341,
    0x3F39_2CDD, 0x3F3B_DA5D, 0x3F3B_8072, 0x3F39_52E6, 0x3F37_6756, 0x3F35_C0B0, 0x3F34_61FF,
    0x3F33_4E74, 0x3F32_8962,
  ]
  let large = Float(786_432)
  let rounded = I.fma(x, factor, I.splat(large))
  let line = I.fma(x, factor, I.subtract(I.splat(large + 23 / 16), rounded))
  return I.multiply(line, powerOfTwo(isa, sixteenths: I.bitPattern(rounded), roots))
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
  let roots: SIMD16<Int32> = [
    0x3F80_0000, 0x3F7D_AAC3, 0x3F7B_95C2, 0x3F79_C3D3, 0x3F78_37F0, 0x3F76_F532, 0x3F75_FED7,
    0x3F75_583F, 0x3F75_04F3, 0x3F75_08A4, 0x3F75_672A, 0x3F76_248C, 0x3F77_44FD, 0x3F78_CCDF,
    0x3F7A_C0C7, 0x3F7D_257D,
  ]
  let power = powerOfTwo(isa, sixteenths: I.bitPattern(rounded), roots)
  var slope = I.fma(I.splat(Float(1.0 / 6)), r, I.splat(Float(0.5)))
  slope = I.fma(slope, r, I.splat(Float(1)))
  return I.keep(I.fma(I.multiply(power, r), slope, power), where: x, atLeast: -87)
}
