#include "CTorch.h"

#include <dlfcn.h>

const CTorchEngine *ctorch_engine(void *library) {
  CTorchEngineEntry entry = (CTorchEngineEntry)dlsym(library, "cleannet_engine");
  return entry ? entry() : NULL;
}
