#include "Engine.h"
#include "Kernels.h"
#include "Parallel.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

// Depthwise convolutions for training. libtorch 1.13's way back through them takes several times as long in bfloat16 as in
// float32, and more than all the rest of EfficientNet-Lite together.
//
// Images lie pixel by pixel (channels last), one thread takes an image. The rows that a row of results is made of are
// widened to float32 once, with their zeros around them, into a ring of k rows; loops then run over 16 channels at a time,
// whose sums stay in registers. The gradient of the input is the same loop: the gradient of the result, with stride − 1
// zeros between its pixels, under the filter turned round. Filters' gradients are summed image by image, in order.

namespace cleannet {

namespace {

constexpr int64_t lanes = 16;

/// out[x, c] = Σ w[tap, c] · rows[i][x · stride + j, c]
template <int K>
CLEANNET_INLINE void correlate(const float *const *rows, const float *__restrict weight, float *__restrict out,
                               int64_t columns, int64_t channels, int64_t stride) {
  for (int64_t x = 0; x < columns; ++x) {
    const int64_t start = x * stride * channels;
    int64_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
      float sum[lanes] = {};
      for (int i = 0; i < K; ++i)
        for (int j = 0; j < K; ++j) {
          const float *in = rows[i] + start + j * channels + c, *w = weight + (i * K + j) * channels + c;
          for (int64_t l = 0; l < lanes; ++l) sum[l] += in[l] * w[l];
        }
      for (int64_t l = 0; l < lanes; ++l) out[x * channels + c + l] = sum[l];
    }
    for (; c < channels; ++c) {
      float sum = 0;
      for (int i = 0; i < K; ++i)
        for (int j = 0; j < K; ++j) sum += rows[i][start + j * channels + c] * weight[(i * K + j) * channels + c];
      out[x * channels + c] = sum;
    }
  }
}

/// dw[tap, c] += Σ_x dy[x, c] · rows[i][x · stride + j, c]
template <int K>
CLEANNET_INLINE void accumulate(const float *const *rows, const float *__restrict dy, float *__restrict dw,
                                int64_t columns, int64_t channels, int64_t stride) {
  int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    for (int i = 0; i < K; ++i) {
      float sums[K][lanes];
      for (int j = 0; j < K; ++j)
        for (int64_t l = 0; l < lanes; ++l) sums[j][l] = dw[(i * K + j) * channels + c + l];
      for (int64_t x = 0; x < columns; ++x) {
        const float *g = dy + x * channels + c, *in = rows[i] + x * stride * channels + c;
        for (int j = 0; j < K; ++j)
          for (int64_t l = 0; l < lanes; ++l) sums[j][l] += g[l] * in[j * channels + l];
      }
      for (int j = 0; j < K; ++j)
        for (int64_t l = 0; l < lanes; ++l) dw[(i * K + j) * channels + c + l] = sums[j][l];
    }
  }
  for (; c < channels; ++c)
    for (int i = 0; i < K; ++i)
      for (int j = 0; j < K; ++j)
        for (int64_t x = 0; x < columns; ++x)
          dw[(i * K + j) * channels + c] += dy[x * channels + c] * rows[i][(x * stride + j) * channels + c];
}

CLEANNET_WIDE void correlate3(const float *const *rows, const float *weight, float *out, int64_t columns,
                              int64_t channels, int64_t stride) {
  correlate<3>(rows, weight, out, columns, channels, stride);
}
CLEANNET_WIDE void correlate5(const float *const *rows, const float *weight, float *out, int64_t columns,
                              int64_t channels, int64_t stride) {
  correlate<5>(rows, weight, out, columns, channels, stride);
}
CLEANNET_WIDE void accumulate3(const float *const *rows, const float *dy, float *dw, int64_t columns,
                               int64_t channels, int64_t stride) {
  accumulate<3>(rows, dy, dw, columns, channels, stride);
}
CLEANNET_WIDE void accumulate5(const float *const *rows, const float *dy, float *dw, int64_t columns,
                               int64_t channels, int64_t stride) {
  accumulate<5>(rows, dy, dw, columns, channels, stride);
}
CLEANNET_WIDE void widen(const Half *source, float *target, int64_t count) {
  for (int64_t i = 0; i < count; ++i) target[i] = load(source[i]);
}
CLEANNET_WIDE void narrow(const float *source, Half *target, int64_t count) {
  for (int64_t i = 0; i < count; ++i) store(target + i, source[i]);
}
void widen(const float *source, float *target, int64_t count) { std::copy_n(source, count, target); }
void narrow(const float *source, float *target, int64_t count) { std::copy_n(source, count, target); }

