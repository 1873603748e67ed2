// The parts that the engine's files share: handles, and the border that no C++ exception crosses.
#pragma once

#include <ATen/ATen.h>
#include <CTorch.h>

#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

struct CTorchTensor {
  at::Tensor value;
};

struct CTorchGenerator {
  at::Generator value;
};

namespace cleannet {

/// The text of this thread's last error.
std::string &lastError();

/// Whether this thread's last error was that memory, of the machine or of a device, was too small.
bool &lastErrorWasMemory();

/// Runs `body`; an exception becomes `fallback` and an error text.
template <class Value, class Body>
Value answered(Value fallback, Body &&body) {
  bool &memory = lastErrorWasMemory();
  try {
    return body();
  } catch (const c10::OutOfMemoryError &error) {
    lastError() = error.what_without_backtrace();
    memory = true;
    return fallback;
  } catch (const c10::Error &error) {
    lastError() = error.what_without_backtrace();
    // libtorch 1.13 has no type of its own for the memory of the machine, and programs wrap what went wrong inside.
    memory = lastError().find("t allocate memory") != std::string::npos ||
             lastError().find("out of memory") != std::string::npos;
    return fallback;
  } catch (const std::exception &error) {
    lastError() = error.what();
  } catch (...) {
    lastError() = "unknown C++ exception";
  }
  memory = lastError().find("out of memory") != std::string::npos;
  return fallback;
}

/// Runs `body`; an exception becomes a NULL and an error text.
template <class Body>
CTorchTensor *guarded(Body &&body) {
  return answered<CTorchTensor *>(nullptr, [&] { return new CTorchTensor{body()}; });
}

/// Runs `body`; an exception becomes `false` and an error text.
template <class Body>
bool attempted(Body &&body) {
  return answered(false, [&] {
    body();
    return true;
  });
}

inline at::IntArrayRef sizesOf(const int64_t *sizes, size_t rank) {
  return at::IntArrayRef(sizes, rank);
}

inline at::ScalarType typeOf(int32_t dtype) {
  return static_cast<at::ScalarType>(dtype);
}

/// Makes the process ready for products on several threads; before any is computed.
void divideWork();

/// The number of threads for what the calling thread calls.
void setThreads(int32_t threads);

/// The same for the process: threads that compute for the first time begin with it.
void setProcessThreads(int32_t threads);

/// `a b`, as `at::matmul`. Without gradients the bits do not depend on the number of threads.
at::Tensor product(const at::Tensor &a, const at::Tensor &b);
void productInto(at::Tensor &result, const at::Tensor &a, const at::Tensor &b);

/// `input weightᵀ + bias`, as `at::linear`.
at::Tensor affine(const at::Tensor &input, const at::Tensor &weight, const c10::optional<at::Tensor> &bias);

/// Zeros with `probability`, else 1 / (1 − probability); the generator gives one word, a hash the rest.
at::Tensor dropoutMask(at::IntArrayRef sizes, double probability, at::Generator generator);

/// SGD with (Nesterov) momentum and L2 weight decay, as `torch.optim.SGD` (dampening 0), in one pass over memory.
void sgdStep(at::Tensor &parameter, const at::Tensor &gradient, at::Tensor &momentumBuffer, double rate,
             double momentum, double weightDecay, bool nesterov);

/// AdamW (Loshchilov & Hutter 2019): decoupled weight decay, as `torch.optim.AdamW`, in one pass over memory.
void adamwStep(at::Tensor &parameter, const at::Tensor &gradient, at::Tensor &mean, at::Tensor &variance,
               double rate, double beta1, double beta2, double eps, double weightDecay, int64_t step);

/// `act(batchNorm(input) + shortcut)`, in one step of the graph; activation 0: none, 1: ReLU, 2: ReLU6.
at::Tensor normActivation(const at::Tensor &input, const at::Tensor &shortcut, const at::Tensor &weight,
                          const at::Tensor &bias, const at::Tensor &mean, const at::Tensor &variance, bool training,
                          double momentum, double eps, int64_t activation);

/// A depthwise convolution of `[N, C, H, W]`, float32 or bfloat16, with a float32 filter `[C, 1, k, k]`, k 3 or 5: `before`
/// zeros on the left and at the top, `after` on the right and at the bottom.
at::Tensor depthwise(const at::Tensor &input, const at::Tensor &weight, int64_t stride, int64_t before,
                     int64_t after);

using Parameters = std::vector<std::pair<std::string, at::Tensor>>;

/// A TorchScript program (the bytes of its file) of what `forward` does with a tensor, recorded while it does so with
/// `example`. `about` lies in the file as `cleannet.json`.
at::Tensor traced(const at::Tensor &example, const std::function<at::Tensor(const at::Tensor &)> &forward,
                  const Parameters &parameters, const std::string &about);

/// A program's result for a tensor.
at::Tensor runScript(const at::Tensor &bytes, const at::Tensor &input);

/// `softmax(q kᵀ / √d) v`, of `[N, H, T, d]`.
at::Tensor attention(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v);

/// Opens a program's file; see CTorch.h.
CTorchProgram *loadProgram(const char *path, int32_t dtype, int32_t device);
void releaseProgram(CTorchProgram *program);
at::Tensor aboutProgram(const CTorchProgram &program);
at::Tensor runProgram(CTorchProgram &program, const at::Tensor &input);

inline at::Device deviceOf(int32_t device) {
  return device < 0 ? at::Device(at::kCPU) : at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device));
}

}  // namespace cleannet
