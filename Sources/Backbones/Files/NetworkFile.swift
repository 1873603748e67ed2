import Foundation
import Torch

/// Somebody's network, from one file: a TorchScript program, or weights of a network that is known.
package enum NetworkFile {
  /// The remedy for a file that is not understood.
  static let exportRemedy =
    "Export the network as a program with Scripts/export-network; docs/networks.md lists the files that are read directly"

  /// Opens a file, told by its content.
  ///
  /// - Parameters:
  ///   - size: width and height of the images; nil: what the network was made for.
  ///   - pooling: of networks with tokens.
  /// - Throws: ``CheckpointError`` where the file cannot be read or is not understood; it names the tensors that are
  ///   missing, or that have no place.
  package static func open(
    _ path: String, size: Int? = nil, pooling: Pooling = .auto, precision: Precision = .auto,
    device: Device = .cpu
  ) throws(CheckpointError) -> any FeatureNetwork {
    if ScriptedProgram.isProgram(path) {
      return try ScriptedNetwork(
        path: path, size: size, pooling: pooling, precision: precision, device: device)
    }
    let checkpoint = try Checkpoint.read(path: path, stripModulePrefix: true)
    let tower = checkpoint.imageTower()
    let facts = NetworkFacts(beside: path)
    let name = displayName(path)
    if let reading = try TransformerReading(tower, path: path, facts: facts) {
      return try VisionTransformer(
        reading, name: name, size: size, pooling: pooling, precision: precision, device: device)
    }
    if pooling == .auto || pooling == .mean {
      if let network = try ConvNeXt(
        tower, path: path, name: name, facts: facts, size: size, precision: precision, device: device)
      {
        return network
      }
      if let kind = BackboneKind.fitting(checkpoint) {
        return try Backbone(kind, checkpoint: checkpoint, name: path, precision: precision, device: device)
      }
    }
    throw misfit(checkpoint, path: path)
  }

  /// The file's name; of one that is called like every other, its folder's.
  static func displayName(_ path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let usual = [
      "model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
    ]
    return usual.contains(url.lastPathComponent)
      ? url.deletingLastPathComponent().lastPathComponent : url.lastPathComponent
  }

  private static func misfit(_ checkpoint: Checkpoint, path: String) -> CheckpointError {
    let names = checkpoint.tensors.names.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
    return CheckpointError(
      path: path,
      what:
        "its tensors (\(names) …) are tensors of no known network: it has neither the patches of a vision transformer "
        + "('patch_embed.proj.weight' in timm) nor the stem of a ConvNeXt ('stem.0.weight'), nor all of "
        + BackboneKind.allCases.map(\.rawValue).joined(separator: ", "),
      remedy: exportRemedy)
  }
}
