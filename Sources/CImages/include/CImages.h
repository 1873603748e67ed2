// Decoding by libvips and resizing, as plain functions: libvips's own take variable arguments, which Swift cannot
// call. libvips itself is opened by the caller, at run time.
//
// Every function that returns an image returns a new one, to be given back by `cimages_release`, or NULL when
// libvips fails; it keeps what it needs of its input alive by itself. Images are lazy: decoding happens in
// `cimages_resample`, on the thread that calls. Different images may be used on different threads at once.
#ifndef CIMAGES_H
#define CIMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CImage CImage;

typedef struct {
  int width, height, bands;
  /// EXIF orientation, 1 to 8; 1 when there is none.
  int orientation;
  bool alpha;
  /// Three bands of 8-bit sRGB: nothing needs to be converted.
  bool rgb;
} CImageHeader;

/// How the samples of one axis are mixed into those of the result.
typedef struct {
  /// Samples of the input, and of the result.
  int input, count;
  /// Weights of each result, an even number; those that reach beyond the input are 0.
  int taps;
  /// The weights of a result sum to 1 << shift.
  int shift;
  /// For each result, the first sample it is mixed from; never falling.
  const int32_t *starts;
  /// count × taps
  const int16_t *weights;
} CImagesAxis;

/// Finds libvips's functions in the opened library; needed once, before all others here. NULL, or the name of the first
/// function that is not there.
const char *cimages_find(void *library);

/// "8.14.1"
const char *cimages_version(void);

/// Starts libvips; needed once, before all that follows. False if that fails.
bool cimages_start(void);

/// Whether libvips was built with a loader, for example "webpload_buffer".
bool cimages_has_loader(const char *loader);

/// Opens an encoded image, reading its header only. `bytes` must outlive the image and all made from it. Errors in
/// the pixels are refused when they are decoded; so are, with `strict`, things that the decoder warns of. `shrink`
/// (1, 2, 4 or 8) decodes a JPEG at 1/shrink of its size; other loaders take 1 only.
CImage *cimages_open(const char *loader, const void *bytes, size_t count, bool strict, int shrink);

/// Whether all that the decoder of a JPEG warns of leaves its pixels right: stray bytes between two segments, say,
/// but not a part that is missing. All other decoding waits meanwhile; only for a JPEG that decodes unless `strict`.
bool cimages_jpeg_warnings_are_harmless(const void *bytes, size_t count);

/// Wraps pixels, 8 bits a band, interleaved. `pixels` must outlive the image and all made from it.
CImage *cimages_wrap(const void *pixels, size_t count, int width, int height, int bands);

CImageHeader cimages_header(CImage *image);

/// Lays an image with alpha over white.
CImage *cimages_flatten(CImage *image);

/// Converts to three bands of 8-bit sRGB.
CImage *cimages_to_rgb(CImage *image);

/// Decodes all of an image for which `rgb` holds, and writes vertical.count rows of horizontal.count pixels of three
/// bytes to `out`. False if decoding fails, memory is short or an axis does not fit the image.
bool cimages_resample(CImage *image, const CImagesAxis *horizontal, const CImagesAxis *vertical, uint8_t *out);

/// The image as a JPEG without metadata; free by `cimages_free`.
void *cimages_jpeg(CImage *image, int quality, size_t *count);

void cimages_release(CImage *image);
void cimages_free(void *bytes);

/// Frees what libvips holds for this thread. To be called at the end of a thread that used images.
void cimages_end_thread(void);

#ifdef __cplusplus
}
#endif

#endif
