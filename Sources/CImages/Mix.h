// The inner loops of resizing. Sums are of whole numbers, so every path gives the same result.
#ifndef MIX_H
#define MIX_H

#include <stdint.h>

/// Bytes that `mix_pixels` may read beyond the last pixel a weight other than 0 applies to, besides those of the
/// padding weights.
enum { MIX_SLACK = 16 };

/// One row: out[3 i + c] = Σ_k weights[i · taps + k] · row[3 (starts[i] + k) + c]
void mix_pixels(const uint8_t *row, uint8_t *out, int count, const int32_t *starts, const int16_t *weights,
                int taps, int shift);

/// One row of several: out[i] = Σ_k weights[k] · rows[k][i]. `length` is a multiple of 16.
void mix_rows(const uint8_t *const *rows, uint8_t *out, int length, const int16_t *weights, int taps, int shift);

#endif
