import Backbones
import Torch

/// A backbone that learns, and a linear head on its features.
public final class ImageClassifier: Parameterized, Sendable {
  public let backbone: TrainableBackbone
  public let head: Linear

  /// - Parameter head: nil: all zeros, so that the first step moves the head and not the backbone.
  public init(_ backbone: TrainableBackbone, classes: Int, head: Linear? = nil) {
    self.backbone = backbone
    self.head = head ?? Linear(weight: .zeros([classes, backbone.featureDimension]), bias: .zeros([classes]))
    self.head.requireGradients()
  }

  public var classes: Int { head.bias.size(0) }

  /// Pixels `[N, H, W, 3]`, uint8, to logits `[N, C]`.
  public func logits(_ pixels: Tensor) -> Tensor { head(backbone.features(pixels)) }

  public var headParameters: [(name: String, tensor: Tensor)] {
    head.parameters.prefixed(backbone.classifierName)
  }

  /// What learns.
  public var parameters: [(name: String, tensor: Tensor)] { backbone.parameters + headParameters }

  /// What changes in training: parameters and batch norm's running statistics.
  public var state: [(name: String, tensor: Tensor)] { parameters + backbone.statistics }

  /// Everything, as a file of weights has it; the tensors in `replacing` take the place of those of the same name.
  public func weights(replacing: [String: Tensor] = [:]) -> [(name: String, tensor: Tensor)] {
    backbone.weights(replacing: replacing) + headParameters.map { ($0.name, replacing[$0.name] ?? $0.tensor) }
  }
}
