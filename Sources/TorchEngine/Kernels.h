// The parts that the engine's own loops share.
#pragma once

#include <cstdint>
#include <cstring>

// One loop compiled for several instruction sets; the loader takes the best that the processor has.
#if defined(__x86_64__) && defined(__linux__)
#define CLEANNET_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLEANNET_WIDE
#endif
#define CLEANNET_INLINE inline __attribute__((always_inline))

namespace cleannet {

/// bfloat16 as its bits: the compiler turns these conversions into a few vector instructions.
struct Half {
  uint16_t bits;
};

CLEANNET_INLINE float load(float value) { return value; }
CLEANNET_INLINE float load(Half value) {
  const uint32_t wide = uint32_t(value.bits) << 16;
  float result;
  std::memcpy(&result, &wide, 4);
  return result;
}
CLEANNET_INLINE void store(float *place, float value) { *place = value; }
CLEANNET_INLINE void store(Half *place, float value) {
  uint32_t wide;
  std::memcpy(&wide, &value, 4);
  // To the nearest, ties to even.
  place->bits = uint16_t((wide + 0x7FFFu + ((wide >> 16) & 1u)) >> 16);
}

}  // namespace cleannet
