import Testing
import Torch

@testable import Backbones

@Suite struct WeightErrorTests {
  private func refusal(
    _ checkpoint: Checkpoint, as kind: BackboneKind = .resNet18
  ) throws -> CheckpointError {
    try #require(throws: CheckpointError.self) {
      try Backbone(kind, checkpoint: checkpoint, name: "some.pth", precision: .float32)
    }
  }

  @Test func missingTensor() throws {
    let weights = Made.checkpoint(.resNet18).mapping { $0 == "layer3.1.conv2.weight" ? nil : ($0, $1) }
    let error = try refusal(weights)
    #expect(error.path == "some.pth")
    #expect(
      error.what == "it lacks the tensor 'layer3.1.conv2.weight' of resnet18, of shape [256, 256, 3, 3]")
    #expect(error.remedy.contains("torchvision"))
  }

  @Test func misshapenTensor() throws {
    let weights = Made.checkpoint(.resNet18).mapping {
      $0 == "bn1.bias" ? ($0, StoredTensor([Float](repeating: 0, count: 32), shape: [32])) : ($0, $1)
    }
    #expect(try refusal(weights).what == "its tensor 'bn1.bias' has the shape [32], and resnet18 needs [64]")
  }

  @Test func surplusTensor() throws {
    let weights = Made.checkpoint(.efficientNetLite0).mapping {
      $0 == "_bn0.num_batches_tracked" ? ("_blocks.0._se_reduce.weight", $1) : ($0, $1)
    }
    let error = try refusal(weights, as: .efficientNetLite0)
    #expect(error.what == "its tensor '_blocks.0._se_reduce.weight' has no place in efficientnet-lite0")
    #expect(error.remedy.contains("_conv_stem"))
  }

  /// Every tensor of ResNet-50 is among those of ResNet-101, with its shape.
  @Test(arguments: [
    (BackboneKind.resNet50, BackboneKind.resNet101), (.efficientNetLite1, .efficientNetLite2),
  ])
  func weightsOfAnotherNetwork(wanted: BackboneKind, given: BackboneKind) throws {
    let error = try refusal(Made.checkpoint(given), as: wanted)
    #expect(
      error.remedy == "These are weights of \(given): choose that backbone, or give weights of \(wanted)")
  }

  @Test func damagedNumbers() throws {
    let weights = Made.checkpoint(.resNet18)
    let endless = weights.mapping {
      $0 == "bn1.weight"
        ? ($0, StoredTensor([.infinity] + [Float](repeating: 1, count: 63), shape: [64])) : ($0, $1)
    }
    #expect(try refusal(endless).what == "its tensor 'bn1.weight' holds numbers that are not finite")
    let negative = weights.mapping {
      $0 == "bn1.running_var"
        ? ($0, StoredTensor([-1] + [Float](repeating: 1, count: 63), shape: [64])) : ($0, $1)
    }
    #expect(try refusal(negative).what == "its tensor 'bn1.running_var' holds a negative variance")
    let quantised = weights.mapping {
      $0 == "bn1.bias" ? ($0, StoredTensor(dtype: .int8, shape: [64], bytes: .init(count: 64))) : ($0, $1)
    }
    #expect(try refusal(quantised).what.contains("int8"))
  }

  @Test func absentFile() throws {
    let error = try #require(throws: CheckpointError.self) { try Backbone(.resNet18, weights: "absent.pth") }
    #expect(error.path == "absent.pth")
  }

  @Test func prefixAndClassifierAreOptional() throws {
    let weights = Made.checkpoint(.resNet18)
    let plain = try Backbone(.resNet18, checkpoint: weights, name: "plain", precision: .float32)
    let bare = weights.mapping { name, tensor in name.hasPrefix("fc.") ? nil : ("module." + name, tensor) }
    let prefixed = try Backbone(.resNet18, checkpoint: bare, name: "bare", precision: .float32)
    let pixels = Made.pixels(size: 40)
    let features = prefixed.features(pixels)
    #expect(features.floats() == plain.features(pixels).floats())
    #expect(prefixed.classCount == nil)
    #expect(prefixed.logits(features: features) == nil)
  }
}
