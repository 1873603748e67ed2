#ifndef CLEANNET_TORCH_ENGINE_H
#define CLEANNET_TORCH_ENGINE_H

#include <CTorch.h>

/// The engine library's one entry: its table of functions.
#ifdef __cplusplus
extern "C"
#endif
const CTorchEngine *cleannet_engine(void);

#endif
