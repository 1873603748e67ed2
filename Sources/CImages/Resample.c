#include "CImages.h"
#include "Decoding.h"
#include "Libvips.h"
#include "Mix.h"

#include <stdlib.h>
#include <string.h>

/// Source rows decoded at once: enough to share the work of setting up, few enough for the processor's cache.
enum { STRIP = 16 };

/// The rows that the next results are mixed from, each already as wide as the result; row y lies at y mod taps.
typedef struct {
  const CImagesAxis *horizontal, *vertical;
  int stride;
  uint8_t *window;
  /// A source row with room behind it, for the padding weights and the slack of `mix_pixels`.
  uint8_t *source;
  const uint8_t **rows;
  uint8_t *mixed;
  uint8_t *out;
  /// Result rows written.
  int done;
} Resampler;

static int smaller(int a, int b) { return a < b ? a : b; }

static void push(Resampler *state, const uint8_t *row, int y) {
  const CImagesAxis *across = state->horizontal, *down = state->vertical;
  if (state->done == down->count || y < down->starts[state->done]) return;
  memcpy(state->source, row, 3 * (size_t)across->input);
  mix_pixels(state->source, state->window + (size_t)(y % down->taps) * state->stride, across->count,
             across->starts, across->weights, across->taps, across->shift);
  while (state->done < down->count) {
    int start = down->starts[state->done];
    if (y + 1 < smaller(start + down->taps, down->input)) return;
    for (int k = 0; k < down->taps; k++) {
      state->rows[k] = state->window + (size_t)((start + k) % down->taps) * state->stride;
    }
    mix_rows(state->rows, state->mixed, state->stride, down->weights + (size_t)state->done * down->taps, down->taps,
             down->shift);
    size_t length = 3 * (size_t)across->count;
    memcpy(state->out + state->done * length, state->mixed, length);
    state->done++;
  }
}

/// All rows, even below the last one that is needed: a truncated file must not pass because a crop hides its end.
static bool decode(CImage *image, Resampler *state) {
  VipsRegion *region = libvips.vips_region_new(image);
  if (!region) return false;
  int width = state->horizontal->input, height = state->vertical->input;
  bool well = true;
  for (int top = 0; well && top < height; top += STRIP) {
    int count = smaller(STRIP, height - top);
    size_t length;
    uint8_t *rows = libvips.vips_region_fetch(region, 0, top, width, count, &length);
    well = rows != NULL;
    for (int y = 0; well && y < count; y++) push(state, rows + 3 * (size_t)width * (size_t)y, top + y);
    libvips.g_free(rows);
  }
  libvips.g_object_unref(region);
  return well && state->done == state->vertical->count;
}

bool cimages_resample(CImage *image, const CImagesAxis *horizontal, const CImagesAxis *vertical, uint8_t *out) {
  CImageHeader header = cimages_header(image);
  if (header.width != horizontal->input || header.height != vertical->input || !header.rgb) return false;
  Resampler state = {.horizontal = horizontal, .vertical = vertical, .out = out};
  state.stride = (3 * horizontal->count + 15) / 16 * 16;
  state.window = calloc((size_t)vertical->taps, (size_t)state.stride);
  state.source = calloc(3 * ((size_t)horizontal->input + (size_t)horizontal->taps) + MIX_SLACK, 1);
  state.rows = calloc((size_t)vertical->taps, sizeof *state.rows);
  state.mixed = calloc((size_t)state.stride, 1);
  decoding_begins();
  bool well = state.window && state.source && state.rows && state.mixed && decode(image, &state);
  decoding_ends();
  free(state.window);
  free(state.source);
  free(state.rows);
  free(state.mixed);
  return well;
}
