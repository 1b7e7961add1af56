// What Swift cannot say by itself: the compiler's vector intrinsics, and which of them this
// processor can run. Header only; every function is static inline, so no object code of ours
// can be shared between targets that are compiled for different instruction sets.
#pragma once

#include <string.h>

#if defined(__linux__)
// Declared by glibc for GNU sources only.
extern int sched_getaffinity(int process, unsigned long size, void *mask);
extern int sched_setaffinity(int process, unsigned long size, const void *mask);
extern int sched_getcpu(void);

// Sets a bit for each processor that this process may run on, of those that there is room for; none where the system does
// not say. The system refuses less room than it has processors for: 1024 bytes are enough for 8192.
static inline void swiftlet_affinity(unsigned char *mask, int byteCount) {
  memset(mask, 0, byteCount);
  if (sched_getaffinity(0, byteCount, mask) < 0) memset(mask, 0, byteCount);
}

// The processor that the calling thread runs on, -1 where the system does not say.
static inline int swiftlet_processor(void) { return sched_getcpu(); }

// Moves the calling thread to the `steps`-th processor after `start` among those that it may run on,
// without binding it: a new thread is often put beside its maker, and two threads that wait for each
// other in turns on one processor are not seen as a load that should be balanced for 100 ms.
static inline void swiftlet_move_away(int start, int steps) {
  unsigned char mask[1024] = {0}, one[1024] = {0};
  if (start < 0 || sched_getaffinity(0, sizeof mask, mask) < 0) return;
  int total = 8 * (int)sizeof mask, at = start;
  for (int turns = 0; steps > 0 && turns < 2 * total; turns++) {
    at = (at + 1) % total;
    if (mask[at / 8] >> (at % 8) & 1) steps--;
  }
  if (steps > 0) return;
  one[at / 8] |= (unsigned char)(1 << (at % 8));
  if (sched_setaffinity(0, sizeof one, one) == 0) sched_setaffinity(0, sizeof mask, mask);
}
#else
static inline void swiftlet_affinity(unsigned char *mask, int byteCount) {
  memset(mask, 0, byteCount);
}
static inline int swiftlet_processor(void) { return -1; }
static inline void swiftlet_move_away(int start, int steps) {}
#endif

#if defined(__x86_64__)
#include <immintrin.h>

// `__builtin_cpu_supports` also asks whether the operating system saves the wide registers.
static inline int swiftlet_cpu_has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

static inline int swiftlet_cpu_has_avx512_vnni(void) {
  return swiftlet_cpu_has_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
}

// Of this family (Zen 3 and Zen 4) only a Zen 4 has AVX-512; its own name is unknown to older runtime libraries.
static inline int swiftlet_cpu_is_zen4(void) {
  return __builtin_cpu_is("amdfam19h") && swiftlet_cpu_has_avx512_vnni();
}

// Intrinsics that clang defines as macros, because an operand must be a constant. Swift imports no
// such macros; each wrapper fixes the constant.
#define SWIFTLET_INLINE static inline __attribute__((always_inline))

SWIFTLET_INLINE void swiftlet_prefetch(const void *p) { _mm_prefetch(p, _MM_HINT_T0); }
SWIFTLET_INLINE void swiftlet_prefetch_for_later(const void *p) { _mm_prefetch(p, _MM_HINT_T1); }

