import Artefacts
import CleanNet
import Foundation
import Workspace

/// The contents of a workspace, which of them are out of date and why, and the next step.
package struct WorkspaceOverview: Sendable, Encodable {
  package struct ClassRow: Sendable, Encodable {
    package var name: String
    package var images: Int
    package var right: Int
    package var wrong: Int
  }

  package struct FeaturesRow: Sendable, Encodable {
    package var key: String
    /// Images that have a row, including images that cannot be read.
    package var images: Int
    /// Images that could not be reached; the next run tries them again.
    package var unreachable: Int
    /// Images that lie elsewhere now; the next run looks whether they are the same.
    package var unseen: Int
    package var dimension: Int
    package var about: [String: String]
  }

  /// A stage's last outcome, and whether anything that it depends on has changed since.
  package struct StageRow<Outcome: Sendable & Encodable>: Sendable, Encodable {
    package var date: Date
    package var isStale: Bool
    /// Why it is out of date; empty if it is not.
    package var reasons: [String]
    /// How long it took.
    package var seconds: Double
    package var outcome: Outcome
  }

  package struct Problem: Sendable, Encodable {
    package var path: String
    package var what: String
  }

  package var path: String
  package var isReadOnly: Bool
  package var images: Int
  /// Images that are gone from their source; what was said about them is kept.
  package var gone: Int
  package var splits: [String: Int]
  package var sources: [String]
  package var classes: [ClassRow]
  package var verified: Int
  package var features: [FeaturesRow]
  /// Images that the features in use lack: new ones, and images that could not be reached.
  package var unembedded: Int
  /// How many images could not be read.
  package var problemCount: Int
  /// The first of them, if asked for.
  package var problems: [Problem]
  package var model: StageRow<TrainStage.Outcome>?
  package var scores: StageRow<ScoreStage.Outcome>?
  package var next: String

  /// - Parameter problems: How many problems to name.
  package init(_ workspace: Workspace, problems limit: Int = 0) throws {
    let workspace = try workspace.snapshot()
    let status = try workspace.status()
    path = workspace.path
    isReadOnly = workspace.isReadOnly
    images = status.samples
    gone = status.numbers - status.samples
    splits = Dictionary(uniqueKeysWithValues: status.splits.map { ($0.name, $0.samples) })
    sources = status.sources.map(\.path)
    classes = status.classes.map {
      ClassRow(name: $0.name, images: $0.samples, right: $0.right, wrong: $0.wrong)
    }
    verified = status.classes.reduce(0) { $0 + $1.right + $1.wrong }
    let rows = try status.features.map { try Self.row($0, workspace, images: status.samples) }
    features = rows
    let current = try? LabeledFeatures.currentFeatures(workspace).key
    let inUse = rows.first { $0.key == current }
    unembedded = inUse.map { status.samples - $0.images + $0.unreachable + $0.unseen } ?? status.samples
    problemCount = status.problems
    // A stage does not need to repeat a fault that an earlier stage found.
    var last: Int?
    problems = try workspace.problems(limit: limit).compactMap { problem in
      defer { last = problem.sample }
      guard problem.sample != last, let sample = try workspace.sample(problem.sample) else { return nil }
      return Problem(path: sample.path, what: problem.what)
    }
    let content = StageContent(workspace)
    model = try Self.last("train", workspace, \.seconds) { (outcome: TrainStage.Outcome) in
      try content.digests(for: outcome.objective)
    }
    var inputs = try content.digests()
    inputs[InputName.model] = try workspace.finishedRun(stage: "train")?.key
    scores = try Self.last("score", workspace, \.seconds) { (_: ScoreStage.Outcome) in inputs }
    next = Self.next(
      images: images, features: inUse, verified: verified, train: try TrainStage.lastCommand(workspace),
      model: model, scores: scores, score: try ScoreStage.lastCommand(workspace))
  }

  private static func row(
    _ features: WorkspaceStatus.Features, _ workspace: Workspace, images: Int
  ) throws -> FeaturesRow {
    let set = features.set
    let isKept = try workspace.keepsRows(of: set)
    let counts = try isKept ? workspace.rowCounts(of: set) : [:]
    return FeaturesRow(
      key: set.key, images: isKept ? counts.values.reduce(0, +) : min(features.samples, images),
      unreachable: counts[.unreachable, default: 0], unseen: try workspace.unseenRows(of: set),
      dimension: set.dimension, about: set.about)
  }

  /// - Parameter inputs: The inputs that the stage would have now.
  private static func last<Outcome: Sendable & Codable>(
    _ stage: String, _ workspace: Workspace, _ seconds: KeyPath<Outcome, Double>,
    inputs: (Outcome) throws -> [String: String]
  ) throws -> StageRow<Outcome>? {
    guard let run = try workspace.finishedRun(stage: stage), let metrics = run.metrics,
      let outcome = try? JSONDecoder().decode(Outcome.self, from: Data(metrics.utf8))
    else { return nil }
    let reasons =
      run.inputs == nil
      ? ["it was made by an earlier version"] : run.changes(try inputs(outcome)).map(InputName.change)
    return StageRow(
      date: run.started, isStale: !reasons.isEmpty, reasons: reasons, seconds: outcome[keyPath: seconds],
      outcome: outcome)
  }

  private static func next(
    images: Int, features: FeaturesRow?, verified: Int, train: String, model: StageRow<TrainStage.Outcome>?,
    scores: StageRow<ScoreStage.Outcome>?, score: String
  ) -> String {
    if images == 0 { return "cleannet import SOURCE" }
    guard let features, features.images == images, features.unseen == 0 else { return "cleannet embed" }
    if features.unreachable * 10 >= images * 9 {
      return "mount the drive of the images, or cleannet relocate OLD NEW; then cleannet embed"
    }
    guard let model, !model.isStale else { return train }
    guard let scores, !scores.isStale else { return score }
    if verified == 0 {
      return "cleannet review, or without the page: cleannet verify export todo.csv --unverified 30"
    }
    return "cleannet export scores --out scores.csv"
  }
}

/// The inputs of training and scoring.
struct StageContent {
  private let workspace: Workspace

  init(_ workspace: Workspace) { self.workspace = workspace }

  /// Digests of labels, the features in use and verdicts, by name.
  ///
  /// - Parameter objective: Of a training: verdicts count only where the objective learns from them. nil: all counts.
  func digests(for objective: Objective? = nil) throws -> [String: String] {
    let snapshot = try workspace.snapshot()
    var digests = [
      InputName.features: try (try? LabeledFeatures.currentFeatures(snapshot)).map {
        try snapshot.digest(of: $0)
      } ?? "",
      InputName.labels: try snapshot.fingerprint(of: .labels),
    ]
    if objective != .extended {
      digests[InputName.verdicts] = try snapshot.fingerprint(of: .verifications)
    }
    return digests
  }
}
