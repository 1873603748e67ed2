import CleanNet
import Torch
import Workspace

/// The results that the stages have left in a workspace, for whoever shows them; nil if there are none.
package enum StageProducts {
  /// The features in use, and about them.
  package static func features(_ workspace: Workspace) throws -> (
    source: MappedFeatures, about: [String: String]
  )? {
    guard let set = try? LabeledFeatures.currentFeatures(workspace) else { return nil }
    let count = try workspace.sampleCount()
    guard set.coverage(of: count) == count else { return nil }
    var about = set.about
    about["dimension"] = "\(set.dimension)"
    if set.key == FeatureSet.imported { about["source"] = "imported with the samples" }
    return (MappedFeatures(try workspace.featureMatrix(set)), about)
  }

  /// The model trained last.
  package static func model(_ workspace: Workspace) throws -> CleanNetModel? {
    guard let run = try workspace.finishedRun(stage: "train") else { return nil }
    return try? ModelFiles(workspace, key: run.key).readModel()
  }

  /// Whether something that the scores follow from has changed since.
  package static func scoresAreStale(_ workspace: Workspace) throws -> Bool {
    try WorkspaceOverview(workspace).scores?.isStale ?? false
  }

  /// By image whether its label is truly right, by a column of true labels.
  ///
  /// - Throws: `WorkspaceError` or `PipelineError` if there is no such column.
  package static func truth(_ workspace: Workspace, column: String) throws -> [Bool?] {
    try TruthColumn(workspace, named: column).isRight
  }
}
