#include "CTorch.h"

#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

const CTorchEngine *ctorch_engine(void *library) {
  CTorchEngineEntry entry = (CTorchEngineEntry)dlsym(library, "cleannet_engine");
  CTorchEngineSize size = (CTorchEngineSize)dlsym(library, "cleannet_engine_size");
  return entry && size && size() == sizeof(CTorchEngine) ? entry() : NULL;
}

bool ctorch_table_fits(const void *table) {
  const uint32_t *words = table;
  return words[0] == CTORCH_TABLE_VERSION && words[1] == sizeof(CTorchEngine);
}

void ctorch_keep_freed_memory(bool keep) {
#ifdef __GLIBC__
  // Afterwards glibc's own limits, those that its thresholds grow to by themselves.
  mallopt(M_MMAP_MAX, keep ? 0 : 65536);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, keep ? -1 : 64 << 20);
  if (!keep) malloc_trim(0);
#else
  (void)keep;
#endif
}
