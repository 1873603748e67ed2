#include "Engine.h"
#include "Libraries.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/TracerMode.h>
#include <ATen/Version.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/api/include/torch/version.h>

#include <sstream>
#include <vector>

// The table of functions, in the order of CTorch.h. Each entry is the ATen call of the same name behind a guard.

namespace cleannet {

std::string &lastError() {
  static thread_local std::string text;
  return text;
}

bool &lastErrorWasMemory() {
  static thread_local bool was = false;
  return was;
}

namespace {

using Handle = CTorchTensor *;

bool give(CTorchTensor **first, CTorchTensor **second, std::tuple<at::Tensor, at::Tensor> pair) {
  *first = new CTorchTensor{std::get<0>(pair)};
  *second = new CTorchTensor{std::get<1>(pair)};
  return true;
}

c10::optional<at::Tensor> optional(Handle tensor) {
  return tensor ? c10::optional<at::Tensor>(tensor->value) : c10::nullopt;
}

std::vector<at::Tensor> list(CTorchTensor *const *tensors, size_t count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (size_t i = 0; i < count; ++i) result.push_back(tensors[i]->value);
  return result;
}

/// The bits of 6 as bfloat16. Read as integers, bfloat16 numbers from 0 on keep their order and negative ones stay
/// negative, so clamping the integers is ReLU; four times as fast as libtorch 1.13's way through float32.
constexpr int64_t bfloat16Six = 0x40C0;

const char *compiledVersion() {
  return TORCH_VERSION;
}

const char *configuration() {
  static const std::string text = at::show_config();
  return text.c_str();
}

const char *blas() {
  static const std::string text = [] {
    if (auto config = engineSymbol<char *(*)()>("openblas_get_config")) return std::string(config());
    if (engineSymbol<void *>("MKL_Get_Version")) return std::string("MKL");
    return std::string("reference");
  }();
  return text.c_str();
}

/// The free memory of a GPU, according to CUDA's runtime; libtorch has loaded the runtime if there is a GPU.
int64_t gpuFreeMemory(int32_t device) {
  using Select = int (*)(int);
  using Ask = int (*)(size_t *, size_t *);
  const auto select = engineSymbol<Select>("cudaSetDevice");
  const auto ask = engineSymbol<Ask>("cudaMemGetInfo");
  size_t free = 0, total = 0;
  return select && ask && select(device) == 0 && ask(&free, &total) == 0 ? int64_t(free) : -1;
}

int32_t gpuCount() {
  return answered(0, [] {
    return at::globalContext().hasCUDA() ? int(c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount()) : 0;
  });
}

const CTorchEngine engine = {
    .table_version = CTORCH_TABLE_VERSION,
    .table_size = sizeof(CTorchEngine),
    .compiled_version = compiledVersion,
    .configuration = configuration,
    .blas = blas,
    .last_error = []() { return lastError().c_str(); },
    .last_error_was_memory = []() { return lastErrorWasMemory(); },
    .set_threads = [](int32_t threads) { attempted([&] { setThreads(threads); }); },
    .set_process_threads = [](int32_t threads) { attempted([&] { setProcessThreads(threads); }); },
    .threads = []() { return int32_t(at::get_num_threads()); },
    .grad_enabled = []() { return c10::GradMode::is_enabled(); },
    .set_grad_enabled = [](bool enabled) { c10::GradMode::set_enabled(enabled); },
    .release = [](Handle t) { delete t; },
    .rank = [](Handle t) { return answered(int64_t(-1), [&] { return t->value.dim(); }); },
    .size = [](Handle t, int64_t dim) { return answered(int64_t(-1), [&] { return t->value.size(dim); }); },
    .dtype = [](Handle t) { return answered(int32_t(-1), [&] { return int32_t(t->value.scalar_type()); }); },
    .requires_grad = [](Handle t) { return answered(false, [&] { return t->value.requires_grad(); }); },
    .is_contiguous = [](Handle t) { return answered(false, [&] { return t->value.is_contiguous(); }); },
    .data = [](Handle t) { return answered(static_cast<void *>(nullptr), [&] { return t->value.data_ptr(); }); },
    .item = [](Handle t, bool *ok) {
      double result = 0;
      *ok = attempted([&] { result = t->value.item().toDouble(); });
      return result;
    },
    .empty = [](const int64_t *sizes, size_t rank, int32_t dtype) {
      return guarded([&] { return at::empty(sizesOf(sizes, rank), typeOf(dtype)); });
    },
    .full = [](const int64_t *sizes, size_t rank, double value, int32_t dtype) {
      return guarded([&] { return at::full(sizesOf(sizes, rank), value, typeOf(dtype)); });
    },
    .from_bytes = [](const void *bytes, const int64_t *sizes, size_t rank, int32_t dtype) {
      return guarded([&] {
        // Elements that come from outside are a constant of what is being recorded, not an empty tensor.
        at::tracer::impl::NoTracerDispatchMode unrecorded;
        at::Tensor result = at::empty(sizesOf(sizes, rank), typeOf(dtype));
        if (result.nbytes() > 0) std::memcpy(result.data_ptr(), bytes, result.nbytes());
        return result;
      });
    },
    .arange = [](int64_t count) { return guarded([&] { return at::arange(count, at::kLong); }); },
    .eye = [](int64_t count) { return guarded([&] { return at::eye(count); }); },
    .generator = [](uint64_t seed) -> CTorchGenerator * {
      CTorchGenerator *result = nullptr;
      attempted([&] { result = new CTorchGenerator{at::detail::createCPUGenerator(seed)}; });
      return result;
    },
    .generator_release = [](CTorchGenerator *g) { delete g; },
    .generator_state = [](CTorchGenerator *g) { return guarded([&] { return g->value.get_state(); }); },
    .generator_restore = [](CTorchGenerator *g, Handle state) {
      return attempted([&] { g->value.set_state(state->value); });
    },
    .uniform = [](const int64_t *sizes, size_t rank, double low, double high, CTorchGenerator *g) {
      return guarded([&] { return at::empty(sizesOf(sizes, rank)).uniform_(low, high, g->value); });
    },
    .normal = [](const int64_t *sizes, size_t rank, double mean, double std, CTorchGenerator *g) {
      return guarded([&] { return at::empty(sizesOf(sizes, rank)).normal_(mean, std, g->value); });
    },
    .randint = [](int64_t high, int64_t count, CTorchGenerator *g) {
      return guarded([&] { return at::randint(high, {count}, g->value, at::kLong); });
    },
    .randperm = [](int64_t count, CTorchGenerator *g) {
      return guarded([&] { return at::randperm(count, g->value, at::kLong); });
    },
    .dropout = [](Handle t, double probability, CTorchGenerator *g) {
      return guarded([&] {
        return t->value * dropoutMask(t->value.sizes(), probability, g->value).to(t->value.options());
      });
    },
    .multinomial = [](Handle t, int64_t count, bool replacement, CTorchGenerator *g) {
      return guarded([&] { return at::multinomial(t->value, count, replacement, g->value); });
    },
    .set_requires_grad = [](Handle t, bool value) { return attempted([&] { t->value.set_requires_grad(value); }); },
    .backward = [](Handle t) { return attempted([&] { t->value.backward(); }); },
    .grad = [](Handle t) -> Handle {
      return answered(Handle(nullptr), [&] {
        return t->value.grad().defined() ? new CTorchTensor{t->value.grad()} : nullptr;
      });
    },
    .clear_grad = [](Handle t) { attempted([&] { t->value.mutable_grad() = at::Tensor(); }); },
    .detach = [](Handle t) { return guarded([&] { return t->value.detach(); }); },
    .add = [](Handle a, Handle b) { return guarded([&] { return at::add(a->value, b->value); }); },
    .subtract = [](Handle a, Handle b) { return guarded([&] { return at::sub(a->value, b->value); }); },
    .multiply = [](Handle a, Handle b) { return guarded([&] { return at::mul(a->value, b->value); }); },
    .divide = [](Handle a, Handle b) { return guarded([&] { return at::div(a->value, b->value); }); },
    .power = [](Handle a, Handle b) { return guarded([&] { return at::pow(a->value, b->value); }); },
    .maximum = [](Handle a, Handle b) { return guarded([&] { return at::maximum(a->value, b->value); }); },
    .minimum = [](Handle a, Handle b) { return guarded([&] { return at::minimum(a->value, b->value); }); },
    .equal = [](Handle a, Handle b) { return guarded([&] { return at::eq(a->value, b->value); }); },
    .not_equal = [](Handle a, Handle b) { return guarded([&] { return at::ne(a->value, b->value); }); },
    .less = [](Handle a, Handle b) { return guarded([&] { return at::lt(a->value, b->value); }); },
    .less_equal = [](Handle a, Handle b) { return guarded([&] { return at::le(a->value, b->value); }); },
    .greater = [](Handle a, Handle b) { return guarded([&] { return at::gt(a->value, b->value); }); },
    .greater_equal = [](Handle a, Handle b) { return guarded([&] { return at::ge(a->value, b->value); }); },
    .logical_and = [](Handle a, Handle b) { return guarded([&] { return at::logical_and(a->value, b->value); }); },
    .logical_or = [](Handle a, Handle b) { return guarded([&] { return at::logical_or(a->value, b->value); }); },
    .add_scalar = [](Handle t, double s) { return guarded([&] { return at::add(t->value, s); }); },
    .multiply_scalar = [](Handle t, double s) { return guarded([&] { return at::mul(t->value, s); }); },
    .power_scalar = [](Handle t, double s) { return guarded([&] { return at::pow(t->value, s); }); },
    .clamp_min = [](Handle t, double s) { return guarded([&] { return at::clamp_min(t->value, s); }); },
    .clamp_max = [](Handle t, double s) { return guarded([&] { return at::clamp_max(t->value, s); }); },
    .equal_scalar = [](Handle t, double s) { return guarded([&] { return at::eq(t->value, s); }); },
    .less_scalar = [](Handle t, double s) { return guarded([&] { return at::lt(t->value, s); }); },
    .greater_scalar = [](Handle t, double s) { return guarded([&] { return at::gt(t->value, s); }); },
    .greater_equal_scalar = [](Handle t, double s) { return guarded([&] { return at::ge(t->value, s); }); },
    .negate = [](Handle t) { return guarded([&] { return at::neg(t->value); }); },
    .exp = [](Handle t) { return guarded([&] { return at::exp(t->value); }); },
    .log = [](Handle t) { return guarded([&] { return at::log(t->value); }); },
    .log1p = [](Handle t) { return guarded([&] { return at::log1p(t->value); }); },
    .sqrt = [](Handle t) { return guarded([&] { return at::sqrt(t->value); }); },
    .rsqrt = [](Handle t) { return guarded([&] { return at::rsqrt(t->value); }); },
    .reciprocal = [](Handle t) { return guarded([&] { return at::reciprocal(t->value); }); },
    .abs = [](Handle t) { return guarded([&] { return at::abs(t->value); }); },
    .sign = [](Handle t) { return guarded([&] { return at::sign(t->value); }); },
    .square = [](Handle t) { return guarded([&] { return at::square(t->value); }); },
    .floor = [](Handle t) { return guarded([&] { return at::floor(t->value); }); },
    .tanh = [](Handle t) { return guarded([&] { return at::tanh(t->value); }); },
    .relu = [](Handle t) { return guarded([&] { return at::relu(t->value); }); },
    .relu6 = [](Handle t) { return guarded([&] { return at::hardtanh(t->value, 0, 6); }); },
    .sigmoid = [](Handle t) { return guarded([&] { return at::sigmoid(t->value); }); },
    .softplus = [](Handle t) { return guarded([&] { return at::softplus(t->value); }); },
    .logical_not = [](Handle t) { return guarded([&] { return at::logical_not(t->value); }); },
    .isnan = [](Handle t) { return guarded([&] { return at::isnan(t->value); }); },
    .isfinite = [](Handle t) { return guarded([&] { return at::isfinite(t->value); }); },
    .where = [](Handle condition, Handle a, Handle b) {
      return guarded([&] { return at::where(condition->value, a->value, b->value); });
    },
    .masked_fill = [](Handle t, Handle mask, double value) {
      return guarded([&] { return at::masked_fill(t->value, mask->value, value); });
    },
    .copy_in = [](Handle t, Handle source) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        t->value.copy_(source->value);
      });
    },
    .add_in = [](Handle t, Handle other, double alpha) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        t->value.add_(other->value, alpha);
      });
    },
    .multiply_in = [](Handle t, double s) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        t->value.mul_(s);
      });
    },
    .fill_in = [](Handle t, double s) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        t->value.fill_(s);
      });
    },
    .relu6_in = [](Handle t) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        if (t->value.scalar_type() == at::kBFloat16) {
          t->value.view(at::kShort).clamp_(0, bfloat16Six);
        } else {
          at::hardtanh_(t->value, 0, 6);
        }
      });
    },
    .relu_in = [](Handle t) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        if (t->value.scalar_type() == at::kBFloat16) {
          t->value.view(at::kShort).clamp_(0);
        } else {
          at::relu_(t->value);
        }
      });
    },
    .index_add_in = [](Handle t, int64_t dim, Handle index, Handle source) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        t->value.index_add_(dim, index->value, source->value);
      });
    },
    .index_copy_in = [](Handle t, int64_t dim, Handle index, Handle source) {
      return attempted([&] {
        c10::NoGradGuard untraced;
        t->value.index_copy_(dim, index->value, source->value);
      });
    },
    .sum_all = [](Handle t) { return guarded([&] { return at::sum(t->value); }); },
    .mean_all = [](Handle t) { return guarded([&] { return at::mean(t->value); }); },
    .sum = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::sum(t->value, at::IntArrayRef(dim), keep); });
    },
    .mean = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::mean(t->value, at::IntArrayRef(dim), keep); });
    },
    .amax = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::amax(t->value, at::IntArrayRef(dim), keep); });
    },
    .amin = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::amin(t->value, at::IntArrayRef(dim), keep); });
    },
    .argmax = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::argmax(t->value, dim, keep); });
    },
    .argmin = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::argmin(t->value, dim, keep); });
    },
    .norm = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::norm(t->value, 2, at::IntArrayRef(dim), keep); });
    },
    .logsumexp = [](Handle t, int64_t dim, bool keep) {
      return guarded([&] { return at::logsumexp(t->value, at::IntArrayRef(dim), keep); });
    },
    .any = [](Handle t, int64_t dim, bool keep) { return guarded([&] { return at::any(t->value, dim, keep); }); },
    .softmax = [](Handle t, int64_t dim) { return guarded([&] { return at::softmax(t->value, dim); }); },
    .log_softmax = [](Handle t, int64_t dim) { return guarded([&] { return at::log_softmax(t->value, dim); }); },
    .cumsum = [](Handle t, int64_t dim) { return guarded([&] { return at::cumsum(t->value, dim); }); },
    .bincount = [](Handle t, Handle weights, int64_t minLength) {
      return guarded([&] { return at::bincount(t->value, optional(weights), minLength); });
    },
    .topk = [](Handle t, int64_t k, int64_t dim, bool largest, Handle *values, Handle *indices) {
      return attempted([&] { give(values, indices, at::topk(t->value, k, dim, largest, true)); });
    },
    .sort = [](Handle t, int64_t dim, bool descending, Handle *values, Handle *indices) {
      // Stable, so that equal values keep their order and results repeat.
      return attempted([&] { give(values, indices, at::sort(t->value, true, dim, descending)); });
    },
    .reshape = [](Handle t, const int64_t *sizes, size_t rank) {
      return guarded([&] { return at::reshape(t->value, sizesOf(sizes, rank)); });
    },
    .expand = [](Handle t, const int64_t *sizes, size_t rank) {
      return guarded([&] { return t->value.expand(sizesOf(sizes, rank)); });
    },
    .permute = [](Handle t, const int64_t *sizes, size_t rank) {
      return guarded([&] { return t->value.permute(sizesOf(sizes, rank)); });
    },
    .transpose = [](Handle t, int64_t a, int64_t b) {
      return guarded([&] { return at::transpose(t->value, a, b); });
    },
    .unsqueeze = [](Handle t, int64_t dim) { return guarded([&] { return at::unsqueeze(t->value, dim); }); },
    .squeeze = [](Handle t, int64_t dim) { return guarded([&] { return at::squeeze(t->value, dim); }); },
    .narrow = [](Handle t, int64_t dim, int64_t start, int64_t count) {
      return guarded([&] { return at::narrow(t->value, dim, start, count); });
    },
    .select = [](Handle t, int64_t dim, int64_t index) {
      return guarded([&] { return at::select(t->value, dim, index); });
    },
    .index_select = [](Handle t, int64_t dim, Handle index) {
      return guarded([&] { return at::index_select(t->value, dim, index->value); });
    },
    .gather = [](Handle t, int64_t dim, Handle index) {
      return guarded([&] { return at::gather(t->value, dim, index->value); });
    },
    .scatter = [](Handle t, int64_t dim, Handle index, Handle source) {
      return guarded([&] { return at::scatter(t->value, dim, index->value, source->value); });
    },
    .one_hot = [](Handle t, int64_t classes) { return guarded([&] { return at::one_hot(t->value, classes); }); },
    .nonzero = [](Handle t) { return guarded([&] { return at::nonzero(t->value); }); },
    .concatenate = [](CTorchTensor *const *tensors, size_t count, int64_t dim) {
      return guarded([&] { return at::cat(list(tensors, count), dim); });
    },
    .stack = [](CTorchTensor *const *tensors, size_t count, int64_t dim) {
      return guarded([&] { return at::stack(list(tensors, count), dim); });
    },
    .contiguous = [](Handle t) { return guarded([&] { return t->value.contiguous(); }); },
    .channels_last = [](Handle t) {
      return guarded([&] { return t->value.contiguous(at::MemoryFormat::ChannelsLast); });
    },
    .clone = [](Handle t) { return guarded([&] { return t->value.clone(); }); },
    .to = [](Handle t, int32_t dtype) { return guarded([&] { return t->value.to(typeOf(dtype)); }); },
    .matmul = [](Handle a, Handle b) { return guarded([&] { return product(a->value, b->value); }); },
    .linear = [](Handle t, Handle weight, Handle bias) {
      return guarded([&] { return affine(t->value, weight->value, optional(bias)); });
    },
    .qr = [](Handle t, Handle *q, Handle *r) {
      return attempted([&] { give(q, r, at::linalg_qr(t->value, "reduced")); });
    },
    .eigh = [](Handle t, Handle *values, Handle *vectors) {
      return attempted([&] { give(values, vectors, at::linalg_eigh(t->value, "L")); });
    },
    .solve = [](Handle a, Handle b) { return guarded([&] { return at::linalg_solve(a->value, b->value); }); },
    .conv2d = [](Handle t, Handle weight, Handle bias, int64_t stride, int64_t padding, int64_t groups) {
      return guarded([&] {
        return at::conv2d(t->value, weight->value, optional(bias), stride, padding, 1, groups);
      });
    },
    .batch_norm = [](Handle t, Handle weight, Handle bias, Handle mean, Handle variance, bool training, double momentum,
       double eps) {
      return guarded([&] {
        return at::batch_norm(t->value, weight->value, bias->value, mean->value, variance->value, training, momentum,
                              eps, false);
      });
    },
    .depthwise = [](Handle t, Handle weight, int64_t stride, int64_t before, int64_t after) {
      return guarded([&] { return depthwise(t->value, weight->value, stride, before, after); });
    },
    .norm_activation = [](Handle t, Handle shortcut, Handle weight, Handle bias, Handle mean, Handle variance,
       bool training, double momentum, double eps, int64_t activation) {
      return guarded([&] {
        return normActivation(t->value, shortcut ? shortcut->value : at::Tensor(), weight->value, bias->value,
                              mean->value, variance->value, training, momentum, eps, activation);
      });
    },
    .max_pool2d = [](Handle t, int64_t kernel, int64_t stride, int64_t padding) {
      return guarded([&] { return at::max_pool2d(t->value, kernel, stride, padding); });
    },
    .pad2d = [](Handle t, int64_t left, int64_t right, int64_t top, int64_t bottom) {
      return guarded([&] { return at::constant_pad_nd(t->value, {left, right, top, bottom}, 0); });
    },
    .layer_norm = [](Handle t, Handle weight, Handle bias, double eps) {
      return guarded([&] {
        return at::layer_norm(t->value, {t->value.size(-1)}, optional(weight), optional(bias), eps);
      });
    },
    .gelu = [](Handle t, bool tanh) {
      return guarded([&] { return at::gelu(t->value, tanh ? "tanh" : "none"); });
    },
    .attention = [](Handle q, Handle k, Handle v) {
      return guarded([&] { return attention(q->value, k->value, v->value); });
    },
    .sgd_step = [](Handle parameter, Handle gradient, Handle momentumBuffer, double rate, double momentum,
       double weightDecay, bool nesterov) {
      return attempted([&] {
        sgdStep(parameter->value, gradient->value, momentumBuffer->value, rate, momentum, weightDecay, nesterov);
      });
    },
    .adamw_step = [](Handle parameter, Handle gradient, Handle mean, Handle variance, double rate, double beta1,
                     double beta2, double eps, double weightDecay, int64_t step) {
      return attempted([&] {
        adamwStep(parameter->value, gradient->value, mean->value, variance->value, rate, beta1, beta2, eps,
                  weightDecay, step);
      });
    },
    .trace = [](Handle example, CTorchForward forward, void *context, CTorchTensor *const *parameters,
                const char *names, const char *about) {
      return guarded([&] {
        Parameters named;
        std::istringstream lines(names);
        for (std::string name; std::getline(lines, name);) named.emplace_back(name, (*parameters++)->value);
        const auto step = [&](const at::Tensor &input) {
          Handle output = forward(context, new CTorchTensor{input});
          if (!output) throw std::runtime_error(lastError());
          return output->value;
        };
        return traced(example->value, step, named, about);
      });
    },
    .run_script = [](Handle bytes, Handle input) { return guarded([&] { return runScript(bytes->value, input->value); }); },
    .program_load = [](const char *path, int32_t dtype, int32_t device) {
      return answered(static_cast<CTorchProgram *>(nullptr), [&] { return loadProgram(path, dtype, device); });
    },
    .program_release = releaseProgram,
    .program_about = [](CTorchProgram *program) { return guarded([&] { return aboutProgram(*program); }); },
    .program_run = [](CTorchProgram *program, Handle input) {
      return guarded([&] { return runProgram(*program, input->value); });
    },
    .gpu_count = gpuCount,
    .gpu_free_memory = gpuFreeMemory,
    .device = [](Handle t) {
      return answered(int32_t(-1), [&] { return t->value.is_cpu() ? -1 : int32_t(t->value.get_device()); });
    },
    .to_device = [](Handle t, int32_t device) { return guarded([&] { return t->value.to(deviceOf(device)); }); },
};

}  // namespace
}  // namespace cleannet

extern "C" __attribute__((visibility("default"))) const CTorchEngine *cleannet_engine(void) {
  cleannet::divideWork();
  return &cleannet::engine;
}

extern "C" __attribute__((visibility("default"))) size_t cleannet_engine_size(void) {
  return sizeof(CTorchEngine);
}
