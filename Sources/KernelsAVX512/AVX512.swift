#if arch(x86_64)
  // One file on purpose: code that two objects of a module share is emitted weak, and a weak copy
  // made for this instruction set must never be one that the linker may pick for other code.
  internal import CIntrinsics
  import KernelCore

  /// AVX-512 F, BW, VL, DQ and VNNI: one 512-bit register is one logical vector.
  enum AVX512: PairedPanelPairISA, PanelPairISA {
    typealias Floats = SIMD16<Float>
    typealias Ints = SIMD8<Int64>
    typealias Bytes = SIMD8<Int64>

    @inline(__always) static func splat(_ value: Float) -> Floats { _mm512_set1_ps(value) }
    @inline(__always) static func load(_ p: UnsafePointer<Float>) -> Floats { _mm512_loadu_ps(p) }
    @inline(__always) static func store(_ v: Floats, _ p: UnsafeMutablePointer<Float>) {
      _mm512_storeu_ps(p, v)
    }
    @inline(__always) static func add(_ a: Floats, _ b: Floats) -> Floats { _mm512_add_ps(a, b) }
    @inline(__always) static func subtract(_ a: Floats, _ b: Floats) -> Floats {
      _mm512_sub_ps(a, b)
    }
    @inline(__always) static func multiply(_ a: Floats, _ b: Floats) -> Floats {
      _mm512_mul_ps(a, b)
    }
    @inline(__always) static func divide(_ a: Floats, _ b: Floats) -> Floats { _mm512_div_ps(a, b) }
    @inline(__always) static func maximum(_ a: Floats, _ b: Floats) -> Floats {
      _mm512_max_ps(a, b)
    }
    @inline(__always) static func minimum(_ a: Floats, _ b: Floats) -> Floats {
      _mm512_min_ps(a, b)
    }
    @inline(__always) static func magnitude(_ a: Floats) -> Floats { _mm512_abs_ps(a) }
    @inline(__always) static func fma(_ a: Floats, _ b: Floats, _ c: Floats) -> Floats {
      _mm512_fmadd_ps(a, b, c)
    }
    @inline(__always)
    static func keep(_ value: Floats, where test: Floats, atLeast bound: Float) -> Floats {
      _mm512_maskz_mov_ps(swiftlet_at_least_ps512(test, splat(bound)), value)
    }
    @inline(__always) static func mask(_ a: Floats, atLeast b: Floats) -> UInt32 {
      UInt32(swiftlet_at_least_ps512(a, b))
    }
    @inline(__always) static func swapPairs(_ a: Floats) -> Floats { swiftlet_swap_pairs_ps512(a) }
    @inline(__always) static func butterfly(_ a: Floats, distance: Int) -> Floats {
      switch distance {
      case 1: swiftlet_butterfly_1_ps512(a)
      case 2: swiftlet_butterfly_2_ps512(a)
      case 4: swiftlet_butterfly_4_ps512(a)
      default: swiftlet_butterfly_8_ps512(a)
      }
    }

    @inline(__always) static func sum(_ a: Floats) -> Float {
      let eight = _mm256_add_ps(_mm512_castps512_ps256(a), swiftlet_high_ps256(a))
      let four = _mm_add_ps(_mm256_castps256_ps128(eight), swiftlet_high_ps128(eight))
      let two = _mm_add_ps(four, _mm_movehl_ps(four, four))
      return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
    @inline(__always) static func largest(_ a: Floats) -> Float { _mm512_reduce_max_ps(a) }
    @inline(__always)
    static func largestOfEach(_ a: Floats, _ b: Floats, _ c: Floats, _ d: Floats) -> Floats {
      swiftlet_largest_of_each_ps512(a, b, c, d)
    }
    @inline(__always) static func storeFourths(_ a: Floats, _ p: UnsafeMutablePointer<Float>) {
      _mm_storeu_ps(p, swiftlet_fourths_ps512(a))
    }

    @inline(__always) static func loadHalf(_ p: UnsafeRawPointer) -> Floats {
      _mm512_cvtph_ps(p.loadUnaligned(as: __m256i.self))
    }
    @inline(__always) static func storeHalf(_ v: Floats, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: swiftlet_to_half_ps512(v), as: __m256i.self)
    }
    @inline(__always) static func loadBrainFloat(_ p: UnsafeRawPointer) -> Floats {
      let wide = _mm512_cvtepu16_epi32(p.loadUnaligned(as: __m256i.self))
      return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16))
    }
    @inline(__always) static func storeBrainFloat(_ v: Floats, _ p: UnsafeMutableRawPointer) {
      storeLowHalves(_mm512_srai_epi32(_mm512_castps_si512(v), 16), p)
    }

    @inline(__always) static func splat(_ value: Int32) -> Ints { _mm512_set1_epi32(value) }
    @inline(__always) static func add(_ a: Ints, _ b: Ints) -> Ints { _mm512_add_epi32(a, b) }
    @inline(__always) static func shiftLeft(_ a: Ints, _ count: Int32) -> Ints {
      _mm512_slli_epi32(a, UInt32(truncatingIfNeeded: count))
    }
    @inline(__always)
    static func sumOfEach(_ a: Ints, _ b: Ints, _ c: Ints, _ d: Ints) -> Ints {
      swiftlet_sum_of_each_si512(a, b, c, d)
    }
    @inline(__always) static func convert(_ a: Ints) -> Floats { _mm512_cvtepi32_ps(a) }
    @inline(__always) static func round(_ a: Floats) -> Ints { _mm512_cvtps_epi32(a) }
    @inline(__always) static func bits(_ a: Ints) -> Floats { _mm512_castsi512_ps(a) }
    @inline(__always) static func bitPattern(_ a: Floats) -> Ints { _mm512_castps_si512(a) }
    @inline(__always) static func storeLowBytes(_ a: Ints, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: _mm512_cvtepi32_epi8(a), as: __m128i.self)
    }
    @inline(__always) static func storeLowHalves(_ a: Ints, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: _mm512_cvtepi32_epi16(a), as: __m256i.self)
    }
    @inline(__always) static func powerOfTwo(_ a: Floats) -> Floats {
      _mm512_castsi512_ps(
        _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7F80_0000)))
    }
    @inline(__always)
    static func lookup(_ indices: Ints, in table: SIMD16<Int32>) -> Ints {
      _mm512_permutexvar_epi32(indices, unsafeBitCast(table, to: __m512i.self))
    }
    @inline(__always) static func loadUnsignedBytes(_ p: UnsafeRawPointer) -> Ints {
      _mm512_cvtepu8_epi32(p.loadUnaligned(as: __m128i.self))
    }

    @inline(__always) static func loadBytes(_ p: UnsafeRawPointer) -> Bytes {
      p.loadUnaligned(as: __m512i.self)
    }
    @inline(__always) static func storeBytes(_ a: Bytes, _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: a, as: __m512i.self)
    }
    /// The addresses of rows 0, 4, 8 and 12.
    @inline(__always)
    static func fourthRows(_ p: UnsafeRawPointer, _ stride: Int) -> (
      UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>
    ) {
      let p0 = swiftlet_opaque(p.assumingMemoryBound(to: CChar.self)).unsafelyUnwrapped
      let p4 = swiftlet_opaque(p0 + 4 &* stride).unsafelyUnwrapped
      let p8 = swiftlet_opaque(p4 + 4 &* stride).unsafelyUnwrapped
      return (p0, p4, p8, swiftlet_opaque(p8 + 4 &* stride).unsafelyUnwrapped)
    }
    @inline(__always)
    static func loadRows(_ p: UnsafeRawPointer, _ stride: Int) -> (Bytes, Bytes, Bytes, Bytes) {
      // Lane L has rows 4L to 4L+3: a 4 x 4 transposition in each.
      let (p0, p4, p8, p12) = fourthRows(p, stride)
      let a = swiftlet_rows_si512(p0, p4, p8, p12)
      let b = swiftlet_rows_si512(p0 + stride, p4 + stride, p8 + stride, p12 + stride)
      let twice = 2 &* stride
      let c = swiftlet_rows_si512(p0 + twice, p4 + twice, p8 + twice, p12 + twice)
      let thrice = 3 &* stride
      let d = swiftlet_rows_si512(p0 + thrice, p4 + thrice, p8 + thrice, p12 + thrice)
      let abLow = _mm512_unpacklo_epi32(a, b)
      let abHigh = _mm512_unpackhi_epi32(a, b)
      let cdLow = _mm512_unpacklo_epi32(c, d)
      let cdHigh = _mm512_unpackhi_epi32(c, d)
      return (
        _mm512_unpacklo_epi64(abLow, cdLow), _mm512_unpackhi_epi64(abLow, cdLow),
        _mm512_unpacklo_epi64(abHigh, cdHigh), _mm512_unpackhi_epi64(abHigh, cdHigh)
      )
    }
    @inline(__always) static func loadHalves(_ p: UnsafeRawPointer, _ stride: Int) -> Floats {
      let (p0, p4, p8, p12) = fourthRows(p, stride)
      let low = swiftlet_halves_si128(p0, p4, stride)
      let high = swiftlet_halves_si128(p8, p12, stride)
      return _mm512_cvtph_ps(_mm256_set_m128i(high, low))
    }
    @inline(__always) static func flipSigns(_ a: Bytes) -> Bytes {
      _mm512_xor_si512(a, _mm512_set1_epi8(-128))
    }
    @inline(__always) static func prefetch(_ p: UnsafeRawPointer) { swiftlet_prefetch(p) }
    @inline(__always) static func prefetchForLater(_ p: UnsafeRawPointer) {
      swiftlet_prefetch_for_later(p)
    }
    @inline(__always) static func lowNibbles(_ a: Bytes) -> Bytes {
      _mm512_and_si512(a, _mm512_set1_epi8(15))
    }
    @inline(__always) static func highNibbles(_ a: Bytes) -> Bytes {
      _mm512_and_si512(_mm512_srli_epi16(a, 4), _mm512_set1_epi8(15))
    }
    @inline(__always) static func field(_ a: Bytes, shift: Int, mask: Int32) -> Ints {
      let count = _mm_cvtsi32_si128(Int32(truncatingIfNeeded: shift))
      return _mm512_and_si512(_mm512_srl_epi32(a, count), _mm512_set1_epi32(mask))
    }
    @inline(__always) static func addFifthBits(_ a: Bytes, _ mask: UnsafeRawPointer) -> Bytes {
      let bits = mask.loadUnaligned(as: UInt64.self)
      return _mm512_mask_add_epi8(a, bits, a, _mm512_set1_epi8(16))
    }

    @inline(__always)
    static func dotPairs(_ sum: Ints, _ pairs: Bytes, _ other: UnsafeRawPointer) -> Ints {
      swiftlet_dot_pairs_si512(
        sum, pairs, _mm512_set1_epi32(other.loadUnaligned(as: Int32.self)))
    }

    @inline(__always) static func pairs(_ first: Ints, _ second: Ints) -> Bytes {
      _mm512_mask_blend_epi16(0xAAAA_AAAA, first, _mm512_slli_epi32(second, 16))
    }
    @inline(__always) static func highHalves(_ pairs: Bytes) -> Ints {
      _mm512_srai_epi32(pairs, 16)
    }

    @inline(__always)
    static func dotOffsetQuads(_ sum: Ints, _ offset: Bytes, signed: UnsafeRawPointer) -> Ints {
      _mm512_dpbusd_epi32(
        sum, offset, _mm512_set1_epi32(signed.loadUnaligned(as: Int32.self)))
    }
    @inline(__always)
    static func firstOfOffsetQuads(_ correction: Int32) -> Ints { splat(correction) }
    @inline(__always) static var weightBytes: Int { 1 }
    @inline(__always)
    static func storeWeights(_ a: (Ints, Ints, Ints, Ints), _ p: UnsafeMutableRawPointer) {
      p.storeBytes(of: swiftlet_low_bytes_si512(a.0, a.1, a.2, a.3), as: __m512i.self)
    }
    @inline(__always)
    static func dotQuads(_ sum: Ints, signed: Bytes, weights: UnsafeRawPointer) -> Ints {
      _mm512_dpbusd_epi32(
        sum, _mm512_set1_epi32(weights.loadUnaligned(as: Int32.self)), signed)
    }

    @inline(__always)
    static func dot(
      _ sum: Ints, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer, bits: Int
    ) -> Ints {
      @inline(__always) func four(_ offset: Int) -> Ints {
        _mm512_set1_epi32((activations + offset).loadUnaligned(as: Int32.self))
      }
      var sum = _mm512_dpbusd_epi32(sum, w.0, four(0))
      sum = _mm512_dpbusd_epi32(sum, w.1, four(4))
      sum = _mm512_dpbusd_epi32(sum, w.2, four(8))
      return _mm512_dpbusd_epi32(sum, w.3, four(12))
    }

    /// A step of all tokens before the next step: each waits for the one before it of the same token.
    @inline(__always)
    static func dot<T: TokenTile>(
      _ sums: inout T, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
      step: Int, bits: Int
    ) where T.Element == Ints {
      @inline(__always) func four(_ index: Int, _ offset: Int) -> Ints {
        let place = activations + (index &* step &+ offset)
        return _mm512_set1_epi32(place.loadUnaligned(as: Int32.self))
      }
      sums.forEach { index, sum in sum = _mm512_dpbusd_epi32(sum, w.0, four(index, 0)) }
      sums.forEach { index, sum in sum = _mm512_dpbusd_epi32(sum, w.1, four(index, 4)) }
      sums.forEach { index, sum in sum = _mm512_dpbusd_epi32(sum, w.2, four(index, 8)) }
      sums.forEach { index, sum in sum = _mm512_dpbusd_epi32(sum, w.3, four(index, 12)) }
    }

    @inline(__always)
    static func firstOfNibbles(_ about: UnsafePointer<ActivationBlock>) -> Ints {
      splat(about.pointee.offset8)
    }
    @inline(__always)
    static func dotNibbles<T: TokenTile>(
      _ sums: inout T, _ w: (Bytes, Bytes, Bytes, Bytes), _ activations: UnsafeRawPointer,
      step: Int
    ) where T.Element == Ints { dot(&sums, w, activations, step: step, bits: 4) }
    @inline(__always)
    static func addScaled(
      _ sum: Ints, _ first: Ints, _ second: Ints, _ scales: Bytes, by pair: UInt32
    ) -> Ints {
      let factors = _mm512_mulhrs_epi16(scales, _mm512_set1_epi32(Int32(bitPattern: pair)))
      return swiftlet_dot_pairs_si512(sum, pairs(first, second), factors)
    }

    /// Of eight rows each, in lanes that lie beside each other.
    typealias PairSums = (low: Ints, high: Ints)

    /// Of each 128 bits the first two lanes of both, and the last two of both: rows stay in their order when `addScaled`
    /// packs sums.
    @inline(__always) static func interleave(_ a: Bytes, _ b: Bytes) -> (Bytes, Bytes) {
      (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b))
    }
    @inline(__always) static func deinterleave(_ a: Bytes, _ b: Bytes) -> (Bytes, Bytes) {
      (swiftlet_even_lanes_si512(a, b), swiftlet_odd_lanes_si512(a, b))
    }
    @inline(__always)
    static func storePair(
      _ a: (Ints, Ints), _ b: (Ints, Ints), _ p: UnsafeMutableRawPointer
    ) { storeBytes(swiftlet_pair_quants_si512(a.0, a.1, b.0, b.1), p) }
    @inline(__always)
    static func first(_ blocks: UnsafePointer<PairedBlocks>) -> PairSums {
      let both = eight(UnsafeRawPointer(blocks))
      return (both, both)
    }
    /// Eight bytes in all lanes of 64 bits.
    @inline(__always) private static func eight(_ p: UnsafeRawPointer) -> Bytes {
      _mm512_set1_epi64(p.loadUnaligned(as: Int64.self))
    }
    /// Reads activations once for both halves of the rows: where two loads and two products go in a cycle, as on a Zen 5,
    /// loads are what limits otherwise.
    @inline(__always)
    static func addStep<T: TokenTile>(
      _ sums: inout T, _ vector: (Int) -> Bytes, _ activations: UnsafeRawPointer, distance: Int
    ) where T.Element == PairSums {
      let (low, high) = (vector(0), vector(1))
      sums.forEach { index, sum in
        let x = eight(activations + index &* distance)
        sum = (_mm512_dpbusd_epi32(sum.low, low, x), _mm512_dpbusd_epi32(sum.high, high, x))
      }
    }
    @inline(__always)
    static func addStep<T: TokenTile>(
      _ sums: inout T, _ vector: (Int) -> Bytes, _ activations: UnsafeRawPointer, distance: Int
    ) where T.Element == (PairSums, PairSums) {
      let (a, b, c, d) = (vector(0), vector(1), vector(2), vector(3))
      sums.forEach { index, sum in
        let x = eight(activations + index &* distance)
        sum = (
          (_mm512_dpbusd_epi32(sum.0.low, a, x), _mm512_dpbusd_epi32(sum.0.high, b, x)),
          (_mm512_dpbusd_epi32(sum.1.low, c, x), _mm512_dpbusd_epi32(sum.1.high, d, x))
        )
      }
    }
    @inline(__always)
    static func addScaled(
      _ sum: Ints, _ sums: PairSums, _ scales: Bytes, by pair: UInt32
    ) -> Ints {
      let factors = _mm512_mulhrs_epi16(scales, _mm512_set1_epi32(Int32(bitPattern: pair)))
      return swiftlet_dot_pairs_si512(sum, _mm512_packs_epi32(sums.low, sums.high), factors)
    }

    @inline(__always)
    static func dot<T: TokenTile>(
      _ sums: inout T, _ vector: (Int) -> (Bytes, Bytes), _ activations: UnsafeRawPointer,
      step: Int
    ) where T.Element == (Ints, Ints) {
      @inline(__always) func add(_ place: Int) {
        let (a, b) = vector(place)
        sums.forEach { index, sum in
          let four = activations + (index &* step &+ 4 &* place)
          let x = _mm512_set1_epi32(four.loadUnaligned(as: Int32.self))
          sum = (_mm512_dpbusd_epi32(sum.0, a, x), _mm512_dpbusd_epi32(sum.1, b, x))
        }
      }
      add(0)
      add(1)
      add(2)
      add(3)
      add(4)
      add(5)
      add(6)
      add(7)
    }

    /// The high plane's 32 bytes, then the low one's.
    @inline(__always)
    static func storeWide(_ first: Ints, _ second: Ints, _ p: UnsafeMutableRawPointer) {
      @inline(__always) func high(_ a: Ints) -> Ints {
        _mm512_srai_epi32(_mm512_add_epi32(a, _mm512_set1_epi32(64)), 7)
      }
      let (firstHigh, secondHigh) = (high(first), high(second))
      storeLowBytes(firstHigh, p)
      storeLowBytes(secondHigh, p + 16)
      // quant - 128 * high, modulo 256: within -64 to 63.
      storeLowBytes(add(first, shiftLeft(firstHigh, 7)), p + 32)
      storeLowBytes(add(second, shiftLeft(secondHigh, 7)), p + 48)
    }
    /// Each product waits for the one before it: sums of both planes wait half as long.
    @inline(__always)
    static func dotWide<T: TokenTile>(
      _ sums: inout T, _ first: (Bytes, Bytes, Bytes, Bytes),
      _ second: (Bytes, Bytes, Bytes, Bytes), _ half: Half, _ activations: UnsafeRawPointer,
      step: Int
    ) where T.Element == Ints {
      var high = T(repeating: splat(Int32(0)))
      if half != .second {
        dot(&high, first, activations, step: step, bits: 8)
        dot(&sums, first, activations + 32, step: step, bits: 8)
      }
      if half != .first {
        dot(&high, second, activations + 16, step: step, bits: 8)
        dot(&sums, second, activations + 48, step: step, bits: 8)
      }
      sums.forEach { index, sum in sum = add(shiftLeft(high[index], 7), sum) }
    }
  }

  /// The kernels of `AVX512`.
  public func avx512KernelTable(readsInOrder: Bool) -> KernelTable {
    KernelTable(
      name: "avx512", readsInOrder: readsInOrder,
      q4_0: { multiplyFourBits($0) },
      q4_1: { multiply(MinimumPanel<Nibbles>.self, $0) },
      q5_0: { multiply(OffsetPanel<NibblesAndBits>.self, $0) },
      q5_1: { multiply(MinimumPanel<NibblesAndBits>.self, $0) },
      q8_0: { multiply(OffsetPanel<WholeBytes>.self, $0) },
      q4_K: { multiply(SuperMinimumPanel<Nibbles>.self, $0) },
      q5_K: { multiply(SuperMinimumPanel<NibblesAndBits>.self, $0) },
      q6_K: { multiply(SixBitPanel.self, $0) },
      q4_0Rows: { multiplyFourBitRows($0) },
      q4_1Rows: { multiply(MinimumRows<NibbleRows>.self, $0) },
      q8_0Rows: { multiply(OffsetRows<SignedByteRows>.self, $0) },
      f32: { multiply(SinglePrecision.self, $0) },
      f16: { multiply(HalfPrecision.self, $0) },
      bf16: { multiply(BrainFloat.self, $0) },
      interleave: { interleaveRows(AVX512.self, $0, $1, blocks: $2, into: $3) },
      attendHalf: {
        attendSpan(AVX512.self, HalfPrecision.self, largestTile: 8, $0, scores: $1, into: $2)
      },
      attendShort: {
        attendFixedSpan(AVX512.self, ShortKeys.self, largestTile: 8, $0, scores: $1, into: $2)
      },
      attendBytes: {
        attendFixedSpan(AVX512.self, ByteKeys.self, largestTile: 8, $0, scores: $1, into: $2)
      },
      attendSingle: {
        attendSpan(AVX512.self, SinglePrecision.self, largestTile: 8, $0, scores: $1, into: $2)
      },
      mergeSpan: { mergeSpan(AVX512.self, $0, into: $1, rows: $2, headSize: $3) },
      finishAttention: { finishAttention(AVX512.self, $0, row: $1, headSize: $2, output: $3) },
      rotate: {
        rotate(AVX512.self, $0, count: $1, by: $2, scale: $3, output: $4, next: $5)
      },
      rmsNorm: { rmsNorm(AVX512.self, $0, weight: $1, epsilon: $2, count: $3, output: $4) },
      quantizeRow: {
        quantizeRow(AVX512.self, $0, blockCount: $1, records: $2, step: $3, outliers: $4)
      },
      quantizePairedRow: {
        quantizePairedRow(AVX512.self, $0, blockCount: $1, tile: $2, place: $3, outliers: $4)
      },
      quantizeWideRow: {
        quantizeWideRow(AVX512.self, $0, blockCount: $1, records: $2, step: $3)
      },
      swiGLU: { swiGLU(AVX512.self, gate: $0, up: $1, count: $2, output: $3, next: $4) },
      storeHalf: { AVX512.storeHalf(AVX512.load($0), $1) },
      quantizeShortQuery: { ShortKeys.quantizeQuery(AVX512.self, $0, count: $1) },
      quantizeByteQuery: { ByteKeys.quantizeQuery(AVX512.self, $0, count: $1) },
      storeShortKey: { storeKey(AVX512.self, ShortKeys.self, $0, headSize: $1, at: $2) },
      storeByteKey: { storeKey(AVX512.self, ByteKeys.self, $0, headSize: $1, at: $2) },
      storeByteValue: { storeValue(AVX512.self, $0, headSize: $1, at: $2) }
    )
  }

  /// Each kernel is compiled for one precision.
  @inline(__always)
  private func multiply<F: PanelFormat>(_ format: F.Type, _ o: QuantizedOperands) {
    if o.wide {
      panelPairMatmul(
        AVX512.self, format, TwoPlanes.self, largestTile: 8, readsInOrder: o.readsInOrder,
        weights: o.weights, panels: o.panels, input: o.input, tokens: o.tokens, output: o.output,
        ahead: o.ahead)
    } else {
      panelPairMatmul(
        AVX512.self, format, OnePlane.self, largestTile: 8, readsInOrder: o.readsInOrder,
        weights: o.weights, panels: o.panels, input: o.input, tokens: o.tokens, output: o.output,
        ahead: o.ahead)
    }
  }

  @inline(__always)
  private func multiplyFourBits(_ o: QuantizedOperands) {
    o.input.isPaired ? multiplyPairedPanels(o) : multiply(FourBitPanel.self, o)
  }

  // Functions of their own, so that what else is compiled beside them does not change their loops.
  @inline(never)
  private func multiplyPairedPanels(_ o: QuantizedOperands) {
    if o.tokens > 16 {
      unpackingPairedMatmul(FourBitPanel.self, o)
    } else {
      pairedMatmul(
        AVX512.self, largestTile: 8, weights: o.weights, panels: o.panels, input: o.input,
        tokens: o.tokens, output: o.output, ahead: o.ahead)
    }
  }

  @inline(__always)
  private func multiplyFourBitRows(_ o: QuantizedOperands) {
    o.input.isPaired ? multiplyPairedRows(o) : multiply(FourBitRows.self, o)
  }

  @inline(never)
  private func multiplyPairedRows(_ o: QuantizedOperands) {
    unpackingPairedMatmul(FourBitRows.self, o)
  }

  /// Two panels at a time, but for a Zen 4 (`readsInOrder`): it does one product a cycle, for which it loads enough, and
  /// its L1 has no room for two long panels.
  @inline(__always)
  private func unpackingPairedMatmul<F: PanelFormat>(_ format: F.Type, _ o: QuantizedOperands) {
    if o.readsInOrder {
      KernelCore.unpackingPairedMatmul(
        AVX512.self, format, largestTile: 8, weights: o.weights, panels: o.panels,
        input: o.input, tokens: o.tokens, output: o.output)
    } else {
      unpackingPanelPairMatmul(
        AVX512.self, format, weights: o.weights, panels: o.panels, input: o.input,
        tokens: o.tokens, output: o.output)
    }
  }

  @inline(__always)
  private func multiply<F: FloatFormat>(_ format: F.Type, _ o: FloatOperands) {
    floatMatmul(
      AVX512.self, format, largestTile: 8, weights: o.weights, panels: o.panels,
      columns: o.columns, input: o.input, inputStride: o.inputStride, tokens: o.tokens,
      output: o.output)
  }
#endif
