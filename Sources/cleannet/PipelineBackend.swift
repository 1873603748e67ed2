import Pipeline
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
