import CleanNet
import Foundation
import Torch
import Workspace

/// The files of one model in a workspace's folder `models/<key>`, all safetensors.
struct ModelFiles: Sendable {
  private let folder: String
  private let workspace: Workspace

  init(_ workspace: Workspace, key: String) {
    folder = workspace.modelFolder(key: key)
    self.workspace = workspace
  }

  static let modelName = "model.safetensors"
  static let evidenceName = "evidence.safetensors"
  static let judgeName = "judge.safetensors"

  var model: String { "\(folder)/\(Self.modelName)" }
  var evidence: String { "\(folder)/\(Self.evidenceName)" }
  var judge: String { "\(folder)/\(Self.judgeName)" }
  private func checkpointPath(_ fold: Int) -> String { "\(folder)/checkpoint-\(fold).safetensors" }
  private static let progressKey = "progress"

  func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkspaceError(
        .cannotWrite, file: folder, "cannot be created", remedy: "Check its permissions and the free space")
    }
  }

  func write(_ model: CleanNetModel) throws { try write(try model.checkpoint(), to: self.model) }

  func write(_ evidence: LabelEvidence) throws { try write(try evidence.checkpoint(), to: self.evidence) }

  func write(_ judge: LabelJudge) throws { try write(try judge.checkpoint(), to: self.judge) }

  /// The model that judges images that come later.
  ///
  /// - Throws: ``PipelineError`` if there is none or it cannot be used.
  func readJudge(_ model: CleanNetModel) throws -> LabelJudge {
    let remedy = "Train the model again with this version: cleannet train"
    guard FileManager.default.isReadableFile(atPath: judge) else {
      throw PipelineError(
        .missingInput, "The model was trained by an earlier version and cannot judge new images",
        remedy: remedy)
    }
    try workspace.verify([below(Self.judgeName)], remedy: remedy)
    do {
      return try LabelJudge(Checkpoint.read(path: judge), model: model)
    } catch {
      throw PipelineError(.badInput, "The file \(judge) cannot be used: \(error)", remedy: remedy)
    }
  }

  /// The evidence on the labels that the model was trained on; nil if it is not there or comes from another version, so
  /// that it must be found again.
  ///
  /// - Throws: `WorkspaceError` if it is damaged.
  func readEvidence() throws -> LabelEvidence? {
    guard access(evidence, F_OK) == 0 else { return nil }
    try workspace.verify([below(Self.evidenceName)], remedy: "Train it again: cleannet train")
    return (try? Checkpoint.read(path: evidence)).flatMap { try? LabelEvidence($0) }
  }

  /// A file's path below the workspace.
  private func below(_ name: String) -> String {
    "models/\(URL(fileURLWithPath: folder).lastPathComponent)/\(name)"
  }

  /// - Throws: ``PipelineError`` if there is none or it cannot be used.
  func readModel() throws -> CleanNetModel {
    try workspace.verify([below(Self.modelName)], remedy: "Train it again: cleannet train")
    do {
      return try CleanNetModel(Checkpoint.read(path: model))
    } catch {
      throw PipelineError(
        .missingInput, "The model \(model) cannot be used: \(error)", remedy: "Train it again: cleannet train"
      )
    }
  }

  /// Keeps the state of training, and finds it again after an interruption.
  func keeper(interval: Int) -> Training.Keeper {
    Training.Keeper(
      interval: interval, restore: { checkpoint($0) }, keep: { fold, state in try write(state, fold: fold) })
  }

  private func write(_ state: TrainerCheckpoint, fold: Int) throws {
    var checkpoint = Checkpoint(state.tensors)
    try checkpoint.set(state.progress, key: Self.progressKey)
    try checkpoint.writeSealed(to: checkpointPath(fold))
  }

  private func checkpoint(_ fold: Int) -> TrainerCheckpoint? {
    guard let stored = Checkpoint.readSealed(path: checkpointPath(fold)),
      let progress = try? stored.value(TrainerCheckpoint.Progress.self, key: Self.progressKey)
    else { return nil }
    return TrainerCheckpoint(
      progress: progress, tensors: stored.tensors.map { (name: $0.name, tensor: Tensor($0.tensor)) })
  }

  /// Forgets what only an interrupted run needs.
  func removeCheckpoints() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix("checkpoint-") { unlink("\(folder)/\(name)") }
  }

  private func write(_ checkpoint: Checkpoint, to path: String) throws {
    try SafeTensors.write(tensors: checkpoint.tensors, metadata: checkpoint.metadata, to: path)
  }
}
