#include "Engine.h"

#include <ATen/Parallel.h>

#include <cmath>

namespace cleannet {

namespace {

/// Elements that one thread takes at a time: large enough to hide the cost of starting it.
constexpr int64_t grain = 16384;

float *floats(const at::Tensor &tensor) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.is_contiguous(),
              "an optimiser steps contiguous float32 tensors");
  return tensor.data_ptr<float>();
}

}  // namespace

void sgdStep(at::Tensor &parameter, const at::Tensor &gradient, at::Tensor &momentumBuffer, double rate,
             double momentum, double weightDecay, bool nesterov) {
  const at::Tensor dense = gradient.contiguous();
  TORCH_CHECK(dense.numel() == parameter.numel(), "gradient and parameter differ in size");
  float *p = floats(parameter), *b = floats(momentumBuffer);
  const float *g = floats(dense);
  const float lr = rate, mu = momentum, decay = weightDecay;
  at::parallel_for(0, parameter.numel(), grain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float d = g[i] + decay * p[i];
      b[i] = mu * b[i] + d;
      p[i] -= lr * (nesterov ? d + mu * b[i] : b[i]);
    }
  });
}

void adamwStep(at::Tensor &parameter, const at::Tensor &gradient, at::Tensor &mean, at::Tensor &variance,
               double rate, double beta1, double beta2, double eps, double weightDecay, int64_t step) {
  const at::Tensor dense = gradient.contiguous();
  TORCH_CHECK(dense.numel() == parameter.numel(), "gradient and parameter differ in size");
  float *p = floats(parameter), *m = floats(mean), *v = floats(variance);
  const float *g = floats(dense);
  const float b1 = beta1, b2 = beta2, e = eps;
  const float keep = 1 - rate * weightDecay;
  const float stepSize = rate / (1 - std::pow(beta1, double(step)));
  const float correction = 1 / std::sqrt(1 - std::pow(beta2, double(step)));
  at::parallel_for(0, parameter.numel(), grain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
      p[i] = keep * p[i] - stepSize * m[i] / (std::sqrt(v[i]) * correction + e);
    }
  });
}

}  // namespace cleannet
