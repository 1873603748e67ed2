import Artefacts
import Backbones
import Classifier
import Foundation
import Images
import Torch
import Workspace

/// Trains a classifier with sample weights: a head on stored features, or a network on the images.
///
/// The same images, weights and settings give the same key and are not trained on twice. A fine-tuning that is
/// killed goes on from its last state and ends in the same weights.
package struct ClassifyTrainStage: Sendable {
  package enum Method: Sendable {
    /// On stored features: seconds.
    /// - penalty: of the head's weights; nil: chosen on a fifth of the images.
    case head(penalty: Double?)
    case network(FineTuningSettings)
  }

  /// A network that is trained on the images themselves.
  package struct FineTuningSettings: Sendable, Codable {
    package var backbone = BackboneKind.efficientNetLite0
    /// The file of weights that it starts from; nil: the one that set-up put into the user's cache.
    package var weights: String?
    /// Width and height of the images; nil: as `embed` had them, else what the network was made for.
    package var size: Int?
    package var recipe = FineTuningRecipe()
    /// The share of the images that choose the best epoch instead of being trained on.
    package var validationShare = 0.1

    package init() {}
  }

  package var method: Method
  package var weighting: Weighting
  /// The column that holds the true labels, for the weights `oracle`.
  package var truth: String?
  package var relabel: Double?
  package var classBalanced = false
  package var seed: UInt64 = 0
  package var threads = 2
  /// On what a network is trained.
  package var device = DeviceChoice.auto
  /// Samples that are not trained on, because the classifier is to judge them.
  var leftOut: Set<Int> = []
  /// The scores that the weights are made of; nil: those of the last `score`.
  var scores: SampleScores?
  /// The name that the run has in the workspace's history. `classify evaluate`, `predict` and `export` take the last one
  /// of the name that is usual.
  var runName = Self.usualRunName
  static let usualRunName = "classify"

  /// Steps between two states on disk.
  static let stateInterval = 100

  package init(_ method: Method, weighting: Weighting) {
    self.method = method
    self.weighting = weighting
  }

  package struct Outcome: Sendable, Codable {
    package var classifier: String
    /// The file of the best weights.
    package var file: String
    package var weights: String
    /// Images that count.
    package var images: Int
    package var classes: Int
    /// Classes for which no image counts: the classifier never names them.
    package var silentClasses: [String]
    /// Images that could not be read.
    package var problems: Int
    /// Of a head.
    package var penalty: Double?
    /// Of a network: epoch by epoch, and the best of them.
    package var epochs: [EpochRow]
    package var bestEpoch: Int?
    package var seconds: Double
    /// Whether the classifier was there already.
    package var reused: Bool
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let outcome =
      switch method {
      case .head(let penalty): try trainHead(workspace, penalty: penalty, progress: progress)
      case .network(let network): try NetworkStage(self, network).run(workspace, progress: progress)
      }
    if !outcome.silentClasses.isEmpty {
      progress.warn(
        "With the weights \(weighting.name), all images weigh 0 in: \(outcome.silentClasses.joined(separator: ", "))"
      )
    }
    return outcome
  }

  /// The inputs of training a head.
  private struct HeadInputs: StageInputs {
    let data: ClassifierData
    let weights: SampleWeights
    let source: HeadSource
    let digests: [String: String]
  }

  /// The settings that tell a head from others on the same images and weights.
  private struct HeadSettings: Codable {
    var penalty: Double?
    var seed: UInt64
  }

  private func trainHead(
    _ workspace: Workspace, penalty: Double?, progress: some ProgressReporter
  ) throws -> Outcome {
    let declaration = ClassifierDeclaration(name: runName, leaves: ["best.safetensors"]) { snapshot in
      let data = try ClassifierData(snapshot)
      let weights = try weights(
        snapshot, examples: data.examples, labels: data.labels, verdicts: data.data.verdicts)
      let set = data.data.featureSet
      return HeadInputs(
        data: data, weights: weights, source: try HeadSource(snapshot, set),
        digests: [
          InputName.features: "\(set.key) \(try snapshot.digest(of: set))",
          InputName.labels: try snapshot.fingerprint(of: .labels), InputName.weights: weights.hash,
        ])
    } settle: { _ in
      HeadSettings(penalty: penalty, seed: seed)
    }
    return try run(declaration, workspace) { inputs, _, key, files in
      let start = ContinuousClock.now
      let data = inputs.data
      let weights = inputs.weights
      progress.begin("Training the head", total: 100, unit: "%")
      let trained = HeadFit(penalty: penalty.map { .fixed($0) } ?? .own, seed: seed).train(
        data.features, examples: data.examples, labels: data.labels, classes: data.classNames.count,
        weights: [weights]
      ) { progress.update(Int($0 * 100)) }[0]
      progress.end(nil)
      let (about, tensors) = try inputs.source.classifier(
        trained.head, classes: data.classNames, weights: weighting.name)
      try ClassifierFile.write(tensors, about: about, to: files.best)
      return Outcome(
        classifier: key, file: files.best, weights: weighting.name, images: weights.countingExamples,
        classes: data.classNames.count, silentClasses: data.silentClasses(weights), problems: 0,
        penalty: trained.penalty, epochs: [], bestEpoch: nil,
        seconds: (ContinuousClock.now - start).inSeconds, reused: false)
    }
  }

  /// The images' weights; some of them count.
  func weights(
    _ workspace: Workspace, examples: [Int], labels: [Int], verdicts: [Int: Bool]
  ) throws -> SampleWeights {
    let scores = weighting.usesScores ? try self.scores ?? SampleScores.last(workspace).scores : nil
    let column = try truth.map { try TruthColumn(workspace, named: $0) }
    var maker = WeightMaker(
      workspace: workspace, examples: examples, labels: labels, verdicts: verdicts, truth: column)
    maker.relabel = relabel
    maker.classBalanced = classBalanced
    let weights = try maker.weights(weighting, scores: scores)
    guard weights.countingExamples > 0 else {
      throw PipelineError(
        .badInput, "With the weights \(weighting.name), all images weigh 0", remedy: "Choose other weights")
    }
    return weights
  }

  /// Trains, unless what would come out is there.
  func run<Inputs, Settings>(
    _ declaration: ClassifierDeclaration<Inputs, Settings>, _ workspace: Workspace,
    _ train: (Inputs, Settings, _ key: String, ClassifierFiles) throws -> Outcome
  ) throws -> Outcome {
    func files(_ key: String) -> ClassifierFiles { ClassifierFiles(folder: workspace.modelFolder(key: key)) }
    let result = try StageRunner(workspace).run(declaration) { inputs, settings, key in
      try files(key).makeFolder()
      return try train(inputs, settings, key, files(key))
    } cleanUp: { key in
      // Only going on after an interruption needs it.
      unlink(files(key).state)
    }
    var outcome = result.outcome
    outcome.reused = result.wasThere
    return outcome
  }
}

