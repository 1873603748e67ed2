// LIBSVM (Chang & Lin 2011), opened at run time: two of the methods that CleanNet is compared with need it, and nothing
// else does. These are the parts of its C interface that are used here, the same in all versions 3;
// Scripts/check-libraries compares them with the headers.
#ifndef CLIBSVM_H
#define CLIBSVM_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// One element of a sparse vector; an index of -1 ends the vector.
struct svm_node {
  int index;
  double value;
};

struct svm_problem {
  /// The number of examples.
  int l;
  double *y;
  struct svm_node **x;
};

/// CONSTANT(name, value)
#define LIBSVM_CONSTANTS(CONSTANT) \
  CONSTANT(C_SVC, 0)               \
  CONSTANT(ONE_CLASS, 2)           \
  CONSTANT(PRECOMPUTED, 4)

struct svm_parameter {
  int svm_type, kernel_type;
  int degree;
  double gamma, coef0;
  /// In megabytes.
  double cache_size;
  double eps, C;
  int nr_weight;
  int *weight_label;
  double *weight;
  double nu, p;
  int shrinking, probability;
};

struct svm_model {
  struct svm_parameter param;
  int nr_class;
  /// The number of support vectors.
  int l;
  struct svm_node **SV;
  double **sv_coef;
  double *rho;
  double *probA, *probB;
  /// Which examples the support vectors are, counted from 1.
  int *sv_indices;
  int *label, *nSV;
  int free_sv;
};

/// FUNCTION(result, name, parameters)
#define LIBSVM_FUNCTIONS(FUNCTION)                                                                          \
  FUNCTION(struct svm_model *, svm_train, (const struct svm_problem *, const struct svm_parameter *))       \
  FUNCTION(const char *, svm_check_parameter, (const struct svm_problem *, const struct svm_parameter *))   \
  FUNCTION(void, svm_free_and_destroy_model, (struct svm_model **))                                         \
  FUNCTION(void, svm_set_print_string_function, (void (*)(const char *)))

#ifndef LIBSVM_NAMES_ONLY

#define CONSTANT(name, value) CLIBSVM_##name = value,
enum { LIBSVM_CONSTANTS(CONSTANT) };
#undef CONSTANT

/// Finds LIBSVM's functions in the library that `dlopen` gave, and keeps it from printing. Called once, before all else.
///
/// Returns the name of a function that the library lacks, or NULL.
const char *clibsvm_find(void *library);

// LIBSVM's functions of the same names, after `clibsvm_find` has found all.
const char *clibsvm_check_parameter(const struct svm_problem *problem, const struct svm_parameter *parameter);
struct svm_model *clibsvm_train(const struct svm_problem *problem, const struct svm_parameter *parameter);
void clibsvm_free(struct svm_model *model);

#endif

#ifdef __cplusplus
}
#endif
#endif
