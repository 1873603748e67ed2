#define _GNU_SOURCE

#include "CImages.h"
#include "Decoding.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <vips/vips.h>

// Who waits for all others must not wait for ever because there is always another.
static pthread_rwlock_t decoding = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void decoding_begins(void) { pthread_rwlock_rdlock(&decoding); }
void decoding_ends(void) { pthread_rwlock_unlock(&decoding); }

static VipsImage *vips(const CImage *image) { return (VipsImage *)image; }

/// What an operation made, or NULL; libvips leaves nothing to release when it fails.
static CImage *made(int status, VipsImage *out) { return status == 0 ? (CImage *)out : NULL; }

static void ignore_log(const char *domain, GLogLevelFlags level, const char *message, void *data) {}

/// Whether libvips runs: a thread that ends before that has nothing to free.
static atomic_bool started;

bool cimages_start(void) {
  if (VIPS_INIT("cleannet")) return false;
  // Parallel work is done by whole images, so libvips's own threads and its cache of results only cost.
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_cache_set_max_mem(0);
  vips_cache_set_max_files(0);
  // libvips keeps one error text for all threads, which would grow with every bad image and mix those of several.
  vips_error_freeze();
  // Warnings about odd metadata would flood the terminal; what matters is a failure, and that is returned.
  g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO, ignore_log, NULL);
  atomic_store(&started, true);
  return true;
}

const char *cimages_version(void) { return vips_version_string(); }

bool cimages_has_loader(const char *loader) { return vips_type_find("VipsForeignLoad", loader) != 0; }

static VipsImage *opened(const char *loader, const void *bytes, size_t count, bool strict, int shrink) {
  VipsImage *out = NULL;
  VipsBlob *blob = vips_blob_new(NULL, bytes, count);
  VipsFailOn level = strict ? VIPS_FAIL_ON_WARNING : VIPS_FAIL_ON_ERROR;
  int status;
  if (shrink > 1) {
    status = vips_call(
        loader, blob, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", level, "shrink", shrink, NULL);
  } else {
    status = vips_call(loader, blob, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", level, NULL);
  }
  vips_area_unref(VIPS_AREA(blob));
  return status == 0 ? out : NULL;
}

CImage *cimages_open(const char *loader, const void *bytes, size_t count, bool strict, int shrink) {
  decoding_begins();
  VipsImage *image = opened(loader, bytes, count, strict, shrink);
  decoding_ends();
  return (CImage *)image;
}

bool cimages_jpeg_warnings_are_harmless(const void *bytes, size_t count) {
  // libvips says what the warning was only in the text that all threads share, so this one has to be alone.
  pthread_rwlock_wrlock(&decoding);
  vips_error_thaw();
  vips_error_clear();
  VipsImage *image = opened("jpegload_buffer", bytes, count, false, 1);
  // Any use of all pixels will do; the warnings are written down even where decoding succeeds.
  double mean;
  if (!image || vips_avg(image, &mean, NULL) != 0) vips_error("CImages", "premature end");
  const char *text = vips_error_buffer();
  bool harmless = !strstr(text, "premature end") && !strstr(text, "Premature end") && !strstr(text, "bad Huffman");
  if (image) g_object_unref(image);
  vips_error_clear();
  vips_error_freeze();
  pthread_rwlock_unlock(&decoding);
  return harmless;
}

CImage *cimages_wrap(const void *pixels, size_t count, int width, int height, int bands) {
  VipsImage *image = vips_image_new_from_memory(pixels, count, width, height, bands, VIPS_FORMAT_UCHAR);
  if (image) image->Type = bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  return (CImage *)image;
}

CImageHeader cimages_header(const CImage *image) {
  VipsImage *in = vips(image);
  CImageHeader header = {
      .width = in->Xsize,
      .height = in->Ysize,
      .bands = in->Bands,
      .orientation = vips_image_get_orientation(in),
      .alpha = vips_image_hasalpha(in),
      .rgb = in->BandFmt == VIPS_FORMAT_UCHAR && in->Bands == 3 && in->Coding == VIPS_CODING_NONE &&
             vips_image_guess_interpretation(in) == VIPS_INTERPRETATION_sRGB,
  };
  return header;
}

CImage *cimages_flatten(CImage *image) {
  VipsImage *out = NULL;
  VipsInterpretation kind = vips_image_guess_interpretation(vips(image));
  double white = kind == VIPS_INTERPRETATION_RGB16 || kind == VIPS_INTERPRETATION_GREY16 ? 65535 : 255;
  VipsArrayDouble *background = vips_array_double_new(&white, 1);
  int status = vips_flatten(vips(image), &out, "background", background, "max_alpha", white, NULL);
  vips_area_unref(VIPS_AREA(background));
  return made(status, out);
}

CImage *cimages_to_rgb(CImage *image) {
  VipsImage *out = NULL;
  return made(vips_colourspace(vips(image), &out, VIPS_INTERPRETATION_sRGB, NULL), out);
}

void *cimages_jpeg(CImage *image, int quality, size_t *count) {
  void *bytes = NULL;
  if (vips_jpegsave_buffer(vips(image), &bytes, count, "Q", quality, "strip", TRUE, NULL)) return NULL;
  return bytes;
}

void cimages_release(CImage *image) { g_object_unref(image); }
void cimages_free(void *bytes) { g_free(bytes); }
void cimages_end_thread(void) {
  if (atomic_load(&started)) vips_thread_shutdown();
}
