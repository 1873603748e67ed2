import Pipeline
import Report
import Review
import Synchronization
import Torch
import Workspace

/// The stages as the page needs them.
struct PipelineBackend: ReviewBackend {
  private let workspace: Workspace
  private let seed: UInt64
  private let threads: Int
  private let live: LiveJudge

  init(_ workspace: Workspace, _ compute: ComputeOptions) {
    self.workspace = workspace
    seed = compute.seed
    threads = compute.threads
    live = LiveJudge(workspace)
  }

  func features() throws -> (any FeatureSource)? { try workspace.mappedFeatures() }

  func retrain(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws {
    let progress = RetrainingProgress(report)
    var train = TrainStage()
    train.seed = seed
    train.threads = threads
    try train.takeLastSettings(workspace)
    _ = try train.run(workspace, progress: progress)
    try score(progress)
  }

  func judge() throws -> [ScoreRow]? { try live.judge() }

  func keepScores() throws { try score(SilentProgress()) }

  func places(_ samples: [Int], _ report: @escaping @Sendable (RetrainingStep) -> Void) throws
    -> [MapPoint]?
  {
    guard let features = try workspace.mappedFeatures() else { return nil }
    let steps = ImagePlaces.steps
    let found = ImagePlaces(features, among: samples) { done in
      if done % 10 == 0 { report(RetrainingStep(name: "Making the map", done: done, total: steps)) }
    }
    guard let found else { return nil }
    return zip(found.ids, found.places).map { MapPoint(sample: $0, x: $1[0], y: $1[1]) }
  }

  func copies(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws -> [[Int]] {
    let progress = RetrainingProgress(report)
    var copies = ImageCopies()
    copies.threads = threads
    return try copies.groups(workspace, features: try workspace.mappedFeatures()) { event in
      switch event {
      case .began(let stage, let total, let unit): progress.begin(stage, total: total, unit: unit)
      case .reached(let done): progress.update(done)
      case .ended(let note): progress.end(note)
      }
    }
  }

  private func score(_ progress: some ProgressReporter) throws {
    var score = ScoreStage()
    score.threads = threads
    let last = try ScoreStage.lastSettings(workspace)
    score.targetNoise = last?.targetNoise
    score.recall = last?.recall
    _ = try score.run(workspace, progress: progress)
  }
}

/// Progress of stages as steps.
private final class RetrainingProgress: ProgressReporter {
  private let step = Mutex(RetrainingStep(name: "", done: 0, total: nil))
  private let report: @Sendable (RetrainingStep) -> Void

  init(_ report: @escaping @Sendable (RetrainingStep) -> Void) { self.report = report }

  func begin(_ stage: String, total: Int?, unit: String) {
    change { $0 = RetrainingStep(name: stage, done: 0, total: total) }
  }

  func update(_ done: Int) { change { $0.done = max($0.done, done) } }
  func end(_ note: String?) {}
  func warn(_ message: String) {}

  private func change(_ body: (inout RetrainingStep) -> Void) {
    report(
      step.withLock { step in
        body(&step)
        return step
      })
  }
}
