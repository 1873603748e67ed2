import Backbones
import Classifier
import Foundation
import Images
import Torch

/// A trained classifier for other programs.
package enum ClassifierExport {
  package enum Format: String, Sendable, CaseIterable {
    /// Weights by their names in torchvision or timm, for that library's network.
    case safetensors
    /// A program that runs in PyTorch and libtorch without a description of the network.
    case torchscript

    /// The format that a file's name means: TorchScript for `.pt`, `.ts` and `.torchscript`.
    package init(path: String) {
      let suffix = URL(fileURLWithPath: path).pathExtension.lowercased()
      self = ["pt", "ts", "torchscript"].contains(suffix) ? .torchscript : .safetensors
    }
  }

  package struct Outcome: Sendable, Encodable {
    package var out: String
    package var format: String
    package var backbone: String
    package var tensors: Int
    package var classes: [String]
    package var size: Int
  }

  /// Writes a classifier's file for other programs.
  package static func write(_ path: String, to out: String, format: Format) throws -> Outcome {
    let file = try ClassifierFile(path: path)
    guard let kind = file.about.backbone, let preparation = file.about.preparation else {
      throw PipelineError(
        .badInput, "The classifier \(path) is a head on imported features, whose network is unknown",
        remedy:
          "Its tensors are \(ClassifierFile.headName).weight and \(ClassifierFile.headName).bias as they are")
    }
    let tensors =
      switch format {
      case .safetensors: try writeSafeTensors(file, kind: kind, to: out)
      case .torchscript: try writeTorchScript(file, kind: kind, preparation: preparation, to: out)
      }
    return Outcome(
      out: out, format: format.rawValue, backbone: kind.rawValue, tensors: tensors,
      classes: file.about.classes,
      size: preparation.size)
  }

  /// The tensors' names are those of torchvision (ResNets) or timm (`tf_efficientnet_lite0` …), all that
  /// `load_state_dict(strict=True)` wants; classes and preparation are in the metadata. Returns the number of tensors.
  private static func writeSafeTensors(
    _ file: ClassifierFile, kind: BackboneKind, to out: String
  ) throws -> Int {
    var renamed = kind.withLibraryNames(file.checkpoint)
    // Weights from elsewhere may lack batch norm's counters, which strict loading wants.
    for (name, _) in renamed.tensors where name.hasSuffix(".running_var") {
      let counter = name.dropLast(".running_var".count) + ".num_batches_tracked"
      if renamed[String(counter)] == nil {
        renamed.tensors.append(Tensor.zeros([], dtype: .int64).stored, named: String(counter))
      }
    }
    let normalization = kind.normalization
    renamed.metadata["mean"] = try normalization.mean.json()
    renamed.metadata["deviation"] = try normalization.deviation.json()
    try SafeTensors.write(tensors: renamed.tensors, metadata: renamed.metadata, to: out)
    return renamed.tensors.count
  }

  /// Pixels in, logits out; classes and preparation lie beside the program as `cleannet.json`. Returns the number of
  /// tensors.
  private static func writeTorchScript(
    _ file: ClassifierFile, kind: BackboneKind, preparation: ImagePreparation, to out: String
  ) throws -> Int {
    let classifier = try InferenceClassifier(
      kind, checkpoint: file.checkpoint, name: file.path, precision: .float32)
    let about = ProgramDescription(
      backbone: kind.rawValue, classes: file.about.classes, size: preparation.size)
    return try classifier.backbone.writeTorchScript(to: out, size: preparation.size, about: about.json())
  }

  private struct ProgramDescription: Encodable {
    var backbone: String
    var classes: [String]
    var size: Int
  }
}
