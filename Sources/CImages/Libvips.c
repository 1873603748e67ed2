#include "Libvips.h"

#include <dlfcn.h>
#include <string.h>

Libvips libvips;

/// Looks a function up and copies its address: C has no conversion between pointers to data and to functions.
static bool find(void *library, const char *name, void *place) {
  void *address = dlsym(library, name);
  memcpy(place, &address, sizeof address);
  return address != NULL;
}

const char *cimages_find(void *library) {
#define FIND(result, name, parameters) \
  if (!find(library, #name, &libvips.name)) return #name;
  LIBVIPS_FUNCTIONS(FIND)
#undef FIND
  return NULL;
}