/// The rows of an image as float32 with zeros around them; k of them are held at a time.
template <class T>
struct Ring {
  const T *image;
  int64_t height, width, channels;
  int64_t kernel, before;
  /// Zeros between two pixels, both ways, plus 1.
  int64_t dilation;
  int64_t columns;
  std::vector<float> memory;
  std::vector<int64_t> held;

  /// - columns: of a widened row, zeros included.
  Ring(const T *image, int64_t height, int64_t width, int64_t channels, int64_t kernel, int64_t before,
       int64_t dilation, int64_t columns)
      : image(image), height(height), width(width), channels(channels), kernel(kernel), before(before),
        dilation(dilation), columns(columns), memory(size_t(kernel * columns * channels), 0.0f),
        held(size_t(kernel), -1) {}

  void begin(const T *other) {
    image = other;
    std::fill(held.begin(), held.end(), -1);
  }

  /// Row number `row` of the widened image, whose first `before` rows are zeros.
  const float *row(int64_t row) {
    const int64_t slot = row % kernel;
    float *place = memory.data() + slot * columns * channels;
    if (held[size_t(slot)] == row) return place;
    held[size_t(slot)] = row;
    const int64_t inside = row - before;
    if (inside < 0 || inside % dilation != 0 || inside / dilation >= height) {
      std::fill_n(place, columns * channels, 0.0f);
      return place;
    }
    const T *source = image + inside / dilation * width * channels;
    std::fill_n(place, before * channels, 0.0f);
    if (dilation == 1) {
      const int64_t count = std::min(width, columns - before);
      widen(source, place + before * channels, count * channels);
      std::fill_n(place + (before + count) * channels, (columns - before - count) * channels, 0.0f);
      return place;
    }
    std::fill_n(place + before * channels, (columns - before) * channels, 0.0f);
    for (int64_t x = 0; x < width && before + x * dilation < columns; ++x)
      widen(source + x * channels, place + (before + x * dilation) * channels, channels);
    return place;
  }
};

/// The filter, `[k · k, C]`; turned round for the way back.
std::vector<float> taps(const at::Tensor &weight, bool turned) {
  const int64_t channels = weight.size(0), count = weight.size(2) * weight.size(3);
  const at::Tensor plain = weight.contiguous();
  const float *source = plain.data_ptr<float>();
  std::vector<float> result(size_t(count * channels), 0.0f);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t t = 0; t < count; ++t)
      result[size_t((turned ? count - 1 - t : t) * channels + c)] = source[c * count + t];
  return result;
}

/// Correlates widened images with a filter: results `[N, C, height, width]`.
template <class T>
void correlateImages(const at::Tensor &images, const std::vector<float> &weight, at::Tensor &results, int64_t kernel,
                     int64_t stride, int64_t before, int64_t dilation) {
  const int64_t channels = images.size(1), height = images.size(2), width = images.size(3);
  const int64_t rows = results.size(2), columns = results.size(3);
  const T *source = static_cast<const T *>(images.data_ptr());
  T *target = static_cast<T *>(results.data_ptr());
  const auto loop = kernel == 3 ? correlate3 : correlate5;
  parallelFor(images.size(0), 1, [&](int64_t begin, int64_t end) {
    Ring<T> ring(source, height, width, channels, kernel, before, dilation, (columns - 1) * stride + kernel);
    std::vector<float> row(size_t(columns * channels), 0.0f);
    const float *pointers[5];
    for (int64_t n = begin; n < end; ++n) {
      ring.begin(source + n * height * width * channels);
      for (int64_t y = 0; y < rows; ++y) {
        for (int64_t i = 0; i < kernel; ++i) pointers[i] = ring.row(y * stride + i);
        loop(pointers, weight.data(), row.data(), columns, channels, stride);
        narrow(row.data(), target + (n * rows + y) * columns * channels, columns * channels);
      }
    }
  });
}

