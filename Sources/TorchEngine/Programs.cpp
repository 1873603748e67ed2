#include "Engine.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstring>

// TorchScript programs of files: other people's networks.

struct CTorchProgram {
  torch::jit::Module module;
  std::string about;
};

namespace cleannet {

namespace {

/// The tensor that stands for an image among a program's results.
at::Tensor tensorOf(const c10::IValue &value) {
  if (value.isTensor()) return value.toTensor();
  if (value.isTuple() && !value.toTupleRef().elements().empty()) return tensorOf(value.toTupleRef().elements()[0]);
  if (value.isList() && !value.toListRef().empty()) return tensorOf(value.toListRef()[0]);
  if (value.isTensorList() && !value.toTensorVector().empty()) return value.toTensorVector()[0];
  if (value.isGenericDict()) {
    const auto table = value.toGenericDict();
    for (const char *key : {"pooler_output", "image_embeds", "last_hidden_state"})
      if (table.contains(key)) return tensorOf(table.at(key));
    if (!table.empty()) return tensorOf(table.begin()->value());
  }
  throw std::runtime_error("the program's result is no tensor, and holds none");
}

}  // namespace

CTorchProgram *loadProgram(const char *path, int32_t dtype, int32_t device) {
  torch::jit::ExtraFilesMap files = {{"cleannet.json", ""}};
  auto module = torch::jit::load(path, deviceOf(device), files);
  module.eval();
  // Indices and masks keep their types.
  if (dtype >= 0) {
    c10::NoGradGuard untraced;
    for (at::Tensor tensor : module.parameters())
      if (tensor.is_floating_point()) tensor.set_data(tensor.to(typeOf(dtype)));
    for (at::Tensor tensor : module.buffers())
      if (tensor.is_floating_point()) tensor.set_data(tensor.to(typeOf(dtype)));
  }
  // Constants are folded where libtorch can; a program that it cannot freeze runs as it is.
  try {
    auto frozen = torch::jit::freeze_module(module.clone());
    module = frozen;
  } catch (const std::exception &) {
  }
  return new CTorchProgram{module, files["cleannet.json"]};
}

void releaseProgram(CTorchProgram *program) {
  delete program;
}

at::Tensor aboutProgram(const CTorchProgram &program) {
  at::Tensor result = at::empty({int64_t(program.about.size())}, at::kByte);
  if (!program.about.empty()) std::memcpy(result.data_ptr(), program.about.data(), program.about.size());
  return result;
}

at::Tensor runProgram(CTorchProgram &program, const at::Tensor &input) {
  c10::InferenceMode inference;
  // Without optimization by what the first runs saw: results would change from one batch to the next.
  torch::jit::GraphOptimizerEnabledGuard plain(false);
  return tensorOf(program.module.forward({input}));
}

}  // namespace cleannet
