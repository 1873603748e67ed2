import Backbones
import Torch

/// A backbone that learns, and a linear head on its features.
package final class ImageClassifier: Parameterized, Sendable {
  package let backbone: TrainableBackbone
  package let head: Linear

  /// - Parameter head: nil: all zeros, so that the first step moves the head and not the backbone.
  package init(_ backbone: TrainableBackbone, classes: Int, head: Linear? = nil) {
    self.backbone = backbone
    let head = head ?? Linear(weight: .zeros([classes, backbone.featureDimension]), bias: .zeros([classes]))
    self.head = Linear(weight: head.weight.to(backbone.device), bias: head.bias.to(backbone.device))
    self.head.requireGradients()
  }

  package var classes: Int { head.bias.size(0) }

  /// Pixels `[N, H, W, 3]`, uint8, to logits `[N, C]`.
  package func logits(_ pixels: Tensor) -> Tensor { head(backbone.features(pixels)) }

  package var headParameters: [(name: String, tensor: Tensor)] {
    head.parameters.prefixed(backbone.classifierName)
  }

  /// The trainable parameters.
  package var parameters: [(name: String, tensor: Tensor)] { backbone.parameters + headParameters }

  /// The tensors that training changes: parameters and batch norm's running statistics.
  package var state: [(name: String, tensor: Tensor)] { parameters + backbone.statistics }

  /// Everything, as a file of weights has it; the tensors in `replacing` take the place of those of the same name.
  package func weights(replacing: [String: Tensor] = [:]) -> [(name: String, tensor: Tensor)] {
    backbone.weights(replacing: replacing) + headParameters.map { ($0.name, replacing[$0.name] ?? $0.tensor) }
  }
}