#if defined(__AVX2__) && defined(__F16C__)
// A pointer that the compiler knows nothing of. Without it, each of the 16 row addresses below
// becomes a loop variable of its own, most of them on the stack, and updating them costs as much as
// the arithmetic.
SWIFTLET_INLINE const char *swiftlet_opaque(const char *p) {
  __asm__("" : "+r"(p));
  return p;
}
SWIFTLET_INLINE __m128i swiftlet_row_si128(const char *p) {
  return _mm_loadu_si128((const __m128i *)p);
}
// Two 16-byte rows as one vector.
SWIFTLET_INLINE __m256i swiftlet_rows_si256(const char *low, const char *high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(swiftlet_row_si128(low)),
                                 swiftlet_row_si128(high), 1);
}
// A half of each of 8 rows, of which `low` and `high` are the first and the fifth.
SWIFTLET_INLINE __m128i swiftlet_halves_si128(const char *low, const char *high, long stride) {
  __m128i a = _mm_loadu_si16(low), b = _mm_loadu_si16(high);
  a = _mm_insert_epi16(a, *(const short *)(low + stride), 1);
  b = _mm_insert_epi16(b, *(const short *)(high + stride), 1);
  a = _mm_insert_epi16(a, *(const short *)(low + 2 * stride), 2);
  b = _mm_insert_epi16(b, *(const short *)(high + 2 * stride), 2);
  a = _mm_insert_epi16(a, *(const short *)(low + 3 * stride), 3);
  b = _mm_insert_epi16(b, *(const short *)(high + 3 * stride), 3);
  return _mm_unpacklo_epi64(a, b);
}
// 16 int32 to int16, saturated, in order.
SWIFTLET_INLINE __m256i swiftlet_pack_si256(__m256i low, __m256i high) {
  return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
}
// Of each lane the low 16 bits of both.
SWIFTLET_INLINE __m256i swiftlet_pairs_si256(__m256i low, __m256i high) {
  return _mm256_blend_epi16(low, _mm256_slli_epi32(high, 16), 0xAA);
}
// Of each lane the high 16 bits of both.
SWIFTLET_INLINE __m256i swiftlet_high_pairs_si256(__m256i low, __m256i high) {
  return _mm256_blend_epi16(_mm256_srli_epi32(low, 16), high, 0xAA);
}
// Products and what they are added to, written by hand: of intrinsics the compiler loads far ahead and keeps sums on the
// stack, because there are only 16 registers.
//
// sum + a . b, in 16 bits, of pairs of an unsigned byte and a signed one.
SWIFTLET_INLINE __m256i swiftlet_add_quads_si256(__m256i sum, __m256i a, __m256i b) {
  __m256i products;
  __asm__("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0"
          : "+x"(sum), "=&x"(products)
          : "x"(a), "x"(b));
  return sum;
}
// sum + a . b in pairs of int16.
SWIFTLET_INLINE __m256i swiftlet_add_pairs_si256(__m256i sum, __m256i a, __m256i b) {
  __m256i products;
  __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0"
          : "+x"(sum), "=&x"(products)
          : "x"(a), "x"(b));
  return sum;
}
// sum + a . b of four signed bytes each, of which `a` is given with its magnitudes. `ones` are int16.
SWIFTLET_INLINE __m256i swiftlet_add_signed_quads_si256(__m256i sum, __m256i magnitudes, __m256i a,
                                                        __m256i b, __m256i ones) {
  __m256i products;
  __asm__("vpsignb %3, %4, %1\n\tvpmaddubsw %1, %2, %1\n\t"
          "vpmaddwd %5, %1, %1\n\tvpaddd %1, %0, %0"
          : "+x"(sum), "=&x"(products)
          : "x"(magnitudes), "x"(a), "x"(b), "x"(ones));
  return sum;
}
// `vpshufb`; of the intrinsic with a constant the compiler makes two shuffles of words.
SWIFTLET_INLINE __m256i swiftlet_shuffle_si256(__m256i a, __m256i order) {
  __m256i shuffled;
  __asm__("vpshufb %2, %1, %0" : "=x"(shuffled) : "x"(a), "x"(order));
  return shuffled;
}
// The largest lane of each of two vectors, in each lane of the first and of the second 16 bytes.
SWIFTLET_INLINE __m256 swiftlet_largest_of_both_ps256(__m256 a, __m256 b) {
  __m256 ab = _mm256_max_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  ab = _mm256_max_ps(ab, _mm256_permute_ps(ab, 0x4E));
  return _mm256_max_ps(ab, _mm256_permute_ps(ab, 0xB1));
}
// Their sums, likewise.
SWIFTLET_INLINE __m256i swiftlet_sum_of_both_si256(__m256i a, __m256i b) {
  __m256i ab = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                _mm256_permute2x128_si256(a, b, 0x31));
  ab = _mm256_add_epi32(ab, _mm256_shuffle_epi32(ab, 0x4E));
  return _mm256_add_epi32(ab, _mm256_shuffle_epi32(ab, 0xB1));
}
SWIFTLET_INLINE __m128 swiftlet_high_ps128(__m256 a) { return _mm256_extractf128_ps(a, 1); }
// Lanes 0 and 4 of each.
SWIFTLET_INLINE __m128 swiftlet_fourths_ps256(__m256 a, __m256 b) {
  __m256 ab = _mm256_unpacklo_ps(a, b);
  return _mm_unpacklo_ps(_mm256_castps256_ps128(ab), swiftlet_high_ps128(ab));
}
// Of 16 lanes, low and high, those that the low four bits of each index name.
SWIFTLET_INLINE __m256i swiftlet_lookup_si256(__m256i low, __m256i high, __m256i indices) {
  return _mm256_castps_si256(
      _mm256_blendv_ps(_mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, indices)),
                       _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, indices)),
                       _mm256_castsi256_ps(_mm256_slli_epi32(indices, 28))));
}
SWIFTLET_INLINE __m128i swiftlet_high_si128(__m256i a) { return _mm256_extracti128_si256(a, 1); }
SWIFTLET_INLINE __m256 swiftlet_swap_pairs_ps256(__m256 a) { return _mm256_permute_ps(a, 0xB1); }
// Sums in the lanes that lack the bit `distance`, differences in the others: the signs, highest lane first.
#define SWIFTLET_BUTTERFLY_256(distance, exchanged, ...)                   \
  SWIFTLET_INLINE __m256 swiftlet_butterfly_##distance##_ps256(__m256 a) { \
    return _mm256_fmadd_ps(a, _mm256_set_ps(__VA_ARGS__), exchanged);      \
  }
