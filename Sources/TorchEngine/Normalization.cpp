#include "Engine.h"
#include "Kernels.h"
#include "Parallel.h"

#include <torch/csrc/autograd/custom_function.h>

#include <cmath>

// Batch norm, shortcut and activation in one step of the graph: `y = act(norm(x) + shortcut)`.
//
// As three steps of libtorch 1.13 this takes most of a training step in bfloat16. Here images lie pixel by pixel (channels
// last), each pass over them does all that can be done in it, and the backward pass reads the activation's slope off y, so
// that nothing before it need be kept but x. Sums go by blocks of a fixed number of rows in a fixed order: results do not
// depend on the number of threads.

namespace cleannet {

namespace {

/// 0: none, 1: ReLU, 2: ReLU6.
CLEANNET_INLINE float activated(float value, float low, float high) {
  return value < low ? low : value > high ? high : value;
}

/// The gradient where the activation rises, else 0. Both are read in any case, without which loops are no loops of vectors.
CLEANNET_INLINE float masked(float y, float dy, float low, float high) {
  return ((y > low) & (y < high)) ? dy : 0.0f;
}

/// Sums of x − first and of its square, channel by channel: `sums` is [2, C].
template <class T>
CLEANNET_INLINE void momentRows(const T *__restrict x, int64_t rows, int64_t channels, const float *__restrict first,
                                float *__restrict sums) {
  for (int64_t row = 0; row < rows; ++row, x += channels)
    for (int64_t c = 0; c < channels; ++c) {
      const float d = load(x[c]) - first[c];
      sums[c] += d;
      sums[channels + c] += d * d;
    }
}

template <class T>
CLEANNET_INLINE void forwardRows(const T *__restrict x, const T *__restrict shortcut, T *__restrict y, int64_t rows,
                                 int64_t channels, const float *__restrict factor, const float *__restrict offset,
                                 float low, float high) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    if (shortcut) {
      for (int64_t c = 0; c < channels; ++c)
        store(y + c, activated(load(x[c]) * factor[c] + offset[c] + load(shortcut[c]), low, high));
      shortcut += channels;
    } else {
      for (int64_t c = 0; c < channels; ++c)
        store(y + c, activated(load(x[c]) * factor[c] + offset[c], low, high));
    }
  }
}

/// Sums of the slope-masked gradient g and of g · (x − mean): `sums` is [2, C].
template <class T>
CLEANNET_INLINE void gradientSums(const T *__restrict x, const T *__restrict y, const T *__restrict dy, int64_t rows,
                                  int64_t channels, const float *__restrict mean, float *__restrict sums, float low,
                                  float high) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels, dy += channels)
    for (int64_t c = 0; c < channels; ++c) {
      const float g = masked(load(y[c]), load(dy[c]), low, high);
      sums[c] += g;
      sums[channels + c] += g * (load(x[c]) - mean[c]);
    }
}

/// dx = a · g + b · (x − mean) + d, and g itself for the shortcut.
template <class T>
CLEANNET_INLINE void backwardRows(const T *__restrict x, const T *__restrict y, const T *__restrict dy,
                                  T *__restrict dx, T *__restrict dshortcut, int64_t rows, int64_t channels,
                                  const float *__restrict mean, const float *__restrict a, const float *__restrict b,
                                  const float *__restrict d, float low, float high) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels, dy += channels, dx += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const float g = masked(load(y[c]), load(dy[c]), low, high);
      store(dx + c, a[c] * g + b[c] * (load(x[c]) - mean[c]) + d[c]);
    }
    if (dshortcut) {
      for (int64_t c = 0; c < channels; ++c) store(dshortcut + c, masked(load(y[c]), load(dy[c]), low, high));
      dshortcut += channels;
    }
  }
}

