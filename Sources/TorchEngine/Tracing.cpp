#include "Engine.h"

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstring>
#include <sstream>

// TorchScript of what a function does with a tensor: libtorch records the operations while the function runs.

namespace cleannet {

at::Tensor traced(const at::Tensor &example, const std::function<at::Tensor(const at::Tensor &)> &forward,
                  const Parameters &parameters, const std::string &about) {
  torch::jit::Module module(c10::QualifiedName("CleanNetClassifier"));
  module.register_attribute("training", c10::BoolType::get(), false);
  for (const auto &[name, tensor] : parameters) module.register_parameter(name, tensor, /*is_buffer=*/false);

  const auto record = [&](torch::jit::Stack inputs) {
    return torch::jit::Stack{forward(inputs.at(0).toTensor())};
  };
  const auto unnamed = [](const at::Tensor &) { return std::string(); };
  const auto state = torch::jit::tracer::trace({example}, record, unnamed, /*strict=*/true,
                                               /*force_outplace=*/false, &module, {"pixels"})
                         .first;
  const c10::QualifiedName name(*module.type()->name(), "forward");
  module.type()->addMethod(module._ivalue()->compilation_unit()->create_function(name, state->graph));

  std::ostringstream stream;
  module.save(stream, {{"cleannet.json", about}});
  const std::string bytes = stream.str();
  at::Tensor result = at::empty({int64_t(bytes.size())}, at::kByte);
  std::memcpy(result.data_ptr(), bytes.data(), bytes.size());
  return result;
}

at::Tensor runScript(const at::Tensor &bytes, const at::Tensor &input) {
  std::istringstream stream(std::string(static_cast<const char *>(bytes.data_ptr()), bytes.nbytes()));
  c10::InferenceMode inference;
  return torch::jit::load(stream).forward({input}).toTensor();
}

}  // namespace cleannet
