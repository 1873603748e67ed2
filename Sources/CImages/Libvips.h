// The part of the C interface of libvips, and of GLib below it, that is used here. The functions are found at run time, so
// that nothing is built with their headers and a program starts without libvips. Scripts/check-vips compares these lines
// with the headers.
#ifndef LIBVIPS_H
#define LIBVIPS_H

#include "CImages.h"

typedef struct _VipsArea VipsArea;
/// A kind of VipsArea, as is VipsArrayDouble.
typedef struct _VipsBlob VipsBlob;
typedef struct _VipsArrayDouble VipsArrayDouble;
typedef struct _VipsRegion VipsRegion;

/// CONSTANT(name, value), of enumerations, which are passed as int. VIPS_FAIL_ON_… came with libvips 8.12.
#define LIBVIPS_CONSTANTS(CONSTANT)           \
  CONSTANT(VIPS_ACCESS_SEQUENTIAL, 1)         \
  CONSTANT(VIPS_FAIL_ON_ERROR, 2)             \
  CONSTANT(VIPS_FAIL_ON_WARNING, 3)           \
  CONSTANT(VIPS_FORMAT_UCHAR, 0)              \
  CONSTANT(VIPS_CODING_NONE, 0)               \
  CONSTANT(VIPS_INTERPRETATION_B_W, 1)        \
  CONSTANT(VIPS_INTERPRETATION_sRGB, 22)      \
  CONSTANT(VIPS_INTERPRETATION_RGB16, 25)     \
  CONSTANT(VIPS_INTERPRETATION_GREY16, 26)    \
  CONSTANT(G_LOG_LEVEL_WARNING, 1 << 4)       \
  CONSTANT(G_LOG_LEVEL_MESSAGE, 1 << 5)       \
  CONSTANT(G_LOG_LEVEL_INFO, 1 << 6)

/// FUNCTION(result, name, parameters). A CImage is a VipsImage. Arguments in the place of `...` are not converted: int
/// for whole numbers, truth values and enumerations, double for others, and NULL at the end.
#define LIBVIPS_FUNCTIONS(FUNCTION)                                                                                  \
  FUNCTION(int, vips_init, (const char *))                                                                           \
  FUNCTION(int, vips_version, (int))                                                                                 \
  FUNCTION(const char *, vips_version_string, (void))                                                                \
  FUNCTION(void, vips_concurrency_set, (int))                                                                        \
  FUNCTION(void, vips_cache_set_max, (int))                                                                          \
  FUNCTION(void, vips_cache_set_max_mem, (size_t))                                                                   \
  FUNCTION(void, vips_cache_set_max_files, (int))                                                                    \
  FUNCTION(void, vips_error_freeze, (void))                                                                          \
  FUNCTION(void, vips_error_thaw, (void))                                                                            \
  FUNCTION(void, vips_error_clear, (void))                                                                           \
  FUNCTION(const char *, vips_error_buffer, (void))                                                                  \
  FUNCTION(void, vips_thread_shutdown, (void))                                                                       \
  FUNCTION(size_t, vips_type_find, (const char *, const char *))                                                     \
  FUNCTION(int, vips_call, (const char *, ...))                                                                      \
  FUNCTION(VipsBlob *, vips_blob_new, (int (*)(void *, void *), const void *, size_t))                               \
  FUNCTION(VipsArrayDouble *, vips_array_double_new, (const double *, int))                                          \
  FUNCTION(void, vips_area_unref, (VipsArea *))                                                                      \
  FUNCTION(CImage *, vips_image_new_from_memory, (const void *, size_t, int, int, int, int))                         \
  FUNCTION(int, vips_image_get_width, (const CImage *))                                                              \
  FUNCTION(int, vips_image_get_height, (const CImage *))                                                             \
  FUNCTION(int, vips_image_get_bands, (const CImage *))                                                              \
  FUNCTION(int, vips_image_get_format, (const CImage *))                                                             \
  FUNCTION(int, vips_image_get_coding, (const CImage *))                                                             \
  FUNCTION(int, vips_image_get_orientation, (CImage *))                                                              \
  FUNCTION(int, vips_image_hasalpha, (CImage *))                                                                     \
  FUNCTION(int, vips_image_guess_interpretation, (const CImage *))                                                   \
  FUNCTION(int, vips_copy, (CImage *, CImage **, ...))                                                               \
  FUNCTION(int, vips_flatten, (CImage *, CImage **, ...))                                                            \
  FUNCTION(int, vips_colourspace, (CImage *, CImage **, int, ...))                                                   \
  FUNCTION(int, vips_avg, (CImage *, double *, ...))                                                                 \
  FUNCTION(int, vips_jpegsave_buffer, (CImage *, void **, size_t *, ...))                                            \
  FUNCTION(VipsRegion *, vips_region_new, (CImage *))                                                                \
  FUNCTION(unsigned char *, vips_region_fetch, (VipsRegion *, int, int, int, int, size_t *))                         \
  FUNCTION(void, g_object_unref, (void *))                                                                           \
  FUNCTION(void, g_free, (void *))                                                                                   \
  FUNCTION(unsigned, g_log_set_handler,                                                                              \
           (const char *, int, void (*)(const char *, int, const char *, void *), void *))

#ifndef LIBVIPS_NAMES_ONLY

#define CONSTANT(name, value) name = value,
enum { LIBVIPS_CONSTANTS(CONSTANT) };
#undef CONSTANT

#define MEMBER(result, name, parameters) result(*name) parameters;
/// libvips's functions, under their own names.
typedef struct {
  LIBVIPS_FUNCTIONS(MEMBER)
} Libvips;
#undef MEMBER

/// Filled in by `cimages_find`.
extern Libvips libvips;

#endif
#endif
