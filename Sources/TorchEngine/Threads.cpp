#include "Engine.h"
#include "Libraries.h"
#include "Parallel.h"

#include <c10/core/GradMode.h>

// Who computes on how many threads. OpenMP counts threads for each thread that calls. OpenBLAS counts them for the
// whole process: if the number changed, results would depend on what else runs. So OpenBLAS has one thread, set once, and
// large products are divided here, into pieces whose size does not depend on the number of threads.

namespace cleannet {
namespace {

/// Rows of a piece. The other matrix is packed once per piece, which costs 1/256 of the work.
constexpr int64_t pieceRows = 256;

/// Whether products are divided here; MKL divides them itself, by the number of the thread that calls.
bool dividesProducts = false;

bool divides(const at::Tensor &a, const at::Tensor &b) {
  const auto type = a.scalar_type();
  return dividesProducts && a.dim() == 2 && b.dim() == 2 && a.size(0) > pieceRows && a.size(1) == b.size(0) &&
         type == b.scalar_type() && (type == at::kFloat || type == at::kDouble) && a.is_cpu() && b.is_cpu() &&
         !(c10::GradMode::is_enabled() && (a.requires_grad() || b.requires_grad()));
}

/// Calls `body(begin, count)` for pieces of rows, several at a time.
template <class Body>
void forPieces(int64_t rows, const Body &body) {
  const int64_t pieces = (rows + pieceRows - 1) / pieceRows;
  parallelFor(pieces, 1, [&](int64_t first, int64_t last) {
    c10::NoGradGuard untraced;
    for (int64_t piece = first; piece < last; ++piece) {
      const int64_t begin = piece * pieceRows;
      body(begin, std::min(pieceRows, rows - begin));
    }
  });
}

}  // namespace

void divideWork() {
  static const bool done = [] {
    if (auto set = engineSymbol<void (*)(int)>("openblas_set_num_threads")) {
      set(1);
      dividesProducts = true;
    }
    return true;
  }();
  (void)done;
}

void setThreads(int32_t threads) {
  // A thread's first question sets its number to the process's.
  at::get_num_threads();
  static const auto openMP = engineSymbol<void (*)(int)>("omp_set_num_threads");
  static const auto mkl = engineSymbol<int (*)(int)>("MKL_Set_Num_Threads_Local");
  if (mkl) mkl(threads);
  openMP ? openMP(threads) : at::set_num_threads(threads);
}

void setProcessThreads(int32_t threads) {
  at::set_num_threads(threads);
  setThreads(threads);
}

void productInto(at::Tensor &result, const at::Tensor &a, const at::Tensor &b) {
  if (!divides(a, b)) {
    at::matmul_out(result, a, b);
    return;
  }
  TORCH_CHECK(result.dim() == 2 && result.size(0) == a.size(0) && result.size(1) == b.size(1) &&
                  result.scalar_type() == a.scalar_type(),
              "the result of the product has another shape or type");
  forPieces(a.size(0), [&](int64_t begin, int64_t count) {
    at::Tensor rows = result.narrow(0, begin, count);
    at::mm_out(rows, a.narrow(0, begin, count), b);
  });
}

at::Tensor product(const at::Tensor &a, const at::Tensor &b) {
  if (!divides(a, b)) return at::matmul(a, b);
  at::Tensor result = at::empty({a.size(0), b.size(1)}, a.options());
  productInto(result, a, b);
  return result;
}

at::Tensor affine(const at::Tensor &input, const at::Tensor &weight, const c10::optional<at::Tensor> &bias) {
  const at::Tensor transposed = weight.t();
  const bool tracesBias = bias && bias->requires_grad() && c10::GradMode::is_enabled();
  if (weight.dim() != 2 || tracesBias || !divides(input, transposed)) return at::linear(input, weight, bias);
  if (!bias) return product(input, transposed);
  at::Tensor result = at::empty({input.size(0), transposed.size(1)}, input.options());
  forPieces(input.size(0), [&](int64_t begin, int64_t count) {
    at::Tensor rows = result.narrow(0, begin, count);
    at::addmm_out(rows, *bias, input.narrow(0, begin, count), transposed);
  });
  return result;
}

}  // namespace cleannet
