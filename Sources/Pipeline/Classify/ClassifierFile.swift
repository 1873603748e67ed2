import Backbones
import Classifier
import Foundation
import Images
import Torch

/// A trained classifier's file: safetensors with the network in PyTorch's names, and what using it takes in the metadata.
package struct ClassifierFile {
  /// The metadata's entry `cleannet`, as JSON.
  package struct About: Sendable, Hashable, Codable {
    /// nil: a head on features that came without images.
    package var backbone: BackboneKind?
    package var preparation: ImagePreparation?
    package var precision: Precision
    /// In the order of the logits.
    package var classes: [String]
    /// The weights that it was trained with.
    package var weights: String
    /// The key of the stored features that a head was trained on; nil: the network itself was.
    package var features: String?
  }

  package let path: String
  package let about: About
  package let checkpoint: Checkpoint

  private static let key = "cleannet"
  static let headName = "head"

  /// - Throws: `CheckpointError` if the file cannot be read or holds no classifier of this program.
  package init(path: String) throws(CheckpointError) {
    self.path = path
    checkpoint = try Checkpoint.read(path: path)
    guard let about = try? checkpoint.value(About.self, key: Self.key) else {
      throw CheckpointError(
        path: path, what: "it is no classifier that `cleannet classify train` wrote",
        remedy: "Give a file best.safetensors or last.safetensors, or train one: cleannet classify train")
    }
    self.about = about
  }

  /// Writes a file completely or not at all.
  static func write(_ tensors: [(name: String, tensor: Tensor)], about: About, to path: String) throws {
    var metadata = [key: try about.json(), "classes": try about.classes.json()]
    if let backbone = about.backbone { metadata["backbone"] = backbone.rawValue }
    if let size = about.preparation?.size { metadata["size"] = "\(size)" }
    try SafeTensors.write(tensors: Checkpoint(tensors).tensors, metadata: metadata, to: path)
  }

  /// The network in use.
  ///
  /// - Throws: `PipelineError` for a head on features that came without images, and where the device is not there.
  func network(on choice: DeviceChoice) throws -> InferenceClassifier {
    guard let kind = about.backbone else {
      throw PipelineError(
        .badInput,
        "The classifier \(path) judges features, and the network that computed them is unknown",
        remedy: "Import images instead of features, then: cleannet embed, cleannet classify train")
    }
    return try InferenceClassifier(
      kind, checkpoint: checkpoint, name: path, precision: about.precision, device: choice.device())
  }

  /// The head alone.
  func head() throws -> Head {
    let name = about.backbone?.classifierName(in: checkpoint) ?? Self.headName
    guard let weight = checkpoint["\(name).weight"], let bias = checkpoint["\(name).bias"] else {
      throw CheckpointError(
        path: path, what: "it lacks the tensors \(name).weight and \(name).bias", remedy: "Train it again")
    }
    return Head(weight: Tensor(weight), bias: Tensor(bias))
  }
}

/// The files of one classifier in the workspace's folder `models/<key>`.
struct ClassifierFiles: Sendable {
  let folder: String
  var best: String { "\(folder)/best.safetensors" }
  var last: String { "\(folder)/last.safetensors" }
  var state: String { "\(folder)/state.safetensors" }
  var log: String { "\(folder)/log.jsonl" }
  var curves: String { "\(folder)/curves.svg" }

  func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw PipelineError(
        .badInput, "The folder \(folder) cannot be made", remedy: "Check its permissions and the free space")
    }
  }
}
