import Torch

/// The networks that turn images into features, by their names on the command line.
package enum BackboneKind: String, Sendable, Hashable, Codable, CaseIterable {
  case efficientNetLite0 = "efficientnet-lite0"
  case efficientNetLite1 = "efficientnet-lite1"
  case efficientNetLite2 = "efficientnet-lite2"
  case resNet18 = "resnet18"
  case resNet34 = "resnet34"
  case resNet50 = "resnet50"
  case resNet101 = "resnet101"

  /// D, the number of features of an image.
  package var featureDimension: Int { network().outputs }

  /// Width and height, in pixels, of the images that the published weights were trained for.
  package var inputSize: Int {
    switch self {
    case .efficientNetLite0: 224
    case .efficientNetLite1: 240
    case .efficientNetLite2: 260
    case .resNet18, .resNet34, .resNet50, .resNet101: 224
    }
  }

  /// How pixels become the network's input.
  package var normalization: PixelNormalization {
    switch self {
    case .efficientNetLite0, .efficientNetLite1, .efficientNetLite2: .efficientNetLite
    case .resNet18, .resNet34, .resNet50, .resNet101: .imageNet
    }
  }

  /// The number of the network's weights without the classifier's, statistics of batch norm left out.
  package var parameterCount: Int {
    network().units.reduce(0) { $0 + $1.weightShape.reduce(1, *) + 2 * $1.outputs }
  }

  /// Whose names of tensors are understood, for errors.
  var nameSources: String {
    switch self {
    case .efficientNetLite0, .efficientNetLite1, .efficientNetLite2:
      "the names of efficientnet-lite-pytorch (_conv_stem …) or of timm's tf_efficientnet_lite"
    case .resNet18, .resNet34, .resNet50, .resNet101: "torchvision's names"
    }
  }

  /// The network's description, its tensors named as in `names`.
  func network(names: WeightNames = .published) -> Network<Convolution> {
    switch self {
    case .efficientNetLite0: EfficientNetLite.network(width: 1.0, depth: 1.0, names: names)
    case .efficientNetLite1: EfficientNetLite.network(width: 1.0, depth: 1.1, names: names)
    case .efficientNetLite2: EfficientNetLite.network(width: 1.1, depth: 1.2, names: names)
    case .resNet18: ResNet.network(.basic, repeats: [2, 2, 2, 2])
    case .resNet34: ResNet.network(.basic, repeats: [3, 4, 6, 3])
    case .resNet50: ResNet.network(.bottleneck, repeats: [3, 4, 6, 3])
    case .resNet101: ResNet.network(.bottleneck, repeats: [3, 4, 23, 3])
    }
  }
}

extension BackboneKind: CustomStringConvertible {
  package var description: String { rawValue }
}

/// Which names a file of weights uses.
enum WeightNames: Sendable {
  /// Those of the network's first PyTorch publication: torchvision's for ResNets, `_conv_stem` … for the Lites.
  case published
  /// timm's. For ResNets they are torchvision's.
  case timm

  /// The names that a file uses.
  init(_ checkpoint: Checkpoint) { self = checkpoint["conv_stem.weight"] == nil ? .published : .timm }
}

extension BackboneKind {
  /// The name of the classifier in a file of weights: `fc`, `_fc` or `classifier`.
  package func classifierName(in checkpoint: Checkpoint) -> String {
    network(names: WeightNames(checkpoint)).classifierName
  }

  /// A network's weights under the names of torchvision (ResNets) and timm (EfficientNet-Lite), which Python's users
  /// load them by; tensors that are not the network's keep theirs.
  package func withLibraryNames(_ checkpoint: Checkpoint) -> Checkpoint {
    let from = network(names: WeightNames(checkpoint))
    let to = network(names: .timm)
    var names: [String: String] = [:]
    for (old, new) in zip(from.units, to.units) {
      names["\(old.name).weight"] = "\(new.name).weight"
      for suffix in ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"] {
        names["\(old.norm).\(suffix)"] = "\(new.norm).\(suffix)"
      }
    }
    for suffix in ["weight", "bias"] {
      names["\(from.classifierName).\(suffix)"] = "\(to.classifierName).\(suffix)"
    }
    var renamed = Checkpoint(metadata: checkpoint.metadata)
    for (name, tensor) in checkpoint.tensors { renamed.tensors.append(tensor, named: names[name] ?? name) }
    return renamed
  }
}
