#define _GNU_SOURCE

#include "CImages.h"
#include "Decoding.h"
#include "Libvips.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

// Who waits for all others must not wait for ever because there is always another.
static pthread_rwlock_t decoding = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void decoding_begins(void) { pthread_rwlock_rdlock(&decoding); }
void decoding_ends(void) { pthread_rwlock_unlock(&decoding); }

/// The result of an operation, or NULL; libvips leaves nothing to release when it fails.
static CImage *made(int status, CImage *out) { return status == 0 ? out : NULL; }

static void ignore_log(const char *domain, int level, const char *message, void *data) {}

/// Whether libvips runs: a thread that ends before that has nothing to free.
static atomic_bool started;

bool cimages_start(void) {
  if (libvips.vips_init("cleannet") != 0) return false;
  // Parallel work is done by whole images, so libvips's own threads and its cache of results only cost.
  libvips.vips_concurrency_set(1);
  libvips.vips_cache_set_max(0);
  libvips.vips_cache_set_max_mem(0);
  libvips.vips_cache_set_max_files(0);
  // libvips keeps one error text for all threads, which would grow with every bad image and mix those of several.
  libvips.vips_error_freeze();
  // Warnings about odd metadata would flood the terminal; what matters is a failure, and that is returned.
  int levels = G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO;
  libvips.g_log_set_handler("VIPS", levels, ignore_log, NULL);
  atomic_store(&started, true);
  return true;
}

const char *cimages_version(void) { return libvips.vips_version_string(); }

bool cimages_has_loader(const char *loader) { return libvips.vips_type_find("VipsForeignLoad", loader) != 0; }

static CImage *opened(const char *loader, const void *bytes, size_t count, bool strict, int shrink) {
  CImage *out = NULL;
  VipsBlob *blob = libvips.vips_blob_new(NULL, bytes, count);
  int level = strict ? VIPS_FAIL_ON_WARNING : VIPS_FAIL_ON_ERROR;
  int status;
  if (shrink > 1) {
    status = libvips.vips_call(
        loader, blob, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", level, "shrink", shrink, NULL);
  } else {
    status = libvips.vips_call(loader, blob, &out, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", level, NULL);
  }
  libvips.vips_area_unref((VipsArea *)blob);
  return status == 0 ? out : NULL;
}

CImage *cimages_open(const char *loader, const void *bytes, size_t count, bool strict, int shrink) {
  decoding_begins();
  CImage *image = opened(loader, bytes, count, strict, shrink);
  decoding_ends();
  return image;
}

bool cimages_jpeg_warnings_are_harmless(const void *bytes, size_t count) {
  // libvips says what the warning was only in the text that all threads share, so this one has to be alone.
  pthread_rwlock_wrlock(&decoding);
  libvips.vips_error_thaw();
  libvips.vips_error_clear();
  CImage *image = opened("jpegload_buffer", bytes, count, false, 1);
  // Any use of all pixels will do; the warnings are written down even where decoding succeeds.
  double mean;
  bool decodes = image && libvips.vips_avg(image, &mean, NULL) == 0;
  const char *text = libvips.vips_error_buffer();
  bool harmless = decodes && !strstr(text, "premature end") && !strstr(text, "Premature end") &&
                  !strstr(text, "bad Huffman");
  if (image) libvips.g_object_unref(image);
  libvips.vips_error_clear();
  libvips.vips_error_freeze();
  pthread_rwlock_unlock(&decoding);
  return harmless;
}

CImage *cimages_wrap(const void *pixels, size_t count, int width, int height, int bands) {
  CImage *bare = libvips.vips_image_new_from_memory(pixels, count, width, height, bands, VIPS_FORMAT_UCHAR), *out = NULL;
  if (!bare) return NULL;
  int meaning = bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  int status = libvips.vips_copy(bare, &out, "interpretation", meaning, NULL);
  libvips.g_object_unref(bare);
  return made(status, out);
}

CImageHeader cimages_header(CImage *image) {
  int bands = libvips.vips_image_get_bands(image);
  CImageHeader header = {
      .width = libvips.vips_image_get_width(image),
      .height = libvips.vips_image_get_height(image),
      .bands = bands,
      .orientation = libvips.vips_image_get_orientation(image),
      .alpha = libvips.vips_image_hasalpha(image),
      .rgb = libvips.vips_image_get_format(image) == VIPS_FORMAT_UCHAR && bands == 3 &&
             libvips.vips_image_get_coding(image) == VIPS_CODING_NONE &&
             libvips.vips_image_guess_interpretation(image) == VIPS_INTERPRETATION_sRGB,
  };
  return header;
}

CImage *cimages_flatten(CImage *image) {
  CImage *out = NULL;
  int kind = libvips.vips_image_guess_interpretation(image);
  double white = kind == VIPS_INTERPRETATION_RGB16 || kind == VIPS_INTERPRETATION_GREY16 ? 65535 : 255;
  VipsArrayDouble *background = libvips.vips_array_double_new(&white, 1);
  int status = libvips.vips_flatten(image, &out, "background", background, "max_alpha", white, NULL);
  libvips.vips_area_unref((VipsArea *)background);
  return made(status, out);
}

CImage *cimages_to_rgb(CImage *image) {
  CImage *out = NULL;
  return made(libvips.vips_colourspace(image, &out, VIPS_INTERPRETATION_sRGB, NULL), out);
}

void *cimages_jpeg(CImage *image, int quality, size_t *count) {
  void *bytes = NULL;
  if (libvips.vips_jpegsave_buffer(image, &bytes, count, "Q", quality, "strip", 1, NULL)) return NULL;
  return bytes;
}

void cimages_release(CImage *image) { libvips.g_object_unref(image); }
void cimages_free(void *bytes) { libvips.g_free(bytes); }
void cimages_end_thread(void) {
  if (atomic_load(&started)) libvips.vips_thread_shutdown();
}
