import Artefacts
import CleanNet
import Evaluation
import Foundation
import Torch
import Workspace

/// Judges every label by the model trained last.
public struct ScoreStage: Sendable {
  public var threads = 2
  /// The largest share of wrong labels to leave among the images kept, shown with 95 % confidence; nil: labels are
  /// called wrong where that is likelier than not.
  public var targetNoise: Double?

  public init() {}

  public struct Outcome: Sendable, Codable {
    /// The scores' key.
    public var scores: String
    public var model: String
    /// Images judged.
    public var images: Int
    /// Labels taken to be wrong.
    public var wrong: Int
    /// The expected share of wrong labels: the mean of 1 − probability.
    public var estimatedNoise: Double
    /// How many wrong labels are left at most among the images kept; nil if nothing was verified.
    public var guarantee: NoiseGuarantee?
    /// The same by class name.
    public var guaranteedUpperByClass: [String: Double]
    public var seconds: Double
    public var reused: Bool
  }

  public func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let result = try StageRunner(workspace).run(Declaration(targetNoise: targetNoise)) { inputs, _, key in
      let start = ContinuousClock.now
      let data = try TrainingData(inputs.snapshot)
      let model = try ModelFiles(workspace, key: inputs.training.key).readModel()
      guard inputs.modelFeatures.map({ $0 == data.featureSet.key }) ?? true,
        model.featureDimension == data.features.dimension,
        model.references.classes == data.classNames.count
      else {
        throw PipelineError(
          .badInput, "The model was trained on other features or classes than the workspace has now",
          remedy: "Train again: cleannet train")
      }
      progress.begin("Scoring", total: data.labels.count, unit: "images")
      var judgements = model.judge(data.trainingSet, store: NeighborFile(workspace).store, threads: threads) {
        progress.update($0)
      }
      if let targetNoise { try apply(targetNoise, to: &judgements, data) }
      let guarantee = NoiseGuarantee(
        labels: data.labels, isKept: (0..<judgements.count).map { judgements.isRight($0) ?? false },
        verdicts: data.randomVerdicts)
      try Self.write(
        judgements, verdicts: data.verdicts,
        to: try workspace.scoreWriter(key: key, count: judgements.count))
      var outcome = Outcome(
        scores: key, model: inputs.training.key, images: 0, wrong: 0, estimatedNoise: 0, guarantee: guarantee,
        guaranteedUpperByClass: Dictionary(
          uniqueKeysWithValues: (guarantee?.perClass ?? [:]).map { (data.classNames[$0], $1.upper) }),
        seconds: 0, reused: false)
      for image in 0..<judgements.count {
        guard let isRight = judgements.isRight(image) else { continue }
        outcome.images += 1
        outcome.wrong += isRight ? 0 : 1
        outcome.estimatedNoise += 1 - Double(judgements.probability[image])
      }
      outcome.estimatedNoise /= Double(max(1, outcome.images))
      outcome.seconds = (ContinuousClock.now - start).inSeconds
      progress.end("\(outcome.images) images, \(outcome.wrong) labels look wrong")
      return outcome
    }
    var outcome = result.outcome
    outcome.reused = result.wasThere
    return outcome
  }

  /// The model trained last, and what it judges.
  struct Inputs: StageInputs {
    let snapshot: Workspace
    let training: StageRun
    /// The key of the features that the model was trained on; nil of models of earlier versions.
    let modelFeatures: String?
    let digests: [String: String]
  }

  public struct Settings: Sendable, Codable {
    public var targetNoise: Double?
  }

  /// What the labels were scored with last; nil if they were not.
  public static func lastSettings(_ workspace: Workspace) throws -> Settings? {
    try workspace.finishedRun(stage: "score").flatMap {
      try? JSONDecoder().decode(Settings.self, from: Data($0.settings.utf8))
    }
  }

  /// What the runner has to know.
  struct Declaration: Stage {
    typealias Inputs = ScoreStage.Inputs
    typealias Settings = ScoreStage.Settings
    typealias Outcome = ScoreStage.Outcome
    let targetNoise: Double?

    var name: String { "score" }

    func inputs(_ snapshot: Workspace) throws -> Inputs {
      guard let training = try snapshot.finishedRun(stage: "train") else {
        throw PipelineError(.missingInput, "No model has been trained yet", remedy: "Run: cleannet train")
      }
      var digests = try StageContent(snapshot).digests()
      digests[InputName.model] = training.key
      let outcome = training.metrics.flatMap {
        try? JSONDecoder().decode(TrainStage.Outcome.self, from: Data($0.utf8))
      }
      return Inputs(
        snapshot: snapshot, training: training, modelFeatures: outcome?.features, digests: digests)
    }

    func settings(_ inputs: Inputs) -> Settings { Settings(targetNoise: targetNoise) }

    func files(key: String) -> [String] { ["scores/\(key)"] }
  }

  /// Moves the threshold to where the wished share can be shown.
  private func apply(_ wished: Double, to judgements: inout Judgements, _ data: TrainingData) throws {
    let scores = judgements.basis == .cosine ? judgements.cosine : judgements.probability
    guard
      let found = thresholdForNoise(
        wished, scores: scores, labels: data.labels, verdicts: data.randomVerdicts)
    else {
      // With n verified images kept, none of them wrong, the bound is 1 − 0.05^(1/n).
      let needed = Int((log(0.05) / log(1 - wished)).rounded(.up))
      throw PipelineError(
        .badInput,
        "At no threshold can it be shown that at most \(wished * 100) % of the kept labels are wrong",
        remedy: "That needs at least \(needed) verified images among those kept, almost all of them right; "
          + "\(data.randomVerdicts.count) drawn at random are verified in all. Verify more, or wish for less")
    }
    for image in 0..<judgements.count where !judgements.threshold[image].isNaN {
      judgements.threshold[image] = found.threshold
    }
  }

  /// Where a person has verified an image, the verdict and the weights are the person's; the probability stays what
  /// the model makes of it.
  static func write(_ judgements: Judgements, verdicts: [Int: Bool], to writer: ScoreWriter) throws {
    for image in 0..<judgements.count {
      let isRight = verdicts[image] ?? judgements.isRight(image)
      let known: Float? = verdicts[image].map { $0 ? 1 : 0 }
      try writer.append(
        ScoreRow(
          cosine: judgements.cosine[image], probability: judgements.probability[image],
          threshold: judgements.threshold[image],
          verdict: isRight.map { $0 ? .right : .wrong } ?? .unknown,
          softWeight: known ?? judgements.softWeight[image],
          hardWeight: known ?? judgements.hardWeight(image),
          suggestedLabel: Int32(judgements.suggestedClass[image]),
          suggestedCosine: judgements.suggestedCosine[image], disagreement: judgements.disagreement[image]))
    }
    try writer.finish()
  }
}
