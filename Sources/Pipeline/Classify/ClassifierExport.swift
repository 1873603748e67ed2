import Backbones
import Foundation
import Torch

/// A trained classifier for other programs.
public enum ClassifierExport {
  public struct Outcome: Sendable, Encodable {
    public var out: String
    public var backbone: String
    public var tensors: Int
    public var classes: [String]
    public var size: Int
  }

  /// Writes safetensors with the tensors' names in torchvision (ResNets) or timm (`tf_efficientnet_lite0` …), all that
  /// `load_state_dict(strict=True)` wants, and classes and preparation in the metadata.
  public static func write(_ path: String, to out: String) throws -> Outcome {
    let file = try ClassifierFile(path: path)
    guard let kind = file.about.backbone, let preparation = file.about.preparation else {
      throw PipelineError(
        .badInput, "The classifier \(path) is a head on features that came without a network",
        remedy:
          "Its tensors are \(ClassifierFile.headName).weight and \(ClassifierFile.headName).bias as they are")
    }
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
    return Outcome(
      out: out, backbone: kind.rawValue, tensors: renamed.tensors.count, classes: file.about.classes,
      size: preparation.size)
  }
}