/// The facts about a classifier's training that the runner needs.
struct ClassifierDeclaration<Inputs: StageInputs, Settings: Codable>: Stage {
  typealias Outcome = ClassifyTrainStage.Outcome

  let name: String
  /// The files in the classifier's folder that it consists of.
  let leaves: [String]
  /// Reads everything from a snapshot.
  let read: (Workspace) throws -> Inputs
  let settle: (Inputs) throws -> Settings

  func inputs(_ snapshot: Workspace) throws -> Inputs { try read(snapshot) }

  func settings(_ inputs: Inputs) throws -> Settings { try settle(inputs) }

  func files(key: String) -> [String] {
    leaves.map { "models/\(key)/\($0)" }
  }
}

extension SampleWeights {
  /// How many examples count at all.
  var countingExamples: Int { (0..<count).count { total($0) > 0 } }

  /// A hash of all of it.
  var hash: String {
    var hash = StableHash()
    for values in [weights, secondWeights] { values.withUnsafeBytes { hash.combine($0) } }
    for label in secondLabels { hash.combine(label) }
    return hash.text
  }
}

/// Where the features that a head is trained on come from.
private struct HeadSource {
  let features: String
  /// The network that made them, where it is one of the built-in kinds.
  let settings: EmbedStage.Settings.Part?
  let weights: String?

  init(_ workspace: Workspace, _ set: FeatureSet) throws {
    features = set.key
    let run = try workspace.finishedRun(stage: "embed", key: set.key)
    settings = run.flatMap {
      try? JSONDecoder().decode(EmbedStage.Settings.self, from: Data($0.settings.utf8)).only
    }
    weights = set.about["weights"]
  }

  /// The head behind its network, or alone where features came without one.
  func classifier(
    _ head: Head, classes: [String], weights name: String
  ) throws -> (ClassifierFile.About, [(name: String, tensor: Tensor)]) {
    var about = ClassifierFile.About(
      backbone: nil, preparation: nil, precision: .auto, classes: classes, weights: name, features: features)
    guard let settings, let backbone = settings.backbone, let weights else {
      return (about, head.parameters.prefixed(ClassifierFile.headName))
    }
    guard try BackboneWeights.fingerprint(weights) == settings.weights else {
      throw PipelineError(
        .badInput, "The weights \(weights) have changed since the features were computed",
        remedy: "Put them back, or embed again: cleannet embed")
    }
    about.backbone = backbone
    about.preparation = settings.preparation
    about.precision = Precision(rawValue: settings.precision) ?? .auto
    let checkpoint = try Checkpoint.read(path: weights, stripModulePrefix: true)
    let classifier = backbone.classifierName(in: checkpoint)
    let network = checkpoint.tensors.filter { !$0.name.hasPrefix(classifier + ".") }
    return (
      about,
      network.map { ($0.name, Tensor($0.tensor)) } + head.parameters.prefixed(classifier)
    )
  }
}