// One function of each kind and type, compiled for several instruction sets.
#define CLEANNET_KERNELS(T, Name)                                                                                     \
  CLEANNET_WIDE void moments##Name(const T *x, int64_t n, int64_t c, const float *first, float *sums) {               \
    momentRows(x, n, c, first, sums);                                                                                 \
  }                                                                                                                   \
  CLEANNET_WIDE void forward##Name(const T *x, const T *s, T *y, int64_t n, int64_t c, const float *f,                \
                                   const float *o, float low, float high) {                                           \
    forwardRows(x, s, y, n, c, f, o, low, high);                                                                      \
  }                                                                                                                   \
  CLEANNET_WIDE void sums##Name(const T *x, const T *y, const T *dy, int64_t n, int64_t c, const float *m, float *s,  \
                                float low, float high) {                                                              \
    gradientSums(x, y, dy, n, c, m, s, low, high);                                                                    \
  }                                                                                                                   \
  CLEANNET_WIDE void backward##Name(const T *x, const T *y, const T *dy, T *dx, T *ds, int64_t n, int64_t c,          \
                                    const float *m, const float *a, const float *b, const float *d, float low,        \
                                    float high) {                                                                     \
    backwardRows(x, y, dy, dx, ds, n, c, m, a, b, d, low, high);                                                      \
  }
CLEANNET_KERNELS(float, F32)
CLEANNET_KERNELS(Half, BF16)

template <class T>
struct Kernels;
template <>
struct Kernels<float> {
  static constexpr auto moments = momentsF32;
  static constexpr auto forward = forwardF32;
  static constexpr auto sums = sumsF32;
  static constexpr auto backward = backwardF32;
};
template <>
struct Kernels<Half> {
  static constexpr auto moments = momentsBF16;
  static constexpr auto forward = forwardBF16;
  static constexpr auto sums = sumsBF16;
  static constexpr auto backward = backwardBF16;
};

/// Rows that one thread takes at a time: about 64 thousand numbers.
int64_t blockRows(int64_t channels) { return std::max<int64_t>(1, 65536 / channels); }

/// Calls `body(first row, rows, number)` for each block, on all threads.
template <class Body>
void overBlocks(int64_t rows, int64_t channels, Body &&body) {
  const int64_t size = blockRows(channels), count = (rows + size - 1) / size;
  parallelFor(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block)
      body(block * size, std::min(size, rows - block * size), block);
  });
}

/// Column sums that each block adds to zeros of its own, brought together in order: [2, C], float64.
template <class Body>
std::vector<double> blockSums(int64_t rows, int64_t channels, Body &&body) {
  const int64_t size = blockRows(channels), count = (rows + size - 1) / size;
  std::vector<float> parts(size_t(count * 2 * channels), 0.0f);
  overBlocks(rows, channels, [&](int64_t row, int64_t n, int64_t block) {
    body(row, n, parts.data() + block * 2 * channels);
  });
  std::vector<double> sums(size_t(2 * channels), 0.0);
  for (int64_t block = 0; block < count; ++block)
    for (int64_t c = 0; c < 2 * channels; ++c) sums[size_t(c)] += parts[size_t(block * 2 * channels + c)];
  return sums;
}

struct Settings {
  bool training;
  double momentum, eps;
  int64_t activation;

  float low() const { return activation == 0 ? -INFINITY : 0.0f; }
  float high() const { return activation == 2 ? 6.0f : INFINITY; }
};

template <class T>
const T *data(const at::Tensor &tensor) {
  return tensor.defined() ? static_cast<const T *>(tensor.data_ptr()) : nullptr;
}
template <class T>
T *mutableData(const at::Tensor &tensor) {
  return tensor.defined() ? static_cast<T *>(tensor.data_ptr()) : nullptr;
}

