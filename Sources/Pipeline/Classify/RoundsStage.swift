import Classifier
import CleanNet
import Foundation
import Images
import Workspace

/// CleanNet and the classifier in turn (CleanNet, section 3.4): a network that was trained on the data set shows
/// CleanNet more than one that never saw it, and CleanNet's weights make the network better.
///
/// Round 0 trains the network on the labels as they are. Every further round asks networks about images that they were not
/// trained on (``OutOfFoldStage``), trains CleanNet on the features with these answers as further evidence, scores, and
/// trains the network anew with the weights. Every part is kept under its key; run again after an interruption, only
/// what is missing is done.
package struct RoundsStage: Sendable {
  package var rounds: Int
  /// The classifier's training; its weighting is that of the rounds after the first.
  package var classifier: ClassifyTrainStage
  package var network: ClassifyTrainStage.FineTuningSettings

  package init(
    rounds: Int, classifier: ClassifyTrainStage, network: ClassifyTrainStage.FineTuningSettings
  ) {
    self.rounds = rounds
    self.classifier = classifier
    self.network = network
  }

  package struct Round: Sendable, Codable {
    package var round: Int
    /// Keys of the results that the round's weights came from; nil in round 0.
    package var features: String?
    /// The file of networks' predictions for images that they were not trained on: probabilities, `[N, C]`.
    package var evidence: String?
    package var model: String?
    package var scores: String?
    /// The share of wrong labels that scoring expects.
    package var estimatedNoise: Double?
    /// The share of unverified labels that scoring judges as the column of the truth does.
    package var judgedRight: Double?
    package var weights: String
    package var file: String
    /// On images held out, by their weights.
    package var validationTop1: Double?
    /// On the split test, if there is one.
    package var testTop1: Double?
    /// Of `testTop1` over round 0's.
    package var gain: Double?
    package var seconds: Double
  }

  package struct Outcome: Sendable, Codable {
    package var rounds: [Round]
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    guard try !workspace.verifications().isEmpty else {
      throw PipelineError(
        .missingInput, "No image has been verified yet, and rounds need verdicts",
        remedy: "Run: cleannet verify export, then cleannet verify import")
    }
    try Vips.load()
    let cleanNet = try cleanNetStage(workspace)
    if try workspace.mappedFeatures() == nil { _ = try EmbedStage().run(workspace, progress: progress) }
    var network = network
    network.size = try NetworkStage(classifier, network).size(workspace)
    let settings = try network.json()
    let key = StableHash.of(
      "classify-rounds", try workspace.fingerprint(of: .images, .labels, .verifications), settings,
      try cleanNet.settingsText(), classifier.weighting.name, "\(classifier.seed)")
    let run = try workspace.beginRun(stage: "classify-rounds", key: key, settings: settings)
    var outcome = Outcome(rounds: [])
    for number in 0...rounds {
      progress.begin("Round \(number) of \(rounds)", total: nil, unit: "")
      progress.end(number == 0 ? "labels as they are" : "features of round \(number - 1)")
      let round = try self.round(
        number, after: outcome.rounds, network, cleanNet, workspace, progress: progress)
      outcome.rounds.append(round)
    }
    try workspace.finishRun(run, .done, metrics: try outcome.json())
    return outcome
  }

  private func round(
    _ number: Int, after earlier: [Round], _ network: ClassifyTrainStage.FineTuningSettings,
    _ cleanNet: TrainStage, _ workspace: Workspace, progress: some ProgressReporter
  ) throws -> Round {
    let start = ContinuousClock.now
    var stage = classifier
    stage.method = .network(network)
    var round = Round(round: number, weights: Weighting.none.name, file: "", seconds: 0)
    if let before = earlier.last {
      var halves = stage
      // The first answers come from networks that know the labels as they are.
      halves.weighting = before.round == 0 ? .none : classifier.weighting
      let evidence = try OutOfFoldStage(classifier: halves).run(workspace, progress: progress).file
      var cleanNet = cleanNet
      cleanNet.evidence.append(evidence)
      let trained = try cleanNet.run(workspace, progress: progress)
      round.evidence = evidence
      round.features = trained.features
      round.model = trained.model
      var scoring = ScoreStage()
      scoring.threads = classifier.threads
      scoring.device = classifier.device
      let scored = try scoring.run(workspace, progress: progress)
      round.scores = scored.scores
      round.estimatedNoise = scored.estimatedNoise
      round.judgedRight = try judgedRight(workspace)
      round.weights = classifier.weighting.name
    } else {
      stage.weighting = .none
    }
    let trained = try stage.run(workspace, progress: progress)
    round.file = trained.file
    round.validationTop1 = trained.epochs.first { $0.epoch == trained.bestEpoch }?.validationTop1
    if try workspace.splitNames().contains("test") {
      var test = ClassifyEvaluateStage()
      test.file = trained.file
      test.truth = classifier.truth
      test.threads = classifier.threads
      test.device = classifier.device
      round.testTop1 = try test.run(workspace, progress: progress).top1.mean
      if let first = earlier.first?.testTop1, let now = round.testTop1 { round.gain = now - first }
    }
    round.seconds = (ContinuousClock.now - start).inSeconds
    return round
  }

  /// CleanNet's training, with the settings of the last one, if there was any.
  private func cleanNetStage(_ workspace: Workspace) throws -> TrainStage {
    var stage = TrainStage()
    try stage.takeLastSettings(workspace)
    stage.seed = classifier.seed
    stage.threads = classifier.threads
    stage.device = classifier.device
    // Each round has answers of its own.
    stage.evidence.removeAll { $0.hasPrefix(workspace.modelFolder(key: "")) }
    return stage
  }

  /// How often the scores and the truth agree, on images that were not verified.
  private func judgedRight(_ workspace: Workspace) throws -> Double? {
    guard let truth = classifier.truth else { return nil }
    let isRight = try TruthColumn(workspace, named: truth).isRight
    let verified = Set(try workspace.verifications().map(\.sample))
    let hard = try SampleScores.last(workspace).scores.hard
    let judged = hard.indices.filter { !hard[$0].isNaN && isRight[$0] != nil && !verified.contains($0) }
    guard !judged.isEmpty else { return nil }
    return Double(judged.count { (hard[$0] == 1) == isRight[$0] }) / Double(judged.count)
  }
}
