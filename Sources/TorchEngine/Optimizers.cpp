#include "Engine.h"
#include "Kernels.h"
#include "Parallel.h"

#include <c10/core/GradMode.h>

#include <cmath>

namespace cleannet {

namespace {

/// Elements that one thread takes at a time: large enough to hide the cost of starting it.
constexpr int64_t grain = 16384;

float *floats(const at::Tensor &tensor) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat && tensor.is_contiguous(),
              "an optimizer steps contiguous float32 tensors");
  return tensor.data_ptr<float>();
}

CLEANNET_WIDE
void sgdRange(int64_t begin, int64_t end, float *__restrict p, const float *__restrict g, float *__restrict b,
              float lr, float mu, float decay, float direct, float ahead) {
  for (int64_t i = begin; i < end; ++i) {
    const float d = g[i] + decay * p[i];
    b[i] = mu * b[i] + d;
    p[i] -= lr * (direct * d + ahead * b[i]);
  }
}

CLEANNET_WIDE
void adamwRange(int64_t begin, int64_t end, float *__restrict p, const float *__restrict g, float *__restrict m,
                float *__restrict v, float b1, float b2, float e, float keep, float stepSize, float correction) {
  for (int64_t i = begin; i < end; ++i) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    // The builtin, unlike std::sqrt, sets no errno, so the loop stays one of vectors.
    p[i] = keep * p[i] - stepSize * m[i] / (__builtin_elementwise_sqrt(v[i]) * correction + e);
  }
}

/// A 32-bit mix of a counter ("lowbias32", C. Wellons 2018): cheap, and each place is independent of the others.
CLEANNET_WIDE
void dropoutRange(int64_t begin, int64_t end, float *__restrict mask, uint32_t low, uint32_t high,
                  uint32_t threshold, float scale) {
  for (int64_t i = begin; i < end; ++i) {
    uint32_t x = uint32_t(i) * 0x9E3779B9u + low;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= (x >> 15) ^ high;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    mask[i] = x < threshold ? 0.0f : scale;
  }
}

}  // namespace

at::Tensor dropoutMask(at::IntArrayRef sizes, double probability, at::Generator generator) {
  const auto words = at::empty({1}, at::kLong).random_(generator).item<int64_t>();
  at::Tensor mask = at::empty(sizes, at::kFloat);
  dropoutRange(0, mask.numel(), mask.data_ptr<float>(), uint32_t(words), uint32_t(words >> 32),
               uint32_t(probability * 4294967295.0), float(1 / (1 - probability)));
  return mask;
}

void sgdStep(at::Tensor &parameter, const at::Tensor &gradient, at::Tensor &momentumBuffer, double rate,
             double momentum, double weightDecay, bool nesterov) {
  TORCH_CHECK(gradient.numel() == parameter.numel(), "gradient and parameter differ in size");
  if (!parameter.is_cpu()) {
    c10::NoGradGuard untraced;
    const at::Tensor slope = gradient.add(parameter, weightDecay);
    momentumBuffer.mul_(momentum).add_(slope);
    parameter.add_(nesterov ? slope.add(momentumBuffer, momentum) : momentumBuffer, -rate);
    return;
  }
  const at::Tensor dense = gradient.contiguous();
  float *p = floats(parameter), *b = floats(momentumBuffer);
  const float *g = floats(dense);
  const float lr = rate, mu = momentum, decay = weightDecay;
  const float direct = nesterov ? 1 : 0, ahead = nesterov ? mu : 1;
  parallelFor(parameter.numel(), grain, [=](int64_t begin, int64_t end) {
    sgdRange(begin, end, p, g, b, lr, mu, decay, direct, ahead);
  });
}

void adamwStep(at::Tensor &parameter, const at::Tensor &gradient, at::Tensor &mean, at::Tensor &variance,
               double rate, double beta1, double beta2, double eps, double weightDecay, int64_t step) {
  TORCH_CHECK(gradient.numel() == parameter.numel(), "gradient and parameter differ in size");
  const float keep = 1 - rate * weightDecay;
  const float stepSize = rate / (1 - std::pow(beta1, double(step)));
  const float correction = 1 / std::sqrt(1 - std::pow(beta2, double(step)));
  if (!parameter.is_cpu()) {
    c10::NoGradGuard untraced;
    mean.lerp_(gradient, 1 - beta1);
    variance.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    parameter.mul_(keep).addcdiv_(mean, variance.sqrt().mul_(correction).add_(eps), -stepSize);
    return;
  }
  const at::Tensor dense = gradient.contiguous();
  float *p = floats(parameter), *m = floats(mean), *v = floats(variance);
  const float *g = floats(dense);
  const float b1 = beta1, b2 = beta2, e = eps;
  parallelFor(parameter.numel(), grain, [=](int64_t begin, int64_t end) {
    adamwRange(begin, end, p, g, m, v, b1, b2, e, keep, stepSize, correction);
  });
}

}  // namespace cleannet
