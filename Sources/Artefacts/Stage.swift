import Files
import Foundation
import Workspace

/// The inputs of a stage, all read in one snapshot of the catalogue.
package protocol StageInputs {
  /// A digest of each input, by a name that a user understands; see ``InputName``.
  var digests: [String: String] { get }
}

/// The names of inputs, as `status` shows them.
package enum InputName {
  package static let images = "images"
  package static let features = "features"
  package static let labels = "labels"
  package static let verdicts = "verdicts"
  package static let model = "model"
  package static let scores = "scores"
  package static let weights = "weights"
  package static let history = "history"

  /// The sentence for an input that has changed.
  package static func change(_ name: String) -> String {
    switch name {
    case images: "images were added, changed or removed"
    case features: "features were made or added since"
    case labels: "labels or splits changed"
    case verdicts: "verdicts were added or changed"
    case model: "a model was trained since"
    case scores: "labels were scored since"
    case weights: "sample weights have changed: labels were scored, or verdicts were added"
    case history: "stages were run since"
    default: "\(name) changed"
    }
  }
}

/// A step from inputs to files of the workspace, such as training. It declares its inputs, the settings that tell it
/// apart from other runs, and its results. ``StageRunner`` does the rest.
package protocol Stage {
  associatedtype Inputs: StageInputs
  /// All that the outcome depends on beside the inputs, complete: the same settings on the same inputs give the same.
  associatedtype Settings: Codable
  /// The result that the catalogue keeps of the run.
  associatedtype Outcome: Codable

  /// Such as `train`.
  var name: String { get }

  /// Reads everything that the stage follows from.
  ///
  /// - Parameter snapshot: Stays as it is, whatever others write meanwhile. Nothing may be read from elsewhere.
  func inputs(_ snapshot: Workspace) throws -> Inputs

  func settings(_ inputs: Inputs) throws -> Settings

  /// The files and folders that the outcome consists of, below the workspace. They are digested when the run is recorded,
  /// and must be whole for it to be reused.
  func files(key: String) -> [String]
}

/// A stage's outcome, the key that it has, and whether it was there already.
package struct StageResult<Outcome> {
  package var outcome: Outcome
  package var key: String
  package var wasThere: Bool
}

/// Runs stages. It takes the workspace's lock, reads all inputs in one state, and reuses the result that the same
/// inputs and settings gave before. Otherwise it makes the result, flushes it, and records outcome, inputs, settings
/// and digests of the files in one transaction. A program that is killed leaves either a recorded run, whose files are
/// on the disk, or none.
package struct StageRunner {
  private let workspace: Workspace

  package init(_ workspace: Workspace) { self.workspace = workspace }

  /// - Parameters:
  ///   - again: Whether it is made although it is there.
  ///   - make: Makes the files. Leftovers of a killed run may be there.
  ///   - cleanUp: Removes what only an interrupted run needs, once the outcome is recorded.
  package func run<S: Stage>(
    _ stage: S, again: Bool = false, make: (S.Inputs, S.Settings, _ key: String) throws -> S.Outcome,
    cleanUp: (_ key: String) -> Void = { _ in }
  ) throws -> StageResult<S.Outcome> {
    try workspace.withWriteLock(stage.name) {
      let inputs = try stage.inputs(try workspace.snapshot())
      let settings = try stage.settings(inputs)
      let text = try settings.json()
      let key = Self.key(stage.name, inputs.digests, text)
      if !again, let metrics = try finished(stage, key: key),
        let outcome = try? JSONDecoder().decode(S.Outcome.self, from: Data(metrics.utf8))
      {
        // Makes it the latest, whatever was made in between.
        try record(stage, key: key, settings: text, inputs: inputs.digests, metrics: metrics)
        cleanUp(key)
        return StageResult(outcome: outcome, key: key, wasThere: true)
      }
      let run = try workspace.beginRun(stage: stage.name, key: key, settings: text)
      let outcome = try make(inputs, settings, key)
      try workspace.finishRun(
        run, .done, metrics: try outcome.json(), inputs: inputs.digests,
        files: try workspace.digests(of: stage.files(key: key)))
      cleanUp(key)
      return StageResult(outcome: outcome, key: key, wasThere: false)
    }
  }

  /// The outcome of an earlier run with that key, if all its files are there and complete.
  private func finished(_ stage: some Stage, key: String) throws -> String? {
    guard let metrics = try workspace.finishedRun(stage: stage.name, key: key)?.metrics else { return nil }
    let files = stage.files(key: key)
    for file in files where access("\(workspace.path)/\(file)", R_OK) != 0 { return nil }
    do {
      try workspace.verify(files, remedy: "")
    } catch let error as WorkspaceError where error.kind == .damaged {
      return nil
    }
    return metrics
  }

  private func record(
    _ stage: some Stage, key: String, settings: String, inputs: [String: String], metrics: String
  ) throws {
    let run = try workspace.beginRun(stage: stage.name, key: key, settings: settings)
    try workspace.finishRun(run, .done, metrics: metrics, inputs: inputs)
  }

  private static func key(_ stage: String, _ inputs: [String: String], _ settings: String) -> String {
    var hash = StableHash()
    hash.combine(stage)
    for (name, digest) in inputs.sorted(by: { $0.key < $1.key }) {
      hash.combine(name)
      hash.combine(digest)
    }
    hash.combine(settings)
    return hash.text
  }
}

extension StageRun {
  /// Why the run is not what its stage would make now: the names of the inputs that are others.
  ///
  /// - Parameter inputs: As they are now.
  package func changes(_ inputs: [String: String]) -> [String] {
    guard let mine = self.inputs else { return [] }
    return Set(mine.keys).union(inputs.keys).filter { mine[$0] != inputs[$0] }.sorted()
  }
}
