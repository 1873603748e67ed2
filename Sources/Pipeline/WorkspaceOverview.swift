import CleanNet
import Foundation
import Workspace

/// What a workspace holds, what of it is out of date, and what to do next.
public struct WorkspaceOverview: Sendable, Encodable {
  public struct ClassRow: Sendable, Encodable {
    public var name: String
    public var images: Int
    public var right: Int
    public var wrong: Int
  }

  public struct FeaturesRow: Sendable, Encodable {
    public var key: String
    public var images: Int
    public var dimension: Int
    public var about: [String: String]
  }

  /// A stage's last outcome, and whether anything that it depends on has changed since.
  public struct StageRow<Outcome: Sendable & Encodable>: Sendable, Encodable {
    public var date: Date
    public var isStale: Bool
    public var outcome: Outcome
  }

  public struct Problem: Sendable, Encodable {
    public var path: String
    public var what: String
  }

  public var path: String
  public var images: Int
  public var splits: [String: Int]
  public var sources: [String]
  public var classes: [ClassRow]
  public var verified: Int
  public var features: [FeaturesRow]
  /// How many images could not be read.
  public var problemCount: Int
  /// The first of them, if asked for.
  public var problems: [Problem]
  public var model: StageRow<TrainStage.Outcome>?
  public var scores: StageRow<ScoreStage.Outcome>?
  public var next: String

  /// - Parameter problems: How many problems to name.
  public init(_ workspace: Workspace, problems limit: Int = 0) throws {
    let status = try workspace.status()
    path = workspace.path
    images = status.samples
    splits = Dictionary(uniqueKeysWithValues: status.splits.map { ($0.name, $0.samples) })
    sources = status.sources.map(\.path)
    classes = status.classes.map {
      ClassRow(name: $0.name, images: $0.samples, right: $0.right, wrong: $0.wrong)
    }
    verified = status.classes.reduce(0) { $0 + $1.right + $1.wrong }
    features = status.features.map {
      FeaturesRow(key: $0.set.key, images: $0.samples, dimension: $0.set.dimension, about: $0.set.about)
    }
    problemCount = status.problems
    // What a stage found wrong, the next one does not need to say again.
    var last: Int?
    problems = try workspace.problems(limit: limit).compactMap { problem in
      defer { last = problem.sample }
      guard problem.sample != last else { return nil }
      return Problem(path: try workspace.sample(problem.sample)?.path ?? "", what: problem.what)
    }
    let content = StageContent(workspace)
    model = try Self.last("train", workspace) { (outcome: TrainStage.Outcome) in
      outcome.content != (try content.fingerprint(for: outcome.objective))
    }
    scores = try Self.last("score", workspace) { (outcome: ScoreStage.Outcome) in
      outcome.content != (try content.fingerprint())
    }
    next = Self.next(
      images: images, embedded: features.contains { $0.images == status.samples }, verified: verified,
      model: model,
      scores: scores)
  }

  private static func last<Outcome: StageOutcome>(
    _ stage: String, _ workspace: Workspace, isStale: (Outcome) throws -> Bool
  ) throws -> StageRow<Outcome>? {
    guard let run = try workspace.finishedRun(stage: stage), let metrics = run.metrics,
      let outcome = try? JSONDecoder().decode(Outcome.self, from: Data(metrics.utf8))
    else { return nil }
    return StageRow(date: run.started, isStale: try isStale(outcome), outcome: outcome)
  }

  private static func next(
    images: Int, embedded: Bool, verified: Int, model: StageRow<TrainStage.Outcome>?,
    scores: StageRow<ScoreStage.Outcome>?
  ) -> String {
    if images == 0 { return "cleannet import SOURCE" }
    if !embedded { return "cleannet embed" }
    guard let model, !model.isStale else { return "cleannet train" }
    guard let scores, !scores.isStale else { return "cleannet score" }
    if verified == 0 {
      return "cleannet review, or without the page: cleannet verify export todo.csv --unverified 30"
    }
    return "cleannet export scores --out scores.csv"
  }
}

/// A stage's outcome, as its run keeps it.
protocol StageOutcome: Sendable, Codable {
  /// The hash of the workspace's content that the outcome follows from.
  var content: String { get }
}

/// What training and scoring follow from.
struct StageContent {
  private let workspace: Workspace

  init(_ workspace: Workspace) { self.workspace = workspace }

  /// A hash of images, labels, verdicts and the features in use: what scores follow from.
  func fingerprint() throws -> String {
    StableHash.of(try features(), try workspace.fingerprint(of: .images, .labels, .verifications))
  }

  /// A hash of what a model follows from: verdicts only where the objective learns from them.
  func fingerprint(for objective: Objective) throws -> String {
    guard objective == .extended else { return try fingerprint() }
    return StableHash.of(try features(), try workspace.fingerprint(of: .images, .labels))
  }

  private func features() throws -> String { (try? TrainingData.currentFeatures(workspace).key) ?? "" }
}
