#include "CLibSVM.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define MEMBER(result, name, parameters) result(*name) parameters;
/// LIBSVM's functions, under their own names.
static struct {
  LIBSVM_FUNCTIONS(MEMBER)
} libsvm;
#undef MEMBER

static void print_nothing(const char *text) { (void)text; }

/// Looks a function up and copies its address: C has no conversion between pointers to data and to functions.
static bool find(void *library, const char *name, void *place) {
  void *address = dlsym(library, name);
  memcpy(place, &address, sizeof address);
  return address != NULL;
}

const char *clibsvm_find(void *library) {
#define FIND(result, name, parameters) \
  if (!find(library, #name, &libsvm.name)) return #name;
  LIBSVM_FUNCTIONS(FIND)
#undef FIND
  libsvm.svm_set_print_string_function(print_nothing);
  return NULL;
}

const char *clibsvm_check_parameter(const struct svm_problem *problem, const struct svm_parameter *parameter) {
  return libsvm.svm_check_parameter(problem, parameter);
}

struct svm_model *clibsvm_train(const struct svm_problem *problem, const struct svm_parameter *parameter) {
  return libsvm.svm_train(problem, parameter);
}

void clibsvm_free(struct svm_model *model) { libsvm.svm_free_and_destroy_model(&model); }
