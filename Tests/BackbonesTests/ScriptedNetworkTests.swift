import Foundation
import Testing
import Torch

@testable import Backbones

/// Programs that PyTorch wrote, on the engine's libtorch.
@Suite struct ScriptedNetworkTests {
  private static func path(_ suffix: String) throws -> String {
    try #require(Bundle.module.url(forResource: "Fixtures/program", withExtension: suffix)).path
  }

  @Test("a program that calls PyTorch 2's attention gives what it gives there")
  func attention() throws {
    let expected = try Tensor(#require(Checkpoint.read(path: Self.path("safetensors"))["features"]))
      .unsqueezed(dim: 0)
    let network = try NetworkFile.open(try Self.path("pt"), precision: .float32)
    #expect(network.name == "small" && network.inputSize == 32 && network.featureDimension == 32)
    let pixels = Made.pixels(11, size: 32)
    let ours = network.features(pixels)
    #expect(ours.shape == [11, 32])
    #expect(relativeDifference(ours[0..<1], expected) < 1e-4)
    // Of float32 products the last bits depend on where in the batch a row stands.
    #expect(relativeDifference(network.features(pixels[9..<11]), ours[9..<11]) < 1e-5)

    let rounded = try NetworkFile.open(try Self.path("pt"), precision: .bfloat16)
    #expect(rounded.dtype == .bfloat16)
    #expect(cosines(rounded.features(pixels)[0..<1], expected)[0] > 0.999)
  }

  @Test("a program for another size says so")
  func otherSizes() throws {
    let path = try Self.path("pt")
    let error = #expect(throws: CheckpointError.self) {
      try NetworkFile.open(path, size: 64, precision: .float32)
    }
    #expect(error?.what.contains("[2, 3, 64, 64]") == true)
  }

  @Test("a damaged program is an error, and other files are none")
  func damage() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.path("pt")))
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pt")
    defer { try? FileManager.default.removeItem(at: place) }
    try whole.prefix(whole.count / 2).write(to: place)
    #expect(throws: CheckpointError.self) { try NetworkFile.open(place.path) }
    #expect(!ScriptedProgram.isProgram(try Self.path("safetensors")))
    #expect(throws: CheckpointError.self) { try ScriptedProgram(path: Self.path("safetensors")) }
  }

  @Test("a classifier that CleanNet exported is a network that normalizes pixels itself")
  func ownPrograms() throws {
    let kind = BackboneKind.resNet18
    let backbone = try Backbone(kind, checkpoint: Made.checkpoint(kind), name: "made", precision: .float32)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).pt").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try backbone.writeTorchScript(to: path, size: 64, about: #"{"size": 64, "classes": ["a", "b"]}"#)
    let network = try NetworkFile.open(path, precision: .float32)
    let pixels = Made.pixels(2, size: 64)
    let expected = try #require(backbone.logits(features: backbone.features(pixels)))
    #expect(relativeDifference(network.features(pixels), expected) < 1e-4)
  }
}
