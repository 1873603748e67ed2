// Functions of libraries that libtorch brings along, and that it may come without.
#pragma once

#include <dlfcn.h>

namespace cleannet {

/// A symbol of libtorch's own dependencies, or NULL. Debian lets the user choose its BLAS at run time. The engine was opened
/// with local symbols, so its own dependencies are looked through before the program's.
template <class Function>
Function engineSymbol(const char *name) {
  static void *self = []() -> void * {
    Dl_info info;
    return dladdr(reinterpret_cast<void *>(&engineSymbol<Function>), &info)
               ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD)
               : nullptr;
  }();
  void *found = self ? dlsym(self, name) : nullptr;
  if (!found) found = dlsym(RTLD_DEFAULT, name);
  return reinterpret_cast<Function>(found ?: dlsym(RTLD_NEXT, name));
}

}  // namespace cleannet