at::Tensor channelsLast(const at::Tensor &tensor) {
  return tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor emptyLike(const at::Tensor &x) {
  return at::empty(x.sizes(), x.options(), at::MemoryFormat::ChannelsLast);
}

template <class T>
at::Tensor forward(const at::Tensor &x, const at::Tensor &shortcut, const at::Tensor &weight, const at::Tensor &bias,
                   at::Tensor runningMean, at::Tensor runningVariance, at::Tensor &mean, at::Tensor &inverse,
                   const Settings &settings) {
  const int64_t channels = x.size(1), rows = x.numel() / channels;
  mean = at::empty({channels}, at::kFloat);
  inverse = at::empty({channels}, at::kFloat);
  at::Tensor factor = at::empty({channels}, at::kFloat), offset = at::empty({channels}, at::kFloat);
  float *m = mean.data_ptr<float>(), *inv = inverse.data_ptr<float>();
  float *f = factor.data_ptr<float>(), *o = offset.data_ptr<float>();
  float *rm = runningMean.data_ptr<float>(), *rv = runningVariance.data_ptr<float>();
  const T *in = data<T>(x);
  if (settings.training) {
    // Relative to the first pixel, so that squares of large values do not swallow small differences.
    std::vector<float> first(size_t(channels), 0.0f);
    for (int64_t c = 0; c < channels; ++c) first[size_t(c)] = load(in[c]);
    const auto sums = blockSums(rows, channels, [&](int64_t row, int64_t n, float *part) {
      Kernels<T>::moments(in + row * channels, n, channels, first.data(), part);
    });
    for (int64_t c = 0; c < channels; ++c) {
      const double shift = sums[size_t(c)] / double(rows);
      const double variance = std::max(0.0, sums[size_t(channels + c)] / double(rows) - shift * shift);
      m[c] = float(first[size_t(c)] + shift);
      inv[c] = float(1 / std::sqrt(variance + settings.eps));
      const double unbiased = rows > 1 ? variance * double(rows) / double(rows - 1) : variance;
      rm[c] = float((1 - settings.momentum) * rm[c] + settings.momentum * m[c]);
      rv[c] = float((1 - settings.momentum) * rv[c] + settings.momentum * unbiased);
    }
  } else {
    for (int64_t c = 0; c < channels; ++c) {
      m[c] = rm[c];
      inv[c] = float(1 / std::sqrt(double(rv[c]) + settings.eps));
    }
  }
  const float *w = weight.data_ptr<float>(), *b = bias.data_ptr<float>();
  for (int64_t c = 0; c < channels; ++c) {
    f[c] = w[c] * inv[c];
    o[c] = b[c] - m[c] * f[c];
  }
  at::Tensor y = emptyLike(x);
  const T *around = data<T>(shortcut);
  T *out = mutableData<T>(y);
  overBlocks(rows, channels, [&](int64_t row, int64_t n, int64_t) {
    const int64_t at = row * channels;
    Kernels<T>::forward(in + at, around ? around + at : nullptr, out + at, n, channels, f, o, settings.low(),
                        settings.high());
  });
  return y;
}

template <class T>
torch::autograd::variable_list backward(const at::Tensor &x, const at::Tensor &y, const at::Tensor &dy,
                                        const at::Tensor &weight, const at::Tensor &mean, const at::Tensor &inverse,
                                        bool hasShortcut, const Settings &settings) {
  const int64_t channels = x.size(1), rows = x.numel() / channels;
  const float *m = mean.data_ptr<float>(), *inv = inverse.data_ptr<float>(), *w = weight.data_ptr<float>();
  const T *in = data<T>(x), *out = data<T>(y), *slope = data<T>(dy);
  const float low = settings.low(), high = settings.high();
  const auto sums = blockSums(rows, channels, [&](int64_t row, int64_t n, float *part) {
    const int64_t at = row * channels;
    Kernels<T>::sums(in + at, out + at, slope + at, n, channels, m, part, low, high);
  });
  at::Tensor dweight = at::empty({channels}, at::kFloat), dbias = at::empty({channels}, at::kFloat);
  std::vector<float> a(size_t(channels), 0.0f), b(a), d(a);
  for (int64_t c = 0; c < channels; ++c) {
    const size_t k = size_t(c);
    const double g = sums[k], gx = sums[size_t(channels) + k];
    dbias.data_ptr<float>()[c] = float(g);
    dweight.data_ptr<float>()[c] = float(gx * inv[c]);
    a[k] = w[c] * inv[c];
    if (settings.training) {
      // g minus its mean and its part along x̂: the batch's own statistics move with x.
      b[k] = float(-double(a[k]) * gx * inv[c] * inv[c] / double(rows));
      d[k] = float(-double(a[k]) * g / double(rows));
    }
  }
  at::Tensor dx = emptyLike(x), dshortcut = hasShortcut ? emptyLike(x) : at::Tensor();
  T *target = mutableData<T>(dx), *around = mutableData<T>(dshortcut);
  overBlocks(rows, channels, [&](int64_t row, int64_t n, int64_t) {
    const int64_t at = row * channels;
    Kernels<T>::backward(in + at, out + at, slope + at, target + at, around ? around + at : nullptr, n, channels, m,
                         a.data(), b.data(), d.data(), low, high);
  });
  return {dx, dshortcut, dweight, dbias, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(),
          at::Tensor()};
}

struct NormActivation : torch::autograd::Function<NormActivation> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const at::Tensor &shortcut, const at::Tensor &weight, const at::Tensor &bias,
                            const at::Tensor &runningMean, const at::Tensor &runningVariance, bool training,
                            double momentum, double eps, int64_t activation) {
    const bool hasShortcut = shortcut.dim() == 4;
    const at::Tensor x = channelsLast(input), around = hasShortcut ? channelsLast(shortcut) : at::Tensor();
    const Settings settings{training, momentum, eps, activation};
    at::Tensor mean, inverse;
    at::Tensor y = x.scalar_type() == at::kBFloat16
                       ? cleannet::forward<Half>(x, around, weight, bias, runningMean, runningVariance, mean, inverse,
                                                 settings)
                       : cleannet::forward<float>(x, around, weight, bias, runningMean, runningVariance, mean,
                                                  inverse, settings);
    context->save_for_backward({x, y, weight, mean, inverse});
    context->saved_data["training"] = training;
    context->saved_data["activation"] = activation;
    context->saved_data["shortcut"] = hasShortcut;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Settings settings{context->saved_data["training"].toBool(), 0, 0,
                            context->saved_data["activation"].toInt()};
    const bool hasShortcut = context->saved_data["shortcut"].toBool();
    const at::Tensor dy = channelsLast(gradients[0].to(saved[1].scalar_type()));
    return saved[0].scalar_type() == at::kBFloat16
               ? cleannet::backward<Half>(saved[0], saved[1], dy, saved[2], saved[3], saved[4], hasShortcut, settings)
               : cleannet::backward<float>(saved[0], saved[1], dy, saved[2], saved[3], saved[4], hasShortcut,
                                           settings);
  }
};

}  // namespace

