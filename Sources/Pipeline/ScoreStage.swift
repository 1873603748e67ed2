import Artefacts
import CleanNet
import Evaluation
import Foundation
import Torch
import Workspace

/// Judges every label by the model trained last.
package struct ScoreStage: Sendable {
  package var threads = 2
  /// Where neighbors are searched, if they must be.
  package var device = DeviceChoice.auto
  /// The largest share of wrong labels to leave among the images kept, shown with 95 % confidence; nil: labels are
  /// called wrong where that is likelier than not.
  package var targetNoise: Double?
  /// The share of the true nearest neighbors to find where images are many; nil: that of training.
  package var recall: Double?

  package init() {}

  package struct Outcome: Sendable, Codable {
    /// The scores' key.
    package var scores: String
    package var model: String
    /// Images judged.
    package var images: Int
    /// Labels taken to be wrong.
    package var wrong: Int
    /// The expected share of wrong labels: the mean of 1 − probability.
    package var estimatedNoise: Double
    /// Verified images that were weighed, and how many of them were drawn at random: only these carry the guarantee.
    package var verified: Int
    package var drawnAtRandom: Int
    /// How many of those were answered "not sure": the guarantee counts them as wrong. Nil from earlier versions.
    package var unsureAtRandom: Int?
    /// How many wrong labels are left at most among the images kept; nil if nothing was verified.
    package var guarantee: NoiseGuarantee?
    /// Names of classes that the guarantee does not cover, because too few of their images were drawn at random.
    package var uncovered: [String]
    /// The same by class name.
    package var guaranteedUpperByClass: [String: Double]
    /// How neighbors were searched, and the recall reached; nil where none were.
    package var neighbors: NeighborQuality?
    package var seconds: Double
    package var reused: Bool
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let declaration = Declaration(targetNoise: targetNoise, recall: recall)
    let result = try StageRunner(workspace).run(declaration) { inputs, _, key in
      let start = ContinuousClock.now
      let data = try LabeledFeatures(inputs.snapshot)
      progress.begin("Scoring", total: data.labels.count, unit: "images")
      var judgements = try judge(workspace, inputs, data, progress)
      if let targetNoise { try apply(targetNoise, to: &judgements, data) }
      let guarantee = NoiseGuarantee(
        labels: data.labels, isKept: (0..<judgements.count).map { judgements.isRight($0) ?? false },
        verdicts: data.randomVerdicts)
      try Self.write(
        judgements, verdicts: data.verdicts,
        to: try workspace.scoreWriter(key: key, count: judgements.count))
      var outcome = Outcome(
        scores: key, model: inputs.training.key, images: 0, wrong: 0, estimatedNoise: 0,
        verified: data.verdicts.count, drawnAtRandom: data.randomVerdicts.count,
        unsureAtRandom: data.randomUnsure, guarantee: guarantee,
        uncovered: (guarantee?.uncovered ?? []).map { data.classNames[$0] },
        guaranteedUpperByClass: Dictionary(
          uniqueKeysWithValues: (guarantee?.perClass ?? [:]).map { (data.classNames[$0], $1.upper) }),
        neighbors: judgements.neighbors, seconds: 0, reused: false)
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

  /// The model trained last, and the images that it judges.
  struct Inputs: StageInputs {
    let snapshot: Workspace
    let training: StageRun
    /// The key of the features that the model was trained on; nil of models of earlier versions.
    let modelFeatures: String?
    /// Whether the extended objective was trained on the labels and features that there are now, so that its evidence
    /// holds.
    let isOfTheseLabels: Bool
    let digests: [String: String]
  }

  package struct Settings: Sendable, Codable {
    package var targetNoise: Double?
    package var recall: Double?
  }

  /// The settings of the last scoring; nil if there was none.
  package static func lastSettings(_ workspace: Workspace) throws -> Settings? {
    try workspace.finishedRun(stage: "score").flatMap {
      try? JSONDecoder().decode(Settings.self, from: Data($0.settings.utf8))
    }
  }

  /// The command that scores again as it was done last.
  static func lastCommand(_ workspace: Workspace) throws -> String {
    let last = try lastSettings(workspace)
    let options = [
      last?.targetNoise.map { "--target-noise \($0)" }, last?.recall.map { "--recall \($0)" },
    ]
    return (["cleannet score"] + options.compactMap(\.self)).joined(separator: " ")
  }

  /// The facts that the runner needs.
  struct Declaration: Stage {
    typealias Inputs = ScoreStage.Inputs
    typealias Settings = ScoreStage.Settings
    typealias Outcome = ScoreStage.Outcome
    let targetNoise: Double?
    let recall: Double?

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
      let now = try StageContent(snapshot).digests(for: outcome?.objective)
      return Inputs(
        snapshot: snapshot, training: training, modelFeatures: outcome?.features,
        isOfTheseLabels: outcome?.objective == .extended && training.inputs == now, digests: digests)
    }

    func settings(_ inputs: Inputs) -> Settings { Settings(targetNoise: targetNoise, recall: recall) }

    func files(key: String) -> [String] { ["scores/\(key)"] }
  }

  /// By the evidence that training left, if it belongs to these images and labels; else the model looks at all of them
  /// again.
  private func judge(
    _ workspace: Workspace, _ inputs: Inputs, _ data: LabeledFeatures, _ progress: some ProgressReporter
  ) throws -> Judgements {
    let files = ModelFiles(workspace, key: inputs.training.key)
    if inputs.isOfTheseLabels, let evidence = try files.readEvidence(),
      evidence.classes == data.classNames.count,
      evidence.images.elementsEqual(data.labels.indices.filter { data.labels[$0] >= 0 })
    {
      return Judgements(
        evidence, verifications: data.trainingSet.verifications, count: data.labels.count)
    }
    let model = try files.readModel()
    guard inputs.modelFeatures.map({ $0 == data.featureSet.key }) ?? true,
      model.featureDimension == data.features.dimension,
      model.references.classes == data.classNames.count
    else {
      throw PipelineError(
        .badInput, "The model was trained on other features or classes than the workspace has now",
        remedy: "Train again: cleannet train")
    }
    guard model.configuration.given == nil else {
      throw PipelineError(
        .badInput, "The model was trained with --evidence on other labels than the workspace has now",
        remedy: "Train again: cleannet train --evidence FILE")
    }
    return model.judge(
      data.trainingSet, recall: recall, store: workspace.neighborStore,
      device: try device.forNeighbors(of: data, progress), threads: threads
    ) {
      progress.update($0)
    }
  }

  /// Moves the threshold to where the wished share can be shown.
  private func apply(_ wished: Double, to judgements: inout Judgements, _ data: LabeledFeatures) throws {
    guard judgements.keep(noise: wished, labels: data.labels, verdicts: data.randomVerdicts) else {
      // With n verified images kept, none of them wrong, the bound is 1 − 0.05^(1/n).
      let needed = Int((log(0.05) / log(1 - wished)).rounded(.up))
      throw PipelineError(
        .badInput,
        "No threshold can guarantee that at most \(wished * 100) % of the kept labels are wrong",
        remedy: """
          This needs at least \(needed) verified images among the kept ones, almost all of them right; \
          \(data.randomVerdicts.count) drawn at random are verified in all. Verify more, or raise --target-noise
          """)
    }
  }

  static func write(_ judgements: Judgements, verdicts: [Int: Bool], to writer: ScoreWriter) throws {
    for image in 0..<judgements.count {
      try writer.append(judgements.row(image, verdict: verdicts[image]))
    }
    try writer.finish()
  }
}
