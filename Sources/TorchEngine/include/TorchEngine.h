#ifndef CLEANNET_TORCH_ENGINE_H
#define CLEANNET_TORCH_ENGINE_H

#include <CTorch.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The engine library's table of functions, and the table's size in bytes.
const CTorchEngine *cleannet_engine(void);
size_t cleannet_engine_size(void);

#ifdef __cplusplus
}
#endif

#endif
