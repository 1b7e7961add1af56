#if arch(x86_64)
  // One file on purpose: code that two objects of a module share is emitted weak, and a weak copy
  // made for this instruction set must never be one that the linker may pick for other code.
  internal import CIntrinsics
  import KernelCore

  /// AVX2, FMA and F16C: two 256-bit registers are one logical vector.
  enum AVX2: PairedISA {
    // Tuples, not structs: a struct's metadata would bring in shared helpers such as
    // `__swift_memcpy64_16`, emitted weak and compiled with this target's flags.
    typealias Floats = (low: SIMD8<Float>, high: SIMD8<Float>)
    typealias Ints = (low: __m256i, high: __m256i)
    typealias Bytes = Ints

    @inline(__always) static func splat(_ value: Float) -> Floats {
      (_mm256_set1_ps(value), _mm256_set1_ps(value))
    }
    @inline(__always) static func load(_ p: UnsafePointer<Float>) -> Floats {
      (_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8))
    }
    @inline(__always) static func store(_ v: Floats, _ p: UnsafeMutablePointer<Float>) {
      _mm256_storeu_ps(p, v.low)
      _mm256_storeu_ps(p + 8, v.high)
    }
    @inline(__always) static func add(_ a: Floats, _ b: Floats) -> Floats {
      (_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high))
    }
    @inline(__always) static func subtract(_ a: Floats, _ b: Floats) -> Floats {
      (_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high))
    }
    @inline(__always) static func multiply(_ a: Floats, _ b: Floats) -> Floats {
      (_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high))
    }
    @inline(__always) static func divide(_ a: Floats, _ b: Floats) -> Floats {
      (_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high))
    }
    @inline(__always) static func maximum(_ a: Floats, _ b: Floats) -> Floats {
      (_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high))
    }
    @inline(__always) static func minimum(_ a: Floats, _ b: Floats) -> Floats {
      (_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high))
    }
    @inline(__always) static func magnitude(_ a: Floats) -> Floats {
      let mask = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFF_FFFF))
      return (_mm256_and_ps(a.low, mask), _mm256_and_ps(a.high, mask))
    }
    @inline(__always) static func fma(_ a: Floats, _ b: Floats, _ c: Floats) -> Floats {
      (_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high))
    }
    @inline(__always)
    static func keep(_ value: Floats, where test: Floats, atLeast bound: Float) -> Floats {
      let bound = _mm256_set1_ps(bound)
      return (
        _mm256_and_ps(value.low, swiftlet_at_least_ps256(test.low, bound)),
        _mm256_and_ps(value.high, swiftlet_at_least_ps256(test.high, bound))
      )
    }
    @inline(__always) static func mask(_ a: Floats, atLeast b: Floats) -> UInt32 {
      let low = _mm256_movemask_ps(swiftlet_at_least_ps256(a.low, b.low))
      let high = _mm256_movemask_ps(swiftlet_at_least_ps256(a.high, b.high))
      return UInt32(bitPattern: low | high << 8)
    }
    @inline(__always) static func swapPairs(_ a: Floats) -> Floats {
      (swiftlet_swap_pairs_ps256(a.low), swiftlet_swap_pairs_ps256(a.high))
    }
    @inline(__always) static func butterfly(_ a: Floats, distance: Int) -> Floats {
      switch distance {
      case 1: (swiftlet_butterfly_1_ps256(a.low), swiftlet_butterfly_1_ps256(a.high))
      case 2: (swiftlet_butterfly_2_ps256(a.low), swiftlet_butterfly_2_ps256(a.high))
      case 4: (swiftlet_butterfly_4_ps256(a.low), swiftlet_butterfly_4_ps256(a.high))
      default: (_mm256_add_ps(a.low, a.high), _mm256_sub_ps(a.low, a.high))
      }
    }

    @inline(__always) static func sum(_ a: Floats) -> Float {
      let eight = _mm256_add_ps(a.low, a.high)
      let four = _mm_add_ps(_mm256_castps256_ps128(eight), swiftlet_high_ps128(eight))
      let two = _mm_add_ps(four, _mm_movehl_ps(four, four))
      return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
    @inline(__always) static func largest(_ a: Floats) -> Float {
      let eight = _mm256_max_ps(a.low, a.high)
      let four = _mm_max_ps(_mm256_castps256_ps128(eight), swiftlet_high_ps128(eight))
      let two = _mm_max_ps(four, _mm_movehl_ps(four, four))
      return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
    }
    @inline(__always)
    static func largestOfEach(_ a: Floats, _ b: Floats, _ c: Floats, _ d: Floats) -> Floats {
      (
        swiftlet_largest_of_both_ps256(_mm256_max_ps(a.low, a.high), _mm256_max_ps(b.low, b.high)),
        swiftlet_largest_of_both_ps256(_mm256_max_ps(c.low, c.high), _mm256_max_ps(d.low, d.high))
      )
    }
    @inline(__always) static func storeFourths(_ a: Floats, _ p: UnsafeMutablePointer<Float>) {
      _mm_storeu_ps(p, swiftlet_fourths_ps256(a.low, a.high))
    }

    @inline(__always) static func loadHalf(_ p: UnsafeRawPointer) -> Floats {
      (
        _mm256_cvtph_ps(p.loadUnaligned(as: __m128i.self)),
        _mm256_cvtph_ps((p + 16).loadUnaligned(as: __m128i.self))
      )
    }
    @inline(__always) static func storeHalf(_ v: Floats, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: swiftlet_to_half_ps256(v.low), as: __m128i.self)
      (p + 16).storeBytes(of: swiftlet_to_half_ps256(v.high), as: __m128i.self)
    }
    @inline(__always) static func loadBrainFloat(_ p: UnsafeRawPointer) -> Floats {
      @inline(__always) func half(_ p: UnsafeRawPointer) -> SIMD8<Float> {
        let wide = _mm256_cvtepu16_epi32(p.loadUnaligned(as: __m128i.self))
        return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))
      }
      return (half(p), half(p + 16))
    }
    @inline(__always) static func storeBrainFloat(_ v: Floats, _ p: UnsafeMutableRawPointer) {
      @inline(__always) func upper(_ a: SIMD8<Float>) -> __m256i {
        _mm256_srai_epi32(_mm256_castps_si256(a), 16)
      }
      storeLowHalves((upper(v.low), upper(v.high)), p)
    }

    @inline(__always) static func splat(_ value: Int32) -> Ints {
      (_mm256_set1_epi32(value), _mm256_set1_epi32(value))
    }
    @inline(__always) static func add(_ a: Ints, _ b: Ints) -> Ints {
      (_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high))
    }
    @inline(__always) static func shiftLeft(_ a: Ints, _ count: Int32) -> Ints {
      (_mm256_slli_epi32(a.low, count), _mm256_slli_epi32(a.high, count))
    }
    @inline(__always)
    static func sumOfEach(_ a: Ints, _ b: Ints, _ c: Ints, _ d: Ints) -> Ints {
      (
        swiftlet_sum_of_both_si256(
          _mm256_add_epi32(a.low, a.high), _mm256_add_epi32(b.low, b.high)),
        swiftlet_sum_of_both_si256(
          _mm256_add_epi32(c.low, c.high), _mm256_add_epi32(d.low, d.high))
      )
    }
    @inline(__always) static func convert(_ a: Ints) -> Floats {
      (_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high))
    }
    @inline(__always) static func round(_ a: Floats) -> Ints {
      (_mm256_cvtps_epi32(a.low), _mm256_cvtps_epi32(a.high))
    }
    @inline(__always) static func bits(_ a: Ints) -> Floats {
      (_mm256_castsi256_ps(a.low), _mm256_castsi256_ps(a.high))
    }
    @inline(__always) static func bitPattern(_ a: Floats) -> Ints {
      (_mm256_castps_si256(a.low), _mm256_castps_si256(a.high))
    }
    @inline(__always) static func storeLowBytes(_ a: Ints, _ p: UnsafeMutableRawPointer) {
      // Byte 0 of each lane to the front of its 128-bit half.
      let pick = _mm256_setr_epi8(
        0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)
      let low = _mm256_shuffle_epi8(a.low, pick)
      let high = _mm256_shuffle_epi8(a.high, pick)
      p.storeBytes(of: _mm_cvtsi128_si32(_mm256_castsi256_si128(low)), as: Int32.self)
      (p + 4).storeBytes(of: _mm_cvtsi128_si32(swiftlet_high_si128(low)), as: Int32.self)
      (p + 8).storeBytes(of: _mm_cvtsi128_si32(_mm256_castsi256_si128(high)), as: Int32.self)
      (p + 12).storeBytes(of: _mm_cvtsi128_si32(swiftlet_high_si128(high)), as: Int32.self)
    }
    @inline(__always) static func storeLowHalves(_ a: Ints, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: swiftlet_pack_si256(a.low, a.high), as: __m256i.self)
    }
    @inline(__always) static func powerOfTwo(_ a: Floats) -> Floats {
      let exponents = _mm256_castsi256_ps(_mm256_set1_epi32(0x7F80_0000))
      return (_mm256_and_ps(a.low, exponents), _mm256_and_ps(a.high, exponents))
    }
    @inline(__always)
    static func lookup(_ indices: Ints, in table: SIMD16<Int32>) -> Ints {
      let table = unsafeBitCast(table, to: (low: __m256i, high: __m256i).self)
      @inline(__always) func half(_ i: __m256i) -> __m256i {
        swiftlet_lookup_si256(table.low, table.high, i)
      }
      return (half(indices.low), half(indices.high))
    }
    @inline(__always) static func loadUnsignedBytes(_ p: UnsafeRawPointer) -> Ints {
      let bytes = p.loadUnaligned(as: __m128i.self)
      return (
        _mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(bytes, bytes))
      )
    }

    @inline(__always) static func loadBytes(_ p: UnsafeRawPointer) -> Bytes {
      (p.loadUnaligned(as: __m256i.self), (p + 32).loadUnaligned(as: __m256i.self))
    }
    @inline(__always) static func storeBytes(_ a: Bytes, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: a.low, as: __m256i.self)
      (p + 32).storeBytes(of: a.high, as: __m256i.self)
    }
    /// The addresses of rows 0 and 4.
    @inline(__always)
    static func fourthRows(_ p: UnsafeRawPointer, _ stride: Int) -> (
      UnsafePointer<CChar>, UnsafePointer<CChar>
    ) {
      let p0 = swiftlet_opaque(p.assumingMemoryBound(to: CChar.self)).unsafelyUnwrapped
      return (p0, swiftlet_opaque(p0 + 4 &* stride).unsafelyUnwrapped)
    }
    @inline(__always)
    static func loadRows(_ p: UnsafeRawPointer, _ stride: Int) -> (Bytes, Bytes, Bytes, Bytes) {
      let low = eightRows(p, stride)
      let high = eightRows(p + 8 &* stride, stride)
      return ((low.0, high.0), (low.1, high.1), (low.2, high.2), (low.3, high.3))
    }
    /// Lane 0 has rows 0 to 3, lane 1 rows 4 to 7: a 4 x 4 transposition in each.
    @inline(__always)
    static func eightRows(_ p: UnsafeRawPointer, _ stride: Int) -> (
      __m256i, __m256i, __m256i, __m256i
    ) {
      let (p0, p4) = fourthRows(p, stride)
      let a = swiftlet_rows_si256(p0, p4)
      let b = swiftlet_rows_si256(p0 + stride, p4 + stride)
      let c = swiftlet_rows_si256(p0 + 2 &* stride, p4 + 2 &* stride)
      let d = swiftlet_rows_si256(p0 + 3 &* stride, p4 + 3 &* stride)
      let abLow = _mm256_unpacklo_epi32(a, b)
      let abHigh = _mm256_unpackhi_epi32(a, b)
      let cdLow = _mm256_unpacklo_epi32(c, d)
      let cdHigh = _mm256_unpackhi_epi32(c, d)
      return (
        _mm256_unpacklo_epi64(abLow, cdLow), _mm256_unpackhi_epi64(abLow, cdLow),
        _mm256_unpacklo_epi64(abHigh, cdHigh), _mm256_unpackhi_epi64(abHigh, cdHigh)
      )
    }
    @inline(__always) static func loadHalves(_ p: UnsafeRawPointer, _ stride: Int) -> Floats {
      let (p0, p4) = fourthRows(p, stride)
      let (p8, p12) = fourthRows(p + 8 &* stride, stride)
      return (
        _mm256_cvtph_ps(swiftlet_halves_si128(p0, p4, stride)),
        _mm256_cvtph_ps(swiftlet_halves_si128(p8, p12, stride))
      )
    }
    @inline(__always) static func flipSigns(_ a: Bytes) -> Bytes {
      let sign = _mm256_set1_epi8(-128)
      return (_mm256_xor_si256(a.low, sign), _mm256_xor_si256(a.high, sign))
    }
    @inline(__always) static func prefetch(_ p: UnsafeRawPointer) { swiftlet_prefetch(p) }
    @inline(__always) static func prefetchForLater(_ p: UnsafeRawPointer) {
      swiftlet_prefetch_for_later(p)
    }
    @inline(__always) static func lowNibbles(_ a: Bytes) -> Bytes {
      let mask = _mm256_set1_epi8(15)
      return (_mm256_and_si256(a.low, mask), _mm256_and_si256(a.high, mask))
    }
    @inline(__always) static func highNibbles(_ a: Bytes) -> Bytes {
      let mask = _mm256_set1_epi8(15)
      return (
        _mm256_and_si256(_mm256_srli_epi16(a.low, 4), mask),
        _mm256_and_si256(_mm256_srli_epi16(a.high, 4), mask)
      )
    }
    @inline(__always) static func field(_ a: Bytes, shift: Int, mask: Int32) -> Ints {
      let count = _mm_cvtsi32_si128(Int32(truncatingIfNeeded: shift))
      let mask = _mm256_set1_epi32(mask)
      return (
        _mm256_and_si256(_mm256_srl_epi32(a.low, count), mask),
        _mm256_and_si256(_mm256_srl_epi32(a.high, count), mask)
      )
    }
    @inline(__always) static func addFifthBits(_ a: Bytes, _ mask: UnsafeRawPointer) -> Bytes {
      @inline(__always) func sixteens(_ p: UnsafeRawPointer) -> __m256i {
        // Byte i of the result gets byte i / 8 of the mask, of which bit i % 8 is then tested.
        let bits = _mm256_set1_epi32(p.loadUnaligned(as: Int32.self))
        let spread = _mm256_shuffle_epi8(
          bits,
          _mm256_setr_epi8(
            0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
            2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3))
        let each = _mm256_set1_epi64x(Int64(bitPattern: 0x8040_2010_0804_0201))
        let hit = _mm256_cmpeq_epi8(_mm256_and_si256(spread, each), each)
        return _mm256_and_si256(hit, _mm256_set1_epi8(16))
      }
      return (
        _mm256_add_epi8(a.low, sixteens(mask)), _mm256_add_epi8(a.high, sixteens(mask + 4))
      )
    }

    @inline(__always)
    static func dotPairs(_ sum: Ints, _ pairs: Bytes, _ other: UnsafeRawPointer) -> Ints {
      let x = _mm256_set1_epi32(other.loadUnaligned(as: Int32.self))
      return (
        _mm256_add_epi32(sum.low, _mm256_madd_epi16(pairs.low, x)),
        _mm256_add_epi32(sum.high, _mm256_madd_epi16(pairs.high, x))
      )
    }

    @inline(__always) static func pairs(_ first: Ints, _ second: Ints) -> Bytes {
      (
        swiftlet_pairs_si256(first.low, second.low), swiftlet_pairs_si256(first.high, second.high)
      )
    }
    @inline(__always) static func highHalves(_ pairs: Bytes) -> Ints {
      (_mm256_srai_epi32(pairs.low, 16), _mm256_srai_epi32(pairs.high, 16))
    }

    /// Bytes as int16, those with even and those with odd indices: products of the vector instruction for bytes
    /// would exceed its 16 bits.
    @inline(__always)
    static func evenAndOdd(signed a: __m256i) -> (even: __m256i, odd: __m256i) {
      (_mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8), _mm256_srai_epi16(a, 8))
    }
    @inline(__always)
    static func evenAndOdd(unsigned a: __m256i) -> (even: __m256i, odd: __m256i) {
      (_mm256_and_si256(a, _mm256_set1_epi16(255)), _mm256_srli_epi16(a, 8))
    }
    @inline(__always)
    static func dotOffsetQuads(_ sum: Ints, _ offset: Bytes, signed: UnsafeRawPointer) -> Ints {
      let x = four(signed)
      // As signed bytes products are within 16 bits, two of them as well.
      @inline(__always) func half(_ sum: __m256i, _ offset: __m256i) -> __m256i {
        let a = _mm256_xor_si256(offset, _mm256_set1_epi8(-128))
        return swiftlet_add_signed_quads_si256(
          sum, _mm256_abs_epi8(a), a, x, _mm256_set1_epi16(1))
      }
      return (half(sum.low, offset.low), half(sum.high, offset.high))
    }
    @inline(__always)
    static func firstOfOffsetQuads(_ correction: Int32) -> Ints { splat(Int32(0)) }
    @inline(__always) static var weightBytes: Int { 2 }
    @inline(__always)
    static func storeWeights(_ a: (Ints, Ints, Ints, Ints), _ p: UnsafeMutableRawPointer) {
      let byte = _mm256_set1_epi32(255)
      @inline(__always) func store(_ a: Ints, _ p: UnsafeMutableRawPointer) {
        storeEvenAndOdd((_mm256_and_si256(a.low, byte), _mm256_and_si256(a.high, byte)), p)
      }
      store(a.0, p)
      store(a.1, p + 32)
      store(a.2, p + 64)
      store(a.3, p + 96)
    }
    @inline(__always)
    static func dotQuads(_ sum: Ints, signed: Bytes, weights: UnsafeRawPointer) -> Ints {
      let (even, odd) = (four(weights), four(weights + 4))
      @inline(__always) func half(_ sum: __m256i, _ signed: __m256i) -> __m256i {
        let values = evenAndOdd(signed: signed)
        return swiftlet_add_pairs_si256(
          swiftlet_add_pairs_si256(sum, values.even, even), values.odd, odd)
      }
      return (half(sum.low, signed.low), half(sum.high, signed.high))
    }

    /// Calls `body` with each of four vectors and where its activations begin.
    @inline(__always)
    static func forEachStep(
      _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer, stepBytes: Int = 4,
      _ body: (Bytes, UnsafeRawPointer) -> Void
    ) {
      body(w.0, activations)
      body(w.1, activations + stepBytes)
      body(w.2, activations + 2 &* stepBytes)
      body(w.3, activations + 3 &* stepBytes)
    }
    @inline(__always) static func four(_ p: UnsafeRawPointer) -> __m256i {
      _mm256_set1_epi32(p.loadUnaligned(as: Int32.self))
    }

    @inline(__always)
    static func dot(
      _ sum: Ints, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer, bits: Int
    ) -> Ints {
      var sums = Single(repeating: sum)
      dot(&sums, w, activations, step: 0, bits: bits)
      return sums[0]
    }

    /// `vpmaddubsw` sums pairs in 16 bits with saturation. Quants of 5 bits stay below it over four
    /// steps (4 * 2 * 31 * 127 = 31496). Those of 8 bits do not even in one, so they are made
    /// signed (quant - 128) and multiplied as |w| * sign(w) x, at most 2 * 128 * 127 = 32512.
    ///
    /// A step of all tokens before the next step: what is loaded of weights serves them all.
    @inline(__always)
    static func dot<T: TokenTile>(
      _ sums: inout T, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
      step: Int, bits: Int
    ) where T.Element == Ints {
      let ones = _mm256_set1_epi16(1)
      if bits <= 5 {
        var short = T(repeating: splat(Int32(0)))
        dotNibbles(&short, w, activations, step: step)
        sums.forEach { index, sum in
          sum = (
            swiftlet_add_pairs_si256(sum.low, short[index].low, ones),
            swiftlet_add_pairs_si256(sum.high, short[index].high, ones)
          )
        }
        return
      }
      forEachStep(w, activations) { w, activations in
        let sign = _mm256_set1_epi8(-128)
        let signed = (low: _mm256_xor_si256(w.low, sign), high: _mm256_xor_si256(w.high, sign))
        let magnitudes = (low: _mm256_abs_epi8(signed.low), high: _mm256_abs_epi8(signed.high))
        sums.forEach { index, sum in
          let x = four(activations + index &* step)
          sum = (
            swiftlet_add_signed_quads_si256(sum.low, magnitudes.low, signed.low, x, ones),
            swiftlet_add_signed_quads_si256(sum.high, magnitudes.high, signed.high, x, ones)
          )
        }
      }
    }

    /// A lane has two sums, of its columns 0, 1, 4, 5, ... and of the others, each with half of the offset:
    /// -4 (s + t), where s and t are the sums of their activations. So one is 4 (t - s) more than its products with
    /// quants less 8, within 16256 + 16256; what is above in between comes back, because sums wrap around.
    @inline(__always)
    static func firstOfNibbles(_ about: UnsafePointer<ActivationBlock>) -> Ints {
      splat(Int32(bitPattern: about.pointee.halvedOffset8))
    }
    @inline(__always)
    static func dotNibbles<T: TokenTile>(
      _ sums: inout T, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
      step: Int
    ) where T.Element == Ints {
      forEachStep(w, activations) { w, activations in
        sums.forEach { index, sum in
          let x = four(activations + index &* step)
          sum = (
            swiftlet_add_quads_si256(sum.low, w.low, x),
            swiftlet_add_quads_si256(sum.high, w.high, x)
          )
        }
      }
    }
    @inline(__always)
    static func addScaled(
      _ sum: Ints, _ first: Ints, _ second: Ints, _ scales: Bytes, by pair: UInt32
    ) -> Ints {
      let pair = _mm256_set1_epi32(Int32(bitPattern: pair))
      let twiceLow = _mm256_setr_epi8(
        0, 1, 0, 1, 4, 5, 4, 5, 8, 9, 8, 9, 12, 13, 12, 13,
        0, 1, 0, 1, 4, 5, 4, 5, 8, 9, 8, 9, 12, 13, 12, 13)
      let twiceHigh = _mm256_setr_epi8(
        2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11, 14, 15, 14, 15,
        2, 3, 2, 3, 6, 7, 6, 7, 10, 11, 10, 11, 14, 15, 14, 15)
      @inline(__always)
      func half(
        _ sum: __m256i, _ first: __m256i, _ second: __m256i, _ scales: __m256i
      ) -> __m256i {
        let factors = _mm256_mulhrs_epi16(scales, pair)
        let both = _mm256_add_epi32(
          _mm256_madd_epi16(first, swiftlet_shuffle_si256(factors, twiceLow)),
          _mm256_madd_epi16(second, swiftlet_shuffle_si256(factors, twiceHigh)))
        return _mm256_add_epi32(sum, both)
      }
      return (
        half(sum.low, first.low, second.low, scales.low),
        half(sum.high, first.high, second.high, scales.high)
      )
    }

    /// A lane's two int16: what is above them in between comes back, because sums wrap around.
    typealias PairSums = Ints

    /// Of each lane the first two bytes of both, and the last two of both.
    @inline(__always) static func interleave(_ a: Bytes, _ b: Bytes) -> (Bytes, Bytes) {
      (
        pairs(a, b),
        (swiftlet_high_pairs_si256(a.low, b.low), swiftlet_high_pairs_si256(a.high, b.high))
      )
    }
    @inline(__always) static func deinterleave(_ a: Bytes, _ b: Bytes) -> (Bytes, Bytes) {
      interleave(a, b)
    }
    @inline(__always)
    static func storePair(
      _ a: (Ints, Ints), _ b: (Ints, Ints), _ p: UnsafeMutableRawPointer
    ) {
      // Of each 128 bits, which have eight bytes of both, two in turn.
      let order = _mm256_setr_epi8(
        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15,
        0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15)
      @inline(__always) func store(_ a: Ints, _ b: Ints, _ p: UnsafeMutableRawPointer) {
        let bytes = _mm256_packs_epi16(
          swiftlet_pack_si256(a.low, a.high), swiftlet_pack_si256(b.low, b.high))
        p.storeBytes(of: _mm256_shuffle_epi8(bytes, order), as: __m256i.self)
      }
      store(a.0, b.0, p)
      store(a.1, b.1, p + 32)
    }
    @inline(__always)
    static func first(_ blocks: UnsafePointer<PairedBlocks>) -> Ints {
      splat(Int32(bitPattern: blocks.pointee.shortOffsets))
    }
    @inline(__always)
    static func addStep<T: TokenTile>(
      _ sums: inout T, _ vector: (Int) -> Bytes, _ activations: UnsafeRawPointer, distance: Int
    ) where T.Element == Ints {
      @inline(__always) func add(_ w: Bytes, _ offset: Int) {
        sums.forEach { index, sum in
          let x = four(activations + (index &* distance &+ offset))
          sum = (
            swiftlet_add_quads_si256(sum.low, w.low, x),
            swiftlet_add_quads_si256(sum.high, w.high, x)
          )
        }
      }
      add(vector(0), 0)
      add(vector(1), 4)
    }
    @inline(__always)
    static func addScaled(_ sum: Ints, _ sums: Ints, _ scales: Bytes, by pair: UInt32) -> Ints {
      let pair = _mm256_set1_epi32(Int32(bitPattern: pair))
      let low = _mm256_madd_epi16(sums.low, _mm256_mulhrs_epi16(scales.low, pair))
      let high = _mm256_madd_epi16(sums.high, _mm256_mulhrs_epi16(scales.high, pair))
      return (_mm256_add_epi32(sum.low, low), _mm256_add_epi32(sum.high, high))
    }

    /// Stores lanes, which are within int16, as such: of four first those with even indices, as `evenAndOdd` has them.
    @inline(__always) static func storeEvenAndOdd(_ a: Ints, _ p: UnsafeMutableRawPointer) {
      let order = _mm256_setr_epi8(
        0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15,
        0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15)
      let halves = _mm256_shuffle_epi8(swiftlet_pack_si256(a.low, a.high), order)
      p.storeBytes(of: halves, as: __m256i.self)
    }

    /// As int16: one product then has what is two in planes of bytes.
    @inline(__always)
    static func storeWide(_ first: Ints, _ second: Ints, _ p: UnsafeMutableRawPointer) {
      storeEvenAndOdd(first, p)
      storeEvenAndOdd(second, p + 32)
    }
    @inline(__always)
    static func dotWide<T: TokenTile>(
      _ sums: inout T, _ first: (Bytes, Bytes, Bytes, Bytes),
      _ second: (Bytes, Bytes, Bytes, Bytes), _ half: Half, _ activations: UnsafeRawPointer,
      step: Int
    ) where T.Element == Ints {
      @inline(__always)
      func add(_ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer) {
        forEachStep(w, activations, stepBytes: 8) { w, activations in
          let (low, high) = (evenAndOdd(unsigned: w.low), evenAndOdd(unsigned: w.high))
          sums.forEach { index, sum in
            let even = four(activations + index &* step)
            sum = (
              swiftlet_add_pairs_si256(sum.low, low.even, even),
              swiftlet_add_pairs_si256(sum.high, high.even, even)
            )
            let odd = four(activations + (index &* step &+ 4))
            sum = (
              swiftlet_add_pairs_si256(sum.low, low.odd, odd),
              swiftlet_add_pairs_si256(sum.high, high.odd, odd)
            )
          }
        }
      }
      if half != .second { add(first, activations) }
      if half != .first { add(second, activations + 32) }
    }
  }

  /// The kernels of `AVX2`.
  public func avx2KernelTable() -> KernelTable {
    KernelTable(
      name: "avx2", readsInOrder: false,
      q4_0: { multiplyFourBits(FourBitPanel.self, $0) },
      q4_1: { multiply(MinimumPanel<Nibbles>.self, $0) },
      q5_0: { multiply(OffsetPanel<NibblesAndBits>.self, $0) },
      q5_1: { multiply(MinimumPanel<NibblesAndBits>.self, $0) },
      q8_0: { multiply(OffsetPanel<WholeBytes>.self, $0) },
      q4_K: { multiply(SuperMinimumPanel<Nibbles>.self, $0) },
      q5_K: { multiply(SuperMinimumPanel<NibblesAndBits>.self, $0) },
      q6_K: { multiply(SixBitPanel.self, $0) },
      q4_0Rows: { multiplyFourBits(FourBitRows.self, $0) },
      q4_1Rows: { multiply(MinimumRows<NibbleRows>.self, $0) },
      q8_0Rows: { multiply(OffsetRows<SignedByteRows>.self, $0) },
      f32: { multiply(SinglePrecision.self, $0) },
      f16: { multiply(HalfPrecision.self, $0) },
      bf16: { multiply(BrainFloat.self, $0) },
      interleave: { interleaveRows(AVX2.self, $0, $1, blocks: $2, into: $3) },
      attendHalf: {
        attendSpan(AVX2.self, HalfPrecision.self, largestTile: 4, $0, scores: $1, into: $2)
      },
      attendShort: {
        attendFixedSpan(AVX2.self, ShortKeys.self, largestTile: 4, $0, scores: $1, into: $2)
      },
      attendBytes: {
        attendFixedSpan(AVX2.self, ByteKeys.self, largestTile: 4, $0, scores: $1, into: $2)
      },
      attendSingle: {
        attendSpan(AVX2.self, SinglePrecision.self, largestTile: 4, $0, scores: $1, into: $2)
      },
      mergeSpan: { mergeSpan(AVX2.self, $0, into: $1, rows: $2, headSize: $3) },
      finishAttention: { finishAttention(AVX2.self, $0, row: $1, headSize: $2, output: $3) },
      rotate: {
        rotate(AVX2.self, $0, count: $1, by: $2, scale: $3, output: $4, next: $5)
      },
      rmsNorm: { rmsNorm(AVX2.self, $0, weight: $1, epsilon: $2, count: $3, output: $4) },
      quantizeRow: {
        quantizeRow(AVX2.self, $0, blockCount: $1, records: $2, step: $3, outliers: $4)
      },
      quantizePairedRow: {
        quantizePairedRow(AVX2.self, $0, blockCount: $1, tile: $2, place: $3, outliers: $4)
      },
      quantizeWideRow: {
        quantizeWideRow(AVX2.self, $0, blockCount: $1, records: $2, step: $3)
      },
      swiGLU: { swiGLU(AVX2.self, gate: $0, up: $1, count: $2, output: $3, next: $4) },
      storeHalf: { AVX2.storeHalf(AVX2.load($0), $1) },
      quantizeShortQuery: { ShortKeys.quantizeQuery(AVX2.self, $0, count: $1) },
      quantizeByteQuery: { ByteKeys.quantizeQuery(AVX2.self, $0, count: $1) },
      storeShortKey: { storeKey(AVX2.self, ShortKeys.self, $0, headSize: $1, at: $2) },
      storeByteKey: { storeKey(AVX2.self, ByteKeys.self, $0, headSize: $1, at: $2) },
      storeByteValue: { storeValue(AVX2.self, $0, headSize: $1, at: $2) }
    )
  }

  /// Each kernel is compiled for one precision.
  @inline(__always)
  private func multiply<F: PanelFormat>(_ format: F.Type, _ o: QuantizedOperands) {
    if o.wide {
      quantizedMatmul(
        AVX2.self, format, TwoPlanes.self, largestTile: 4, readsInOrder: false,
        weights: o.weights, panels: o.panels, input: o.input, tokens: o.tokens, output: o.output,
        ahead: o.ahead)
    } else {
      quantizedMatmul(
        AVX2.self, format, OnePlane.self, largestTile: 4, readsInOrder: false,
        weights: o.weights, panels: o.panels, input: o.input, tokens: o.tokens, output: o.output,
        ahead: o.ahead)
    }
  }

  @inline(__always)
  private func multiplyFourBits<F: PanelFormat>(_ format: F.Type, _ o: QuantizedOperands) {
    guard o.input.isPaired else { return multiply(format, o) }
    unpackingPairedMatmul(
      AVX2.self, format, largestTile: 4, weights: o.weights, panels: o.panels, input: o.input,
      tokens: o.tokens, output: o.output)
  }

  @inline(__always)
  private func multiply<F: FloatFormat>(_ format: F.Type, _ o: FloatOperands) {
    floatMatmul(
      AVX2.self, format, largestTile: 4, weights: o.weights, panels: o.panels,
      columns: o.columns, input: o.input, inputStride: o.inputStride, tokens: o.tokens,
      output: o.output)
  }
#endif
