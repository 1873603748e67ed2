import Artefacts
import CleanNet
import Foundation
import Synchronization
import Torch
import Workspace

/// Reference sets, then the network, then the threshold: all that scoring needs, in one file of the workspace.
///
/// The same content and settings give the same key and are not trained on twice. A run that is killed goes on
/// from its last checkpoint.
package struct TrainStage: Sendable {
  package var objective = Objective.extended
  /// K, the references of a class.
  package var references = 32
  /// Overrides of the objective's settings; nil: as they are.
  package var steps: Int?
  package var normalization: FeatureNormalization?
  /// The share of the true nearest neighbors to find where images are many; nil: the usual one.
  package var recall: Double?
  /// Files of probabilities of other models, as further evidence.
  package var evidence: [String] = []
  package var seed: UInt64 = 0
  package var threads = 2
  /// Where neighbors are searched.
  package var device = DeviceChoice.auto

  /// Steps between two checkpoints on disk.
  static let checkpointInterval = 1000

  package init() {}

  package struct Outcome: Sendable, Codable {
    /// The model's key.
    package var model: String
    /// The key of the features that it judges; nil of models of earlier versions.
    package var features: String?
    package var objective: Objective
    package var images: Int
    package var classes: Int
    package var verified: Int
    package var verifiedClasses: Int
    package var steps: Int
    /// Mean AUROC within classes on the validation split of the verified images, where it is defined.
    package var validationRanking: Double?
    /// How neighbors were searched, and the recall reached; nil where none were.
    package var neighbors: NeighborQuality?
    package var seconds: Double
    /// Whether the model was there already.
    package var reused: Bool
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    if objective == .paper, !evidence.isEmpty {
      throw PipelineError(
        .badInput, "The paper's objective does not use evidence of other models",
        remedy: "Leave --evidence out, or train with --objective extended")
    }
    let result = try StageRunner(workspace).run(Declaration(stage: self)) { data, configuration, key in
      for note in data.given.flatMap(\.notes) { progress.warn(note) }
      let start = ContinuousClock.now
      let files = ModelFiles(workspace, key: key)
      try files.makeFolder()
      let show = progress.training(networks: configuration.folds)
      let training = Training(
        data.trainingSet, configuration: configuration, store: workspace.neighborStore,
        device: try device.forNeighbors(of: data, progress), keepsJudge: true, threads: threads, report: show)
      let trained = try training.run(
        keeper: files.keeper(interval: Self.checkpointInterval), report: show)
      progress.end(nil)
      try files.write(trained.model)
      if let evidence = trained.evidence { try files.write(evidence) }
      if let judge = trained.judge { try files.write(judge) }
      let rankings = trained.histories.compactMap { $0.max { $0.value < $1.value }?.ranking }
      let verifiedClasses = Set(data.verdicts.keys.map { data.labels[$0] }).count
      return Outcome(
        model: key, features: data.featureSet.key, objective: objective,
        images: data.labels.count { $0 >= 0 },
        classes: Set(data.labels.lazy.filter { $0 >= 0 }).count, verified: data.verdicts.count,
        verifiedClasses: verifiedClasses,
        steps: trained.histories.map { $0.last?.step ?? 0 }.max() ?? 0,
        validationRanking: rankings.isEmpty ? nil : rankings.reduce(0, +) / Double(rankings.count),
        neighbors: training.space?.neighborQuality, seconds: (ContinuousClock.now - start).inSeconds,
        reused: false)
    } cleanUp: {
      ModelFiles(workspace, key: $0).removeCheckpoints()
    }
    var outcome = result.outcome
    outcome.reused = result.wasThere
    return outcome
  }

  /// The settings that tell this training from others of the same images, as text.
  func settingsText() throws -> String {
    try [
      objective.rawValue, "\(references)", steps.map { "\($0)" } ?? "", normalization?.rawValue ?? "",
      "\(seed)", recall.map { "\($0)" } ?? "", evidence.joined(separator: "\n"),
    ].json()
  }

  /// The settings of the last training, to train again as it was done before.
  package mutating func takeLastSettings(_ workspace: Workspace) throws {
    let last = try workspace.finishedRun(stage: "train").flatMap {
      try? JSONDecoder().decode(Configuration.self, from: Data($0.settings.utf8))
    }
    guard let last else { return }
    objective = last.objective
    references = last.kMeans.clusters
    steps = last.training.steps
    seed = last.seed
    normalization = last.normalization
    recall = last.recall
    evidence = last.given?.map(\.path) ?? []
  }

  /// The command that trains again as it was done last, with what is not the usual.
  static func lastCommand(_ workspace: Workspace) throws -> String {
    guard
      let last = try workspace.finishedRun(stage: "train").flatMap({
        try? JSONDecoder().decode(Configuration.self, from: Data($0.settings.utf8))
      })
    else { return "cleannet train" }
    var usual = Configuration.of(last.objective, dimension: 1)
    usual.kMeans.clusters = TrainStage().references
    let options = [
      last.objective == TrainStage().objective ? nil : "--objective \(last.objective.rawValue)",
      last.kMeans.clusters == usual.kMeans.clusters ? nil : "--references \(last.kMeans.clusters)",
      last.training.steps == usual.training.steps ? nil : "--steps \(last.training.steps)",
      // The normalization that suits the features is known only when training starts.
      last.normalization == FeatureNormalization.none ? "--normalization none" : nil,
      last.recall.map { "--recall \($0)" }, last.seed == TrainStage().seed ? nil : "--seed \(last.seed)",
    ]
    let evidence = last.given?.map { "--evidence '\($0.path)'" } ?? []
    return (["cleannet train"] + options.compactMap(\.self) + evidence).joined(separator: " ")
  }

  /// The facts that the runner needs.
  struct Declaration: Stage {
    typealias Inputs = LabeledFeatures
    typealias Settings = Configuration
    typealias Outcome = TrainStage.Outcome
    let stage: TrainStage

    var name: String { "train" }

    func inputs(_ snapshot: Workspace) throws -> LabeledFeatures {
      let data = try LabeledFeatures(snapshot, for: stage.objective)
      guard stage.objective == .extended || !data.verdicts.isEmpty else {
        throw PipelineError(
          .missingInput,
          "No image has been verified yet, and the paper's objective learns from verified images",
          remedy:
            "Look at a few dozen images of some classes: cleannet review, or cleannet verify export and import"
        )
      }
      return try data.with(evidence: stage.evidence, of: snapshot)
    }

    func settings(_ inputs: LabeledFeatures) -> Configuration { stage.configuration(for: inputs) }

    func files(key: String) -> [String] {
      let more = stage.objective == .extended ? [ModelFiles.evidenceName, ModelFiles.judgeName] : []
      return ([ModelFiles.modelName] + more).map { "models/\(key)/\($0)" }
    }
  }

  fileprivate func configuration(for data: LabeledFeatures) -> Configuration {
    var configuration = Configuration.of(objective, dimension: data.features.dimension)
    configuration.seed = seed
    configuration.recall = recall
    configuration.given = data.given.isEmpty ? nil : data.given.map(\.file)
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
        case .space(let share): ("Neighbors", Int(share * 100), 100, "%")
        case .beliefs: ("Estimating the true classes", 0, nil, "")
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
