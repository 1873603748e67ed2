// The engine's function table: everything that Swift may ask of libtorch, in C.
//
// libtorch brings 287 shared libraries with it (0.4 s, 160 MB). Verbs that compute nothing must not pay for that, so
// the code that includes libtorch's headers lives in a shared library of its own, and this header describes the table
// of functions which that library hands out when it is opened on first use.
//
// Conventions: a function that returns a tensor returns a new handle that the caller releases, or NULL after an error,
// whose text `last_error` gives (per thread). Functions that return nothing set the error text too; `ok` tells.
#ifndef CLEANNET_CTORCH_H
#define CLEANNET_CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef __clang__
// Swift is told which pointers may be NULL; other compilers have no words for it.
#define _Nullable
#define _Nonnull
#endif

typedef struct CTorchTensor CTorchTensor;
typedef struct CTorchGenerator CTorchGenerator;
typedef struct CTorchProgram CTorchProgram;

// Other compilers know no nullability.
#ifndef __clang__
#define _Nullable
#define _Nonnull
#endif

#ifdef __clang__
#pragma clang assume_nonnull begin
#endif

/// Goes up by one whenever the table changes.
#define CTORCH_TABLE_VERSION 5

typedef CTorchTensor *_Nullable (*_Nonnull CTorchUnary)(CTorchTensor *);
typedef CTorchTensor *_Nullable (*_Nonnull CTorchBinary)(CTorchTensor *, CTorchTensor *);
typedef CTorchTensor *_Nullable (*_Nonnull CTorchScalar)(CTorchTensor *, double);
typedef CTorchTensor *_Nullable (*_Nonnull CTorchReduce)(CTorchTensor *, int64_t dim, bool keepDim);
typedef CTorchTensor *_Nullable (*_Nonnull CTorchAlong)(CTorchTensor *, int64_t dim);
typedef CTorchTensor *_Nullable (*_Nonnull CTorchForward)(void *context, CTorchTensor *input);
typedef CTorchTensor *_Nullable (*_Nonnull CTorchShaped)(CTorchTensor *, const int64_t *sizes, size_t rank);

/// Element types, in ATen's own numbering (`c10::ScalarType`).
enum CTorchDType {
  CTorchUInt8 = 0,
  CTorchInt32 = 3,
  CTorchInt64 = 4,
  CTorchFloat16 = 5,
  CTorchFloat32 = 6,
  CTorchFloat64 = 7,
  CTorchBool = 11,
  CTorchBFloat16 = 15
};

