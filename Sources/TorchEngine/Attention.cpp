#include "Engine.h"

#include <ATen/Version.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/library.h>

#include <cmath>

// Attention, and for libtorch before 2.0 the operator by whose name programs of newer PyTorch call it.

namespace cleannet {

#if TORCH_VERSION_MAJOR < 2

namespace {

/// As PyTorch 2's operator of the same name computes it, without dropout, which is for training.
at::Tensor scaledDotProductAttention(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value,
                                     const c10::optional<at::Tensor> &mask, double dropout, bool causal,
                                     c10::optional<double> scale, bool grouped) {
  TORCH_CHECK(dropout == 0, "attention with dropout is for training");
  at::Tensor k = key, v = value;
  if (grouped && k.size(-3) != query.size(-3)) {
    k = k.repeat_interleave(query.size(-3) / k.size(-3), -3);
    v = v.repeat_interleave(query.size(-3) / v.size(-3), -3);
  }
  const double factor = scale.value_or(1 / std::sqrt(double(query.size(-1))));
  at::Tensor scores = at::matmul(query * factor, k.transpose(-2, -1));
  if (causal) {
    const auto ones = at::ones({query.size(-2), k.size(-2)}, query.options().dtype(at::kBool));
    scores = scores.masked_fill(ones.tril().logical_not(), -INFINITY);
  }
  if (mask && mask->defined())
    scores = mask->scalar_type() == at::kBool ? scores.masked_fill(mask->logical_not(), -INFINITY) : scores + *mask;
  return at::matmul(at::softmax(scores, -1), v);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(aten, library) {
  library.def(
      "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
      "float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
      scaledDotProductAttention);
}

at::Tensor attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v) {
  return scaledDotProductAttention(q, k, v, c10::nullopt, 0, false, c10::nullopt, false);
}

#else

at::Tensor attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v) {
  return at::scaled_dot_product_attention(q, k, v);
}

#endif

}  // namespace cleannet
