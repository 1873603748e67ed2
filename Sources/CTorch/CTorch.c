#include "CTorch.h"

#include <dlfcn.h>
#include <stdio.h>

const CTorchEngine *ctorch_open(const char *path, char *error, size_t capacity) {
  // Local symbols: libtorch carries its own copies of common libraries, which must not answer for anybody else's.
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(error, capacity, "%s", dlerror());
    return NULL;
  }
  CTorchEngineEntry entry = (CTorchEngineEntry)dlsym(library, "cleannet_engine");
  if (!entry) {
    snprintf(error, capacity, "%s is not a CleanNet engine (no symbol cleannet_engine)", path);
    return NULL;
  }
  error[0] = '\0';
  return entry();
}
