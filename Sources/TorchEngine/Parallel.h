// Loops on all threads that libtorch computes with.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

// The entry of GCC's OpenMP library, which libtorch's loops run on; null where it is not loaded.
extern "C" void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) __attribute__((weak));

namespace cleannet {

/// Calls `body(begin, end)` for pieces of 0 ..< `count` of at least `grain` each, on as many threads as libtorch has.
///
/// `at::parallel_for` is a plain loop in code that was compiled without OpenMP, as this is: Swift's toolchain has none.
/// Pieces must not depend on each other. Within a loop that is parallel already, all of it is one piece.
template <class Body>
void parallelFor(int64_t count, int64_t grain, const Body &body) {
  if (count <= 0) return;
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), (count + grain - 1) / grain);
  if (threads <= 1 || !GOMP_parallel || at::in_parallel_region()) {
    body(int64_t(0), count);
    return;
  }
  struct Work {
    const Body &body;
    const int64_t count, size;
    std::atomic<int64_t> next{0};
  } work{body, count, (count + threads - 1) / threads};
  GOMP_parallel(
      [](void *data) {
        Work &work = *static_cast<Work *>(data);
        for (int64_t begin; (begin = work.next.fetch_add(work.size)) < work.count;)
          work.body(begin, std::min(begin + work.size, work.count));
      },
      &work, unsigned(threads), 0);
}

}  // namespace cleannet
