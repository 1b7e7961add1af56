// What Swift cannot say by itself: the compiler's vector intrinsics, and which of them this
// processor can run. Header only; every function is static inline, so no object code of ours
// can be shared between targets that are compiled for different instruction sets.
#pragma once

#if defined(__linux__)
// Declared by glibc for GNU sources only.
extern int sched_getaffinity(int process, unsigned long size, void *mask);

// Processors that this process may run on, 0 where the system does not say.
static inline int swiftlet_affinity_count(void) {
  unsigned char mask[1024] = {0};
  int count = 0;
  if (sched_getaffinity(0, sizeof mask, mask) < 0) return 0;
  for (unsigned i = 0; i < sizeof mask; i++) count += __builtin_popcount(mask[i]);
  return count;
}
#else
static inline int swiftlet_affinity_count(void) { return 0; }
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

// Intrinsics that clang defines as macros, because an operand must be a constant. Swift imports no
// such macros; each wrapper fixes the constant.
#define SWIFTLET_INLINE static inline __attribute__((always_inline))

#if defined(__AVX2__) && defined(__F16C__)
SWIFTLET_INLINE __m128 swiftlet_high_ps128(__m256 a) { return _mm256_extractf128_ps(a, 1); }
SWIFTLET_INLINE __m128i swiftlet_high_si128(__m256i a) { return _mm256_extracti128_si256(a, 1); }
SWIFTLET_INLINE __m256 swiftlet_swap_pairs_ps256(__m256 a) { return _mm256_permute_ps(a, 0xB1); }
SWIFTLET_INLINE __m256 swiftlet_at_least_ps256(__m256 a, __m256 b) {
  return _mm256_cmp_ps(a, b, _CMP_GE_OQ);
}
SWIFTLET_INLINE __m128i swiftlet_to_half_ps256(__m256 a) {
  return _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT);
}
SWIFTLET_INLINE __m128i swiftlet_swap_quads_si128(__m128i a) { return _mm_shuffle_epi32(a, 0x4E); }
SWIFTLET_INLINE __m128i swiftlet_swap_pairs_si128(__m128i a) { return _mm_shuffle_epi32(a, 0xB1); }
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
SWIFTLET_INLINE __m256 swiftlet_high_ps256(__m512 a) { return _mm512_extractf32x8_ps(a, 1); }
SWIFTLET_INLINE __m512 swiftlet_swap_pairs_ps512(__m512 a) { return _mm512_permute_ps(a, 0xB1); }
SWIFTLET_INLINE __mmask16 swiftlet_at_least_ps512(__m512 a, __m512 b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
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