/// Gradients of the filter, `[C, 1, k, k]`.
template <class T>
at::Tensor filterGradient(const at::Tensor &images, const at::Tensor &slopes, int64_t kernel, int64_t stride,
                          int64_t before) {
  const int64_t count = images.size(0), channels = images.size(1), height = images.size(2), width = images.size(3);
  const int64_t rows = slopes.size(2), columns = slopes.size(3), size = kernel * kernel * channels;
  const T *source = static_cast<const T *>(images.data_ptr()), *slope = static_cast<const T *>(slopes.data_ptr());
  std::vector<float> parts(size_t(count * size), 0.0f);
  const auto loop = kernel == 3 ? accumulate3 : accumulate5;
  parallelFor(count, 1, [&](int64_t begin, int64_t end) {
    Ring<T> ring(source, height, width, channels, kernel, before, 1, (columns - 1) * stride + kernel);
    std::vector<float> row(size_t(columns * channels), 0.0f);
    const float *pointers[5];
    for (int64_t n = begin; n < end; ++n) {
      ring.begin(source + n * height * width * channels);
      for (int64_t y = 0; y < rows; ++y) {
        for (int64_t i = 0; i < kernel; ++i) pointers[i] = ring.row(y * stride + i);
        widen(slope + (n * rows + y) * columns * channels, row.data(), columns * channels);
        loop(pointers, row.data(), parts.data() + n * size, columns, channels, stride);
      }
    }
  });
  at::Tensor gradient = at::empty({channels, 1, kernel, kernel}, at::kFloat);
  float *target = gradient.data_ptr<float>();
  for (int64_t t = 0; t < kernel * kernel; ++t)
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (int64_t n = 0; n < count; ++n) sum += parts[size_t(n * size + t * channels + c)];
      target[c * kernel * kernel + t] = float(sum);
    }
  return gradient;
}

at::Tensor emptyImages(at::IntArrayRef sizes, const at::Tensor &like) {
  return at::empty(sizes, like.options(), at::MemoryFormat::ChannelsLast);
}

struct Depthwise : torch::autograd::Function<Depthwise> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &input,
                            const at::Tensor &weight, int64_t stride, int64_t before, int64_t after) {
    const at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t kernel = weight.size(2);
    const auto results = [&](int64_t size) { return (size + before + after - kernel) / stride + 1; };
    at::Tensor y = emptyImages({x.size(0), x.size(1), results(x.size(2)), results(x.size(3))}, x);
    if (x.scalar_type() == at::kBFloat16) {
      correlateImages<Half>(x, taps(weight, false), y, kernel, stride, before, 1);
    } else {
      correlateImages<float>(x, taps(weight, false), y, kernel, stride, before, 1);
    }
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["before"] = before;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const int64_t stride = context->saved_data["stride"].toInt(), before = context->saved_data["before"].toInt();
    const int64_t kernel = weight.size(2);
    const at::Tensor dy = gradients[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const bool isHalf = x.scalar_type() == at::kBFloat16;
    at::Tensor dx = emptyImages(x.sizes(), x);
    const auto turned = taps(weight, true);
    const int64_t around = kernel - 1 - before;
    if (isHalf) {
      correlateImages<Half>(dy, turned, dx, kernel, 1, around, stride);
    } else {
      correlateImages<float>(dy, turned, dx, kernel, 1, around, stride);
    }
    const at::Tensor dw = isHalf ? filterGradient<Half>(x, dy, kernel, stride, before)
                                 : filterGradient<float>(x, dy, kernel, stride, before);
    return {dx, dw, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor depthwise(const at::Tensor &input, const at::Tensor &weight, int64_t stride, int64_t before,
                     int64_t after) {
  const int64_t kernel = weight.size(2);
  TORCH_CHECK(input.dim() == 4 && weight.dim() == 4 && weight.size(0) == input.size(1) && weight.size(1) == 1 &&
                  weight.size(3) == kernel && (kernel == 3 || kernel == 5),
              "a depthwise convolution takes [N, C, H, W] and a filter [C, 1, k, k] with k = 3 or 5");
  TORCH_CHECK(weight.scalar_type() == at::kFloat &&
                  (input.scalar_type() == at::kFloat || input.scalar_type() == at::kBFloat16),
              "a depthwise convolution takes float32 or bfloat16 images and a float32 filter");
  TORCH_CHECK(before < kernel && after < kernel && input.size(2) + before + after >= kernel &&
                  input.size(3) + before + after >= kernel,
              "a depthwise convolution has fewer zeros than its filter's size around an image");
  if (!input.is_cpu()) {
    // libtorch's own operators, which are made for such devices.
    const at::Tensor padded = before == after ? input : at::constant_pad_nd(input, {before, after, before, after}, 0);
    return at::conv2d(padded, weight.to(input.scalar_type()), {}, stride, before == after ? before : 0, 1,
                      input.size(1));
  }
  return Depthwise::apply(input, weight, stride, before, after);
}

}  // namespace cleannet