SWIFTLET_BUTTERFLY_256(1, _mm256_permute_ps(a, 0xB1), -1, 1, -1, 1, -1, 1, -1, 1)
SWIFTLET_BUTTERFLY_256(2, _mm256_permute_ps(a, 0x4E), -1, -1, 1, 1, -1, -1, 1, 1)
SWIFTLET_BUTTERFLY_256(4, _mm256_permute2f128_ps(a, a, 1), -1, -1, -1, -1, 1, 1, 1, 1)
#undef SWIFTLET_BUTTERFLY_256
SWIFTLET_INLINE __m256 swiftlet_at_least_ps256(__m256 a, __m256 b) {
  return _mm256_cmp_ps(a, b, _CMP_GE_OQ);
}
SWIFTLET_INLINE __m128i swiftlet_to_half_ps256(__m256 a) {
  return _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT);
}
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
// Four 16-byte rows as one vector.
SWIFTLET_INLINE __m512i swiftlet_rows_si512(const char *a, const char *b, const char *c,
                                            const char *d) {
  __m512i four = _mm512_castsi256_si512(swiftlet_rows_si256(a, b));
  four = _mm512_inserti32x4(four, swiftlet_row_si128(c), 2);
  return _mm512_inserti32x4(four, swiftlet_row_si128(d), 3);
}
#if defined(__AVX512VNNI__)
// sum + a . b in pairs of int16. Of the intrinsic the compiler makes a multiplication and an addition where sums are
// waited for, to shorten the wait, and halves what the unit can do.
SWIFTLET_INLINE __m512i swiftlet_dot_pairs_si512(__m512i sum, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
#endif
SWIFTLET_INLINE __m256 swiftlet_high_ps256(__m512 a) { return _mm512_extractf32x8_ps(a, 1); }
SWIFTLET_INLINE __m512 swiftlet_swap_pairs_ps512(__m512 a) { return _mm512_permute_ps(a, 0xB1); }
#define SWIFTLET_BUTTERFLY_512(distance, exchanged, ...)                   \
  SWIFTLET_INLINE __m512 swiftlet_butterfly_##distance##_ps512(__m512 a) { \
    return _mm512_fmadd_ps(a, _mm512_set_ps(__VA_ARGS__), exchanged);      \
  }