at::Tensor normActivation(const at::Tensor &input, const at::Tensor &shortcut, const at::Tensor &weight,
                          const at::Tensor &bias, const at::Tensor &mean, const at::Tensor &variance, bool training,
                          double momentum, double eps, int64_t activation) {
  const auto type = input.scalar_type();
  TORCH_CHECK(input.dim() == 4 && (type == at::kFloat || type == at::kBFloat16),
              "batch norm takes [N, C, H, W] of float32 or bfloat16");
  TORCH_CHECK(!shortcut.defined() || (shortcut.sizes() == input.sizes() && shortcut.scalar_type() == type),
              "the shortcut is not like the input");
  for (const at::Tensor &one : {weight, bias, mean, variance})
    TORCH_CHECK(one.scalar_type() == at::kFloat && one.is_contiguous() && one.numel() == input.size(1),
                "batch norm's parameters are float32, one a channel");
  if (!input.is_cpu()) {
    // libtorch's own operators, which are made for such devices.
    const at::Tensor normal = at::batch_norm(input, weight, bias, mean, variance, training, momentum, eps, true);
    const at::Tensor sum = shortcut.defined() ? normal + shortcut : normal;
    return activation == 0 ? sum : activation == 1 ? at::relu(sum) : at::hardtanh(sum, 0, 6);
  }
  // The graph wants tensors that are there: an empty one stands for none.
  const at::Tensor around = shortcut.defined() ? shortcut : at::empty({0}, input.options());
  return NormActivation::apply(input, around, weight, bias, mean, variance, training, momentum, eps, activation);
}

}  // namespace cleannet
