import Classifier
import CleanNet
import Evaluation
import Foundation
import Torch
import Workspace

/// Trains a classifier once for each way to weigh the images, a head on stored features or a network on the images, and
/// tests each on the split `test`.
///
/// With several seeds CleanNet itself is trained anew for each but the first, with the settings of the last
/// `cleannet train`: what the classifier gains depends on its judgement more than on anything else. The first seed uses
/// the scores that the workspace has. Scores of further seeds are kept, so that another comparison finds them.
package struct CompareStage: Sendable {
  /// The column that holds the true labels, for `oracle`.
  package var truth: String
  package var weightings: [Weighting]
  package var seeds = 1
  package var seed: UInt64 = 0
  package var threads = 2
  /// Where networks are fine-tuned and tested.
  package var device = DeviceChoice.auto
  package var relabel: Double?
  package var classBalanced = false
  package var penalty = Penalty.shared
  /// The network that is fine-tuned; nil: heads on stored features. Networks are kept, so that a comparison that is
  /// interrupted goes on where it was.
  package var network: ClassifyTrainStage.FineTuningSettings?

  /// How the heads' penalty is chosen.
  package enum Penalty: Sendable, Hashable {
    /// One for all ways to weigh, as the paper trains all with one recipe. It is the one under which images held out
    /// are likeliest, by the weights `soft` where they are compared, else by the first ones. No clean label is needed.
    case shared
    /// For each way to weigh under its own weights. `none` then takes a large one, which makes up for much noise.
    case own
    case fixed(Double)
  }

  package init(truth: String, weightings: [Weighting]) {
    self.truth = truth
    self.weightings = weightings
  }

  package struct Outcome: Sendable, Codable {
    package struct Run: Sendable, Codable {
      package var weights: String
      package var top1: Estimate
      package var top5: Estimate
      /// The mean over classes of the share classified right.
      package var classMean: Estimate
      /// In top-1 accuracy over `none`, seed by seed; nil where that is not compared.
      package var gain: Estimate?
      /// By seed; of heads.
      package var penalties: [Double]
    }

    package var truth: String
    package var runs: [Run]
    /// Of the gain of `oracle` over `none` in top-1 accuracy the share that each other way reaches; empty where one of
    /// the two is missing or the oracle gains nothing.
    package var gainShare: [String: Double]
    package var trainImages: Int
    package var testImages: Int
    package var verified: Int
    /// The share of wrong labels among the images trained on, where the truth is known.
    package var noiseRate: Double
    package var seeds: Int
    package var seconds: Double
    /// By way to weigh, classes whose images all weigh nothing.
    package var silentClasses: [String: [String]]
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let start = ContinuousClock.now
    let truthColumn = try TruthColumn(workspace, named: truth)
    let data = try ClassifierData(workspace, truth: truth)
    try data.requireTests()
    var maker = data.weightMaker(workspace, truth: truthColumn)
    maker.relabel = relabel
    maker.classBalanced = classBalanced
    let usesScores = weightings.contains(where: \.usesScores)
    var results: [[Result]] = []
    var silent: [String: Set<String>] = [:]
    for index in 0..<seeds {
      let scores = usesScores ? try self.scores(index, workspace, data.data, progress: progress) : nil
      let weights = try weightings.map { try maker.weights($0, scores: scores) }
      for (weighting, weights) in zip(weightings, weights) {
        let classes = data.silentClasses(weights)
        if !classes.isEmpty { silent[weighting.name, default: []].formUnion(classes) }
      }
      results.append(
        try network.map { try networks($0, index, scores, workspace, progress: progress) }
          ?? heads(index, data, weights, progress: progress))
    }
    for (name, classes) in silent.sorted(by: { $0.key < $1.key }) {
      progress.warn(
        "With the weights \(name), all images weigh 0 in: \(classes.sorted().joined(separator: ", "))")
    }
    let runs = summary(results)
    let known = data.examples.compactMap { truthColumn.isRight[$0] }
    let outcome = Outcome(
      truth: truth, runs: runs, gainShare: Self.gainShare(runs), trainImages: data.examples.count,
      testImages: data.tests.count, verified: data.data.verdicts.count,
      noiseRate: Double(known.count { !$0 }) / Double(max(1, known.count)), seeds: seeds,
      seconds: (ContinuousClock.now - start).inSeconds, silentClasses: silent.mapValues { $0.sorted() })
    // Kept for the report.
    let record = try workspace.beginRun(
      stage: "classify-compare", key: StableHash.of("classify-compare", try outcome.runs.json()))
    try workspace.finishRun(record, .done, metrics: try outcome.json())
    return outcome
  }

  /// The result of one classifier.
  struct Result {
    var metrics: ClassificationMetrics
    var penalty: Double?
  }

  private func heads(
    _ index: Int, _ data: ClassifierData, _ weights: [SampleWeights], progress: some ProgressReporter
  ) -> [Result] {
    progress.begin("Classifier heads, seed \(index + 1) of \(seeds)", total: 100, unit: "%")
    defer { progress.end(nil) }
    return HeadFit(penalty: penaltyChoice, seed: seed &+ UInt64(index)).train(
      data.features, examples: data.examples, labels: data.labels, classes: data.classNames.count,
      weights: weights
    ) { progress.update(Int($0 * 100)) }
    .map { Result(metrics: data.test($0.head), penalty: $0.penalty) }
  }

  private func networks(
    _ network: ClassifyTrainStage.FineTuningSettings, _ index: Int, _ scores: SampleScores?,
    _ workspace: Workspace,
    progress: some ProgressReporter
  ) throws -> [Result] {
    try weightings.map { weighting in
      var stage = ClassifyTrainStage(.network(network), weighting: weighting)
      stage.truth = truth
      stage.relabel = relabel
      stage.classBalanced = classBalanced
      stage.seed = seed &+ UInt64(index)
      stage.threads = threads
      stage.device = device
      stage.scores = scores
      // The comparison's classifiers are not the one that is in use.
      stage.runName = "classify-compared"
      let trained = try stage.run(workspace, progress: progress)
      var test = ClassifyEvaluateStage()
      test.truth = truth
      test.threads = threads
      test.device = device
      return Result(
        metrics: try test.test(workspace, ClassifierFile(path: trained.file), progress: progress).metrics)
    }
  }

  /// - Parameter results: by seed, then by way to weigh.
  private func summary(_ results: [[Result]]) -> [Outcome.Run] {
    let none = weightings.firstIndex(of: .none)
    return weightings.indices.compactMap { place in
      func estimate(_ value: (ClassificationMetrics) -> Double) -> Estimate? {
        Estimate(runs: results.map { value($0[place].metrics) })
      }
      guard let top1 = estimate(\.top1), let top5 = estimate(\.top5), let mean = estimate(\.classMean) else {
        return nil
      }
      let gain = none.flatMap { none in
        none == place
          ? nil : Estimate(runs: results.map { $0[place].metrics.top1 - $0[none].metrics.top1 })
      }
      return Outcome.Run(
        weights: weightings[place].name, top1: top1, top5: top5, classMean: mean, gain: gain,
        penalties: results.compactMap { $0[place].penalty })
    }
  }

  private var penaltyChoice: HeadFit.Penalty {
    switch penalty {
    case .shared: .shared(by: weightings.firstIndex(of: .soft) ?? 0)
    case .own: .own
    case .fixed(let value): .fixed(value)
    }
  }

  private static func gainShare(_ runs: [Outcome.Run]) -> [String: Double] {
    guard let none = runs.first(where: { $0.weights == Weighting.none.name })?.top1.mean,
      let oracle = runs.first(where: { $0.weights == Weighting.oracle.name })?.top1.mean, oracle > none
    else { return [:] }
    let others = runs.filter { ![Weighting.none.name, Weighting.oracle.name].contains($0.weights) }
    return Dictionary(others.map { ($0.weights, ($0.top1.mean - none) / (oracle - none)) }) { first, _ in
      first
    }
  }

  /// The scores by CleanNet of a seed.
  private func scores(
    _ index: Int, _ workspace: Workspace, _ data: LabeledFeatures, progress: some ProgressReporter
  ) throws -> SampleScores {
    guard index > 0 else { return try SampleScores.last(workspace).scores }
    guard let run = try workspace.finishedRun(stage: "train"),
      var configuration = try? JSONDecoder().decode(Configuration.self, from: Data(run.settings.utf8))
    else {
      throw PipelineError(
        .missingInput, "There is no training of CleanNet to repeat with other seeds",
        remedy: "Run: cleannet train")
    }
    configuration.seed &+= UInt64(index)
    let key = StableHash.of(
      "compare", data.featureSet.key, try workspace.fingerprint(of: .images, .labels, .verifications),
      try configuration.json())
    if let kept = try workspace.scores(key: key) { return SampleScores(kept) }
    return try workspace.withWriteLock("classify") {
      let show = progress.training(networks: configuration.folds)
      let training = Training(data.trainingSet, configuration: configuration, threads: threads, report: show)
      let model = try training.run(report: show).model
      progress.end("seed \(configuration.seed)")
      let judgements = model.judge(data.trainingSet, threads: threads)
      try ScoreStage.write(
        judgements, verdicts: data.verdicts, to: try workspace.scoreWriter(key: key, count: judgements.count))
      return SampleScores(
        soft: judgements.softWeight, hard: (0..<judgements.count).map(judgements.hardWeight),
        suggested: judgements.suggestedClass)
    }
  }
}