SWIFTLET_BUTTERFLY_512(1, _mm512_permute_ps(a, 0xB1),
                       -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1)
SWIFTLET_BUTTERFLY_512(2, _mm512_permute_ps(a, 0x4E),
                       -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1)
SWIFTLET_BUTTERFLY_512(4, _mm512_shuffle_f32x4(a, a, 0xB1),
                       -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1)
SWIFTLET_BUTTERFLY_512(8, _mm512_shuffle_f32x4(a, a, 0x4E),
                       -1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1)
#undef SWIFTLET_BUTTERFLY_512
SWIFTLET_INLINE __mmask16 swiftlet_at_least_ps512(__m512 a, __m512 b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}
// Four vectors' reductions together: pairs of them are folded into one, until each 16 bytes of one vector
// belong to one of the four.
#define SWIFTLET_REDUCE_FOUR(operation, shuffle, permute)                                  \
  ab = operation(shuffle(a, b, 0x44), shuffle(a, b, 0xEE));                                \
  cd = operation(shuffle(c, d, 0x44), shuffle(c, d, 0xEE));                                \
  ab = operation(shuffle(ab, cd, 0x88), shuffle(ab, cd, 0xDD));                            \
  ab = operation(ab, permute(ab, 0x4E));                                                   \
  return operation(ab, permute(ab, 0xB1))
SWIFTLET_INLINE __m512 swiftlet_largest_of_each_ps512(__m512 a, __m512 b, __m512 c, __m512 d) {
  __m512 ab, cd;
  SWIFTLET_REDUCE_FOUR(_mm512_max_ps, _mm512_shuffle_f32x4, _mm512_permute_ps);
}
SWIFTLET_INLINE __m512i swiftlet_sum_of_each_si512(__m512i a, __m512i b, __m512i c, __m512i d) {
  __m512i ab, cd;
  SWIFTLET_REDUCE_FOUR(_mm512_add_epi32, _mm512_shuffle_i32x4, _mm512_shuffle_epi32);
}
#undef SWIFTLET_REDUCE_FOUR
// Of each 128 bits the lanes with even and those with odd indices, of a and then of b.
SWIFTLET_INLINE __m512i swiftlet_even_lanes_si512(__m512i a, __m512i b) {
  return _mm512_castps_si512(
      _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0x88));
}
SWIFTLET_INLINE __m512i swiftlet_odd_lanes_si512(__m512i a, __m512i b) {
  return _mm512_castps_si512(
      _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0xDD));
}
// Lanes 0, 4, 8 and 12.
SWIFTLET_INLINE __m128 swiftlet_fourths_ps512(__m512 a) {
  return _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, a));
}
// The low byte of each lane, within int8: four of a and b together, the first vector of each, in turn with four of c and d.
SWIFTLET_INLINE __m512i swiftlet_pair_quants_si512(__m512i a, __m512i b, __m512i c, __m512i d) {
  // Of each 128 bits four bytes of a, b, c and d.
  __m512i quads = _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
  const __m512i order = _mm512_set_epi32(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0);
  return _mm512_permutexvar_epi32(order, quads);
}
// The low 16 bits of each lane, 0 to 255, as bytes: 64 of four vectors in their order. Lanes are negative, so that their
// high 16 bits become zeros.
SWIFTLET_INLINE __m512i swiftlet_low_bytes_si512(__m512i a, __m512i b, __m512i c, __m512i d) {
  // Of each 128 bits four bytes of a, b, c and d.
  __m512i quads = _mm512_packus_epi16(_mm512_packus_epi16(a, b), _mm512_packus_epi16(c, d));
  const __m512i order = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
  return _mm512_permutexvar_epi32(order, quads);
}
SWIFTLET_INLINE __m256i swiftlet_to_half_ps512(__m512 a) {
  return _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT);
}
#endif

#undef SWIFTLET_INLINE
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// A hint to the core that it is in a spin loop.
static inline void swiftlet_spin_hint(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
