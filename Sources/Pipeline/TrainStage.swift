import CleanNet
import Foundation
import Synchronization
import Torch
import Workspace

/// Reference sets, then the network, then the threshold: all that scoring needs, in one file of the workspace.
///
/// What depends on the same content and settings has the same key and is not done twice. A run that is killed goes on
/// from its last checkpoint.
public struct TrainStage: Sendable {
  public var objective = Objective.extended
  /// K, the references of a class.
  public var references = 32
  /// Overrides of the objective's settings; nil: as they are.
  public var steps: Int?
  public var normalization: FeatureNormalization?
  /// The share of the true nearest neighbours to find where images are many; nil: the usual one.
  public var recall: Double?
  public var seed: UInt64 = 0
  public var threads = 2

  /// Steps between two checkpoints on disk.
  static let checkpointInterval = 1000

  public init() {}

  public struct Outcome: StageOutcome {
    /// The model's key.
    public var model: String
    public var objective: Objective
    public var images: Int
    public var classes: Int
    public var verified: Int
    public var verifiedClasses: Int
    public var steps: Int
    /// Mean AUROC within classes on the validation split of the verified images, where it is defined.
    public var validationRanking: Double?
    /// How neighbours were searched, and the recall reached; nil where none were.
    public var neighbors: NeighborQuality?
    public var seconds: Double
    /// The hash of what the model follows from.
    public var content: String
    /// Whether the model was there already.
    public var reused: Bool
  }

  public func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let data = try TrainingData(workspace)
    // The paper's objective learns from verdicts alone. The extended one learns from features and labels, and verdicts
    // are weighed when labels are scored.
    guard objective == .extended || !data.verdicts.isEmpty else {
      throw PipelineError(
        .missingInput,
        "No image has been verified yet, and the paper's objective learns from verified images",
        remedy:
          "Look at a few dozen images of some classes: cleannet review, or cleannet verify export and import")
    }
    let configuration = configuration(for: data)
    let settings = try configuration.json()
    let content = try StageContent(workspace).fingerprint(for: objective)
    let key = StableHash.of("train", content, settings)
    return try workspace.withWriteLock("train") {
      let files = ModelFiles(workspace, key: key)
      if let done = try workspace.finishedRun(stage: "train", key: key), let metrics = done.metrics,
        FileManager.default.fileExists(atPath: files.model),
        var outcome = try? JSONDecoder().decode(Outcome.self, from: Data(metrics.utf8))
      {
        // Makes this model the latest, whatever was trained in between.
        try workspace.finishRun(
          try workspace.beginRun(stage: "train", key: key, settings: settings), .done, metrics: metrics)
        outcome.reused = true
        return outcome
      }
      let run = try workspace.beginRun(stage: "train", key: key, settings: settings)
      let start = ContinuousClock.now
      try files.makeFolder()
      let show = progress.training(networks: configuration.folds)
      let training = Training(
        data.trainingSet, configuration: configuration, store: workspace.neighborStore,
        threads: threads,
        report: show)
      let trained = try training.run(
        keeper: files.keeper(interval: Self.checkpointInterval), report: show)
      progress.end(nil)
      try files.write(trained.model)
      if let evidence = trained.evidence { try files.write(evidence) }
      let rankings = trained.histories.compactMap { $0.max { $0.value < $1.value }?.ranking }
      let verifiedClasses = Set(data.verdicts.keys.map { data.labels[$0] }).count
      let outcome = Outcome(
        model: key, objective: objective, images: data.labels.count { $0 >= 0 },
        classes: Set(data.labels.lazy.filter { $0 >= 0 }).count, verified: data.verdicts.count,
        verifiedClasses: verifiedClasses,
        steps: trained.histories.map { $0.last?.step ?? 0 }.max() ?? 0,
        validationRanking: rankings.isEmpty ? nil : rankings.reduce(0, +) / Double(rankings.count),
        neighbors: training.space?.neighborQuality, seconds: (ContinuousClock.now - start).inSeconds,
        content: content, reused: false)
      try workspace.finishRun(run, .done, metrics: try outcome.json())
      files.removeCheckpoints(folds: configuration.folds)
      return outcome
    }
  }

  /// What sets this training apart from others of the same images, as text.
  func settingsText() throws -> String {
    try [
      objective.rawValue, "\(references)", steps.map { "\($0)" } ?? "", normalization?.rawValue ?? "",
      "\(seed)", recall.map { "\($0)" } ?? "",
    ].json()
  }

  /// What the last training came to; nil if there was none.
  public static func lastOutcome(_ workspace: Workspace) throws -> Outcome? {
    try workspace.finishedRun(stage: "train")?.metrics.flatMap {
      try? JSONDecoder().decode(Outcome.self, from: Data($0.utf8))
    }
  }

  private func configuration(for data: TrainingData) -> Configuration {
    var configuration = Configuration.of(objective, dimension: data.features.dimension)
    configuration.seed = seed
    configuration.recall = recall
    configuration.kMeans.clusters = references
    configuration.normalization = normalization ?? .suited(to: data.features)
    if let steps { configuration.setSteps(steps) }
    return configuration
  }
}

extension ProgressReporter {
  /// Shows the events of training as stages of their own.
  func training(networks: Int) -> @Sendable (Training.Event) -> Void {
    let current = Mutex("")
    return { event in
      let (name, done, total, unit): (String, Int, Int?, String) =
        switch event {
        case .space(let share): ("Neighbours", Int(share * 100), 100, "%")
        case .beliefs: ("Beliefs about true classes", 0, nil, "")
        case .references(let done, let total): ("Reference sets", done, total, "classes")
        case .steps(let done, let total):
          ("Training CleanNet (\(networks) network\(networks == 1 ? "" : "s"))", done, total, "steps")
        }
      current.withLock { shown in
        if shown != name {
          if !shown.isEmpty { end(nil) }
          begin(name, total: total, unit: unit)
          shown = name
        }
      }
      update(done)
    }
  }
}
