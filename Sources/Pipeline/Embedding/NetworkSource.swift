import Backbones
import Foundation
import Images
import Torch

/// Which network makes the features, and where its weights come from.
package enum NetworkSource: Sendable, Hashable {
  /// One of the built-in kinds; weights nil: the file that set-up put into the user's cache.
  case builtIn(BackboneKind, weights: String? = nil)
  /// A TorchScript program, or a file of weights whose tensors say which network it is.
  case file(String)

  /// The network that a user names: a built-in kind, else a file.
  package init(named text: String) {
    self = BackboneKind(rawValue: text).map { .builtIn($0) } ?? .file(text)
  }
}

/// How networks are run.
struct NetworkUse: Sendable {
  /// nil: what each was made for.
  var size: Int?
  var pooling = Pooling.auto
  var precision = Precision.auto
  var device = Device.cpu
}

/// A network that will be used: what its features depend on, and how it is loaded.
struct NetworkPlan: Sendable {
  var settings: EmbedStage.Settings.Part
  /// The file of weights.
  var path: String
  var load: @Sendable () throws -> any FeatureNetwork

  init(_ source: NetworkSource, _ use: NetworkUse) throws {
    switch source {
    case .builtIn(let kind, let weights):
      guard use.pooling == .auto || use.pooling == .mean else {
        throw PipelineError(
          .badInput, "\(kind) has no class token to pool by", remedy: "Leave --pool out, or give --pool mean")
      }
      path = try BackboneWeights.path(kind, named: weights)
      settings = EmbedStage.Settings.Part(
        network: kind.rawValue, backbone: kind, weights: try BackboneWeights.fingerprint(path),
        dimension: kind.featureDimension, precision: use.precision.dtype(on: use.device).precisionName,
        preparation: ImagePreparation(size: use.size ?? kind.inputSize))
      load = { [path] in
        try Backbone(kind, weights: path, precision: use.precision, device: use.device)
      }
    case .file(let file):
      path = try BackboneWeights.readable(file)
      // Only the network itself knows its dimension and the number formats that it can compute with.
      let network = try NetworkFile.open(
        path, size: use.size, pooling: use.pooling, precision: use.precision, device: use.device)
      let kind = (network as? Backbone)?.kind
      settings = EmbedStage.Settings.Part(
        network: network.name, backbone: kind, weights: try BackboneWeights.fingerprint(path),
        dimension: network.featureDimension, precision: network.dtype.precisionName,
        preparation: ImagePreparation(size: use.size ?? network.inputSize),
        pooling: use.pooling == .auto ? nil : use.pooling)
      load = { network }
    }
  }
}

extension DType {
  fileprivate var precisionName: String { self == .bfloat16 ? "bf16" : "f32" }
}
