#include "Mix.h"

#include <string.h>

static inline uint8_t scaled(int32_t sum, int shift) {
  int32_t value = (sum + (1 << (shift - 1))) >> shift;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static void mix_pixels_plain(const uint8_t *row, uint8_t *out, int count, const int32_t *starts,
                             const int16_t *weights, int taps, int shift) {
  for (int i = 0; i < count; i++, weights += taps, out += 3) {
    const uint8_t *pixel = row + 3 * (size_t)starts[i];
    int32_t red = 0, green = 0, blue = 0;
    for (int k = 0; k < taps; k++, pixel += 3) {
      red += weights[k] * pixel[0];
      green += weights[k] * pixel[1];
      blue += weights[k] * pixel[2];
    }
    out[0] = scaled(red, shift);
    out[1] = scaled(green, shift);
    out[2] = scaled(blue, shift);
  }
}

#ifdef __x86_64__

#include <immintrin.h>

// Two pixels or two rows at a time: `madd` multiplies 16-bit pairs and adds the two products of each.

static inline __m128i pair(const int16_t *weights) {
  int32_t both;
  memcpy(&both, weights, sizeof both);
  return _mm_set1_epi32(both);
}

__attribute__((target("ssse3"))) static void mix_pixels_ssse3(
    const uint8_t *row, uint8_t *out, int count, const int32_t *starts, const int16_t *weights, int taps,
    int shift) {
  // Bytes r0 g0 b0 r1 g1 b1 become the pairs (r0, r1), (g0, g1), (b0, b1), nothing, of 16 bits each.
  const __m128i spread = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  const __m128i half = _mm_set1_epi32(1 << (shift - 1)), by = _mm_cvtsi32_si128(shift);
  for (int i = 0; i < count; i++, weights += taps, out += 3) {
    const uint8_t *pixel = row + 3 * (size_t)starts[i];
    __m128i sum = half;
    for (int k = 0; k < taps; k += 2, pixel += 6) {
      __m128i two = _mm_shuffle_epi8(_mm_loadl_epi64((const __m128i *)pixel), spread);
      sum = _mm_add_epi32(sum, _mm_madd_epi16(two, pair(weights + k)));
    }
    __m128i words = _mm_packs_epi32(_mm_sra_epi32(sum, by), _mm_setzero_si128());
    uint32_t bytes = (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(out, &bytes, 3);
  }
}

void mix_pixels(const uint8_t *row, uint8_t *out, int count, const int32_t *starts, const int16_t *weights,
                int taps, int shift) {
  if (__builtin_cpu_supports("ssse3")) {
    mix_pixels_ssse3(row, out, count, starts, weights, taps, shift);
  } else {
    mix_pixels_plain(row, out, count, starts, weights, taps, shift);
  }
}

void mix_rows(const uint8_t *const *rows, uint8_t *out, int length, const int16_t *weights, int taps, int shift) {
  const __m128i zero = _mm_setzero_si128(), half = _mm_set1_epi32(1 << (shift - 1));
  const __m128i by = _mm_cvtsi32_si128(shift);
  for (int i = 0; i < length; i += 16) {
    __m128i a = half, b = half, c = half, d = half;
    for (int k = 0; k < taps; k += 2) {
      __m128i upper = _mm_loadu_si128((const __m128i *)(rows[k] + i));
      __m128i lower = _mm_loadu_si128((const __m128i *)(rows[k + 1] + i));
      __m128i both = pair(weights + k);
      __m128i left = _mm_unpacklo_epi8(upper, lower), right = _mm_unpackhi_epi8(upper, lower);
      a = _mm_add_epi32(a, _mm_madd_epi16(_mm_unpacklo_epi8(left, zero), both));
      b = _mm_add_epi32(b, _mm_madd_epi16(_mm_unpackhi_epi8(left, zero), both));
      c = _mm_add_epi32(c, _mm_madd_epi16(_mm_unpacklo_epi8(right, zero), both));
      d = _mm_add_epi32(d, _mm_madd_epi16(_mm_unpackhi_epi8(right, zero), both));
    }
    __m128i first = _mm_packs_epi32(_mm_sra_epi32(a, by), _mm_sra_epi32(b, by));
    __m128i second = _mm_packs_epi32(_mm_sra_epi32(c, by), _mm_sra_epi32(d, by));
    _mm_storeu_si128((__m128i *)(out + i), _mm_packus_epi16(first, second));
  }
}

#else

void mix_pixels(const uint8_t *row, uint8_t *out, int count, const int32_t *starts, const int16_t *weights,
                int taps, int shift) {
  mix_pixels_plain(row, out, count, starts, weights, taps, shift);
}

void mix_rows(const uint8_t *const *rows, uint8_t *out, int length, const int16_t *weights, int taps, int shift) {
  for (int i = 0; i < length; i++) {
    int32_t sum = 0;
    for (int k = 0; k < taps; k++) sum += weights[k] * rows[k][i];
    out[i] = scaled(sum, shift);
  }
}

#endif