typedef struct CTorchEngine {
  /// `CTORCH_TABLE_VERSION` and the table's size in bytes, of the header that the engine was compiled with: its first
  /// two words for ever, since the program compares them before it calls anything.
  uint32_t table_version;
  uint32_t table_size;

  // The engine itself.
  const char *_Nonnull (*_Nonnull compiled_version)(void);
  const char *_Nonnull (*_Nonnull configuration)(void);
  const char *_Nonnull (*_Nonnull blas)(void);
  const char *_Nonnull (*_Nonnull last_error)(void);
  /// Whether the calling thread's last error was that memory, of the machine or of a device, was too small.
  bool (*_Nonnull last_error_was_memory)(void);
  void (*_Nonnull set_threads)(int32_t threads);
  void (*_Nonnull set_process_threads)(int32_t threads);
  int32_t (*_Nonnull threads)(void);
  bool (*_Nonnull grad_enabled)(void);
  void (*_Nonnull set_grad_enabled)(bool enabled);

  // Lifetime and facts.
  void (*_Nonnull release)(CTorchTensor *);
  int64_t (*_Nonnull rank)(CTorchTensor *);
  int64_t (*_Nonnull size)(CTorchTensor *, int64_t dim);
  int32_t (*_Nonnull dtype)(CTorchTensor *);
  bool (*_Nonnull requires_grad)(CTorchTensor *);
  bool (*_Nonnull is_contiguous)(CTorchTensor *);
  void *_Nullable (*_Nonnull data)(CTorchTensor *);
  double (*_Nonnull item)(CTorchTensor *, bool *ok);

  // Creation.
  CTorchTensor *_Nullable (*_Nonnull empty)(const int64_t *sizes, size_t rank, int32_t dtype);
  CTorchTensor *_Nullable (*_Nonnull full)(const int64_t *sizes, size_t rank, double value, int32_t dtype);
  CTorchTensor *_Nullable (*_Nonnull from_bytes)(const void *bytes, const int64_t *sizes, size_t rank, int32_t dtype);
  CTorchTensor *_Nullable (*_Nonnull arange)(int64_t count);
  CTorchTensor *_Nullable (*_Nonnull eye)(int64_t count);

  // Random numbers.
  CTorchGenerator *_Nullable (*_Nonnull generator)(uint64_t seed);
  void (*_Nonnull generator_release)(CTorchGenerator *);
  CTorchTensor *_Nullable (*_Nonnull generator_state)(CTorchGenerator *);
  bool (*_Nonnull generator_restore)(CTorchGenerator *, CTorchTensor *);
  CTorchTensor *_Nullable (*_Nonnull uniform)(const int64_t *sizes, size_t rank, double low, double high, CTorchGenerator *);
  CTorchTensor *_Nullable (*_Nonnull normal)(const int64_t *sizes, size_t rank, double mean, double std, CTorchGenerator *);
  CTorchTensor *_Nullable (*_Nonnull randint)(int64_t high, int64_t count, CTorchGenerator *);
  CTorchTensor *_Nullable (*_Nonnull randperm)(int64_t count, CTorchGenerator *);
  CTorchTensor *_Nullable (*_Nonnull dropout)(CTorchTensor *, double probability, CTorchGenerator *);
  CTorchTensor *_Nullable (*_Nonnull multinomial)(CTorchTensor *, int64_t count, bool replacement, CTorchGenerator *);

  // Autograd.
  bool (*_Nonnull set_requires_grad)(CTorchTensor *, bool);
  bool (*_Nonnull backward)(CTorchTensor *);
  CTorchTensor *_Nullable (*_Nonnull grad)(CTorchTensor *);
  void (*_Nonnull clear_grad)(CTorchTensor *);
  CTorchUnary detach;

  // Element by element.
  CTorchBinary add, subtract, multiply, divide, power, maximum, minimum;
  CTorchBinary equal, not_equal, less, less_equal, greater, greater_equal, logical_and, logical_or;
  CTorchScalar add_scalar, multiply_scalar, power_scalar, clamp_min, clamp_max;
  CTorchScalar equal_scalar, less_scalar, greater_scalar, greater_equal_scalar;
  CTorchUnary negate, exp, log, log1p, sqrt, rsqrt, reciprocal, abs, sign, square, floor;
  CTorchUnary tanh, relu, relu6, sigmoid, softplus, logical_not, isnan, isfinite;
  CTorchTensor *_Nullable (*_Nonnull where)(CTorchTensor *, CTorchTensor *, CTorchTensor *);
  CTorchTensor *_Nullable (*_Nonnull masked_fill)(CTorchTensor *, CTorchTensor *mask, double value);

  // In place, without a trace in the graph.
  bool (*_Nonnull copy_in)(CTorchTensor *, CTorchTensor *);
  bool (*_Nonnull add_in)(CTorchTensor *, CTorchTensor *, double alpha);
  bool (*_Nonnull multiply_in)(CTorchTensor *, double);
  bool (*_Nonnull fill_in)(CTorchTensor *, double);
  bool (*_Nonnull relu6_in)(CTorchTensor *);
  bool (*_Nonnull relu_in)(CTorchTensor *);
  bool (*_Nonnull index_add_in)(CTorchTensor *, int64_t dim, CTorchTensor *index, CTorchTensor *source);
  bool (*_Nonnull index_copy_in)(CTorchTensor *, int64_t dim, CTorchTensor *index, CTorchTensor *source);

  // Reductions.
  CTorchUnary sum_all, mean_all;
  CTorchReduce sum, mean, amax, amin, argmax, argmin, norm, logsumexp, any;
  CTorchAlong softmax, log_softmax, cumsum;
  CTorchTensor *_Nullable (*_Nonnull bincount)(CTorchTensor *, CTorchTensor *_Nullable weights, int64_t minLength);
  bool (*_Nonnull topk)(CTorchTensor *, int64_t k, int64_t dim, bool largest, CTorchTensor *_Nullable *_Nonnull values,
               CTorchTensor *_Nullable *_Nonnull indices);
  bool (*_Nonnull sort)(CTorchTensor *, int64_t dim, bool descending, CTorchTensor *_Nullable *_Nonnull values,
               CTorchTensor *_Nullable *_Nonnull indices);

  // Shapes and choice.
  CTorchShaped reshape, expand, permute;
  CTorchTensor *_Nullable (*_Nonnull transpose)(CTorchTensor *, int64_t, int64_t);
  CTorchAlong unsqueeze, squeeze;
  CTorchTensor *_Nullable (*_Nonnull narrow)(CTorchTensor *, int64_t dim, int64_t start, int64_t count);
  CTorchTensor *_Nullable (*_Nonnull select)(CTorchTensor *, int64_t dim, int64_t index);
  CTorchTensor *_Nullable (*_Nonnull index_select)(CTorchTensor *, int64_t dim, CTorchTensor *index);
  CTorchTensor *_Nullable (*_Nonnull gather)(CTorchTensor *, int64_t dim, CTorchTensor *index);
  CTorchTensor *_Nullable (*_Nonnull scatter)(CTorchTensor *, int64_t dim, CTorchTensor *index, CTorchTensor *source);
  CTorchTensor *_Nullable (*_Nonnull one_hot)(CTorchTensor *, int64_t classes);
  CTorchTensor *_Nullable (*_Nonnull nonzero)(CTorchTensor *);
  CTorchTensor *_Nullable (*_Nonnull concatenate)(CTorchTensor *_Nonnull const *_Nonnull tensors, size_t count, int64_t dim);
  CTorchTensor *_Nullable (*_Nonnull stack)(CTorchTensor *_Nonnull const *_Nonnull tensors, size_t count, int64_t dim);
  CTorchUnary contiguous, channels_last, clone;
  CTorchTensor *_Nullable (*_Nonnull to)(CTorchTensor *, int32_t dtype);

  // Linear algebra.
  CTorchBinary matmul;
  CTorchTensor *_Nullable (*_Nonnull linear)(CTorchTensor *, CTorchTensor *weight, CTorchTensor *_Nullable bias);
  bool (*_Nonnull qr)(CTorchTensor *, CTorchTensor *_Nullable *_Nonnull q, CTorchTensor *_Nullable *_Nonnull r);
  bool (*_Nonnull eigh)(CTorchTensor *, CTorchTensor *_Nullable *_Nonnull values, CTorchTensor *_Nullable *_Nonnull vectors);
  CTorchBinary solve;

  // Networks.
  CTorchTensor *_Nullable (*_Nonnull conv2d)(CTorchTensor *, CTorchTensor *weight, CTorchTensor *_Nullable bias,
                                    int64_t stride, int64_t padding, int64_t groups);
  CTorchTensor *_Nullable (*_Nonnull batch_norm)(CTorchTensor *, CTorchTensor *weight, CTorchTensor *bias,
                                        CTorchTensor *mean, CTorchTensor *variance, bool training, double momentum,
                                        double eps);
  CTorchTensor *_Nullable (*_Nonnull depthwise)(CTorchTensor *, CTorchTensor *weight, int64_t stride, int64_t before,
                                       int64_t after);
  CTorchTensor *_Nullable (*_Nonnull norm_activation)(CTorchTensor *, CTorchTensor *_Nullable shortcut, CTorchTensor *weight,
                                             CTorchTensor *bias, CTorchTensor *mean, CTorchTensor *variance,
                                             bool training, double momentum, double eps, int64_t activation);
  CTorchTensor *_Nullable (*_Nonnull max_pool2d)(CTorchTensor *, int64_t kernel, int64_t stride, int64_t padding);
  CTorchTensor *_Nullable (*_Nonnull pad2d)(CTorchTensor *, int64_t left, int64_t right, int64_t top, int64_t bottom);

  /// Over the last dimension; weight and bias `[D]`, of the input's type.
  CTorchTensor *_Nullable (*_Nonnull layer_norm)(CTorchTensor *, CTorchTensor *_Nullable weight,
                                        CTorchTensor *_Nullable bias, double eps);
  CTorchTensor *_Nullable (*_Nonnull gelu)(CTorchTensor *, bool tanh);
  /// `softmax(q kᵀ / √d) v`, of `[N, H, T, d]`.
  CTorchTensor *_Nullable (*_Nonnull attention)(CTorchTensor *q, CTorchTensor *k, CTorchTensor *v);

  // Optimizers: one pass over memory for each parameter (f32, contiguous).
  bool (*_Nonnull sgd_step)(CTorchTensor *parameter, CTorchTensor *gradient, CTorchTensor *momentumBuffer, double rate,
                   double momentum, double weightDecay, bool nesterov);
  bool (*_Nonnull adamw_step)(CTorchTensor *parameter, CTorchTensor *gradient, CTorchTensor *mean, CTorchTensor *variance,
                     double rate, double beta1, double beta2, double eps, double weightDecay, int64_t step);

  // TorchScript: the program's bytes as a tensor, uint8. `forward` returns a handle that stays its own, or
  // NULL; each parameter has its line in `names`.
  CTorchTensor *_Nullable (*_Nonnull trace)(CTorchTensor *example, CTorchForward forward, void *context,
                                   CTorchTensor *_Nonnull const *_Nonnull parameters,
                                   const char *names, const char *about);
  CTorchTensor *_Nullable (*_Nonnull run_script)(CTorchTensor *bytes, CTorchTensor *input);

  /// A program of a file, ready to be run from several threads, its weights as they are or of a type (−1: as they are).
  CTorchProgram *_Nullable (*_Nonnull program_load)(const char *path, int32_t dtype, int32_t device);
  void (*_Nonnull program_release)(CTorchProgram *);
  /// The file's `cleannet.json` as uint8 (empty where it has none).
  CTorchTensor *_Nullable (*_Nonnull program_about)(CTorchProgram *);
  /// The program's result for a tensor; of several results the first, or the pooled one.
  CTorchTensor *_Nullable (*_Nonnull program_run)(CTorchProgram *, CTorchTensor *input);

  // Devices: −1 is the CPU, n the n-th GPU (CUDA).
  int32_t (*_Nonnull gpu_count)(void);
  /// Free bytes of a GPU's memory; −1 where that cannot be told.
  int64_t (*_Nonnull gpu_free_memory)(int32_t device);
  int32_t (*_Nonnull device)(CTorchTensor *);
  CTorchTensor *_Nullable (*_Nonnull to_device)(CTorchTensor *, int32_t device);
} CTorchEngine;

/// The symbols that the engine library exports: `cleannet_engine`, its table, and `cleannet_engine_size`, the table's
/// size in bytes, which tells the engine of another version of the program before its table is used.
typedef const CTorchEngine *_Nonnull (*_Nonnull CTorchEngineEntry)(void);
typedef size_t (*_Nonnull CTorchEngineSize)(void);

/// The table of an opened engine library, a handle of `dlopen`; NULL if it is none, or one of another version.
const CTorchEngine *_Nullable ctorch_engine(void *library);

/// Whether a table is of this header's version. Reads nothing but its first two words.
bool ctorch_table_fits(const void *table);

/// Whether memory that the process frees stays with it for what it allocates next, or, as usual, large pieces go back to
/// the system at once. Of the whole process; the end of it gives back what is free.
void ctorch_keep_freed_memory(bool keep);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif

#ifdef __cplusplus
}
#endif
#endif
