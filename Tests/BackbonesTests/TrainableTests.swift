import Foundation
import Testing
import Torch

@testable import Backbones

@Suite struct TrainableTests {
  private func made(
    _ kind: BackboneKind, stages: Int? = nil, precision: Precision = .float32, batchNorm: BatchNormMode
  ) throws -> TrainableBackbone {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: path) }
    let checkpoint = Made.checkpoint(kind)
    try SafeTensors.write(tensors: checkpoint.tensors, metadata: [:], to: path.path)
    return try TrainableBackbone(
      kind, weights: path.path, trainedStages: stages, precision: precision, batchNorm: batchNorm)
  }

  @Test("with frozen statistics the features are those of inference", arguments: [nil, 0, 1, 3, 99])
  func frozen(stages: Int?) throws {
    for kind in [BackboneKind.efficientNetLite0, .resNet18] {
      let backbone = try Backbone(kind, checkpoint: Made.checkpoint(kind), name: "made", precision: .float32)
      let pixels = Made.pixels(2, size: 45)
      let ours = try made(kind, stages: stages, batchNorm: .frozen).features(pixels)
      #expect(relativeDifference(ours, backbone.features(pixels)) < 2e-5)
    }
  }

  @Test("gradients reach the trained stages, and those alone") func gradients() throws {
    let kind = BackboneKind.resNet18
    let network = try made(kind, stages: 1, batchNorm: .train)
    network.features(Made.pixels(4, size: 40)).squared().sum().backward()
    let names = Set(network.parameters.map(\.name))
    #expect(names.contains("layer4.0.conv1.weight") && names.contains("layer4.0.downsample.1.bias"))
    #expect(names.allSatisfy { $0.hasPrefix("layer4.") })
    for parameter in network.parameters {
      #expect(parameter.tensor.gradient?.absolute().sum().item ?? 0 > 0, "\(parameter.name)")
    }
    let frozen = network.weights().filter { !names.contains($0.name) }
    #expect(frozen.allSatisfy { $0.tensor.gradient == nil })
  }

  @Test("a written network is read again by the inference network, and has PyTorch's names") func roundTrip()
    throws
  {
    for kind in [BackboneKind.efficientNetLite0, .resNet50] {
      let network = try made(kind, batchNorm: .train)
      let checkpoint = Checkpoint(network.weights())
      let backbone = try Backbone(kind, checkpoint: checkpoint, name: "written", precision: .float32)
      let original = try Backbone(kind, checkpoint: Made.checkpoint(kind), name: "made", precision: .float32)
      let pixels = Made.pixels(size: 33)
      #expect(backbone.features(pixels).floats() == original.features(pixels).floats())
      let expected = Set(Made.checkpoint(kind).tensors.names).filter { !$0.hasPrefix(network.classifierName) }
      #expect(Set(checkpoint.tensors.names) == expected)
    }
  }

  @Test("an untrained network keeps the scale of its maps, depthwise layers included") func untrained() {
    for kind in [BackboneKind.efficientNetLite0, .resNet18] {
      let network = TrainableBackbone(kind, seed: 3, precision: .float32)
      let features = withoutGradients { network.features(Made.pixels(8, size: 64)) }
      let size = features.squared().mean().item
      #expect(size > 1e-3 && size < 1e3, "\(kind): \(size)")
    }
  }

  @Test("one step in bfloat16 has nearly the gradients of float32") func mixedPrecision() throws {
    let pixels = Made.pixels(6, size: 48)
    func gradients(_ precision: Precision) throws -> [(name: String, tensor: Tensor)] {
      let network = try made(.resNet18, stages: 2, precision: precision, batchNorm: .train)
      network.features(pixels).squared().mean().backward()
      return network.parameters.map { ($0.name, $0.tensor.gradient ?? .zeros([1])) }
    }
    let exact = try gradients(.float32)
    let rounded = try gradients(.bfloat16)
    for (a, b) in zip(exact, rounded) {
      #expect(b.tensor.dtype == .float32)
      let x = a.tensor.reshaped([1, -1])
      let y = b.tensor.reshaped([1, -1])
      #expect(cosines(x, y)[0] > 0.9, "\(a.name): \(cosines(x, y)[0])")
    }
  }
}
