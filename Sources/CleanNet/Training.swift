import Foundation
import Synchronization
import Torch

/// All of training, from features and labels to a model.
///
/// `paper`: reference sets over the features, and one network. `extended`: principal components, beliefs about the true
/// classes from all evidence that needs no network, reference sets, and one network a fold, trained on those beliefs.
///
/// ```swift
/// let training = Training(data, configuration: .paper(dimension: 1280), threads: 2)
/// let model = try training.run().model
/// let judgements = model.judge(data, threads: 2)
/// ```
///
/// ``LabelModel`` is the shorter way with the extended objective.
public struct Training: Sendable {
  public let configuration: Configuration
  /// The configuration of each network.
  private let networkConfiguration: Configuration
  /// The space of the evidence; nil for the paper's objective.
  public let space: FeatureSpace?
  private let evidence: (finder: EvidenceFinder, basis: EvidenceFinder.Basis)?
  private let keepsJudge: Bool
  private let set: TrainingSet
  /// Per image of `set` the fold whose network must not train on it.
  private let folds: [Int]
  private let references: ReferenceSets
  private let threads: Int
  /// Where the judge's index lies while it is built.
  private let scratch: String?

  /// The progress of training.
  public enum Event: Sendable {
    /// Principal components and nearest neighbors; the share done.
    case space(Double)
    /// Beliefs about the true classes.
    case beliefs
    /// Classes whose reference set is made, of all.
    case references(done: Int, of: Int)
    /// Steps made, by all networks together, of all.
    case steps(done: Int, of: Int)
  }

  /// Prepares: makes the reference sets and what they need.
  ///
  /// - Parameters:
  ///   - space: The space of the same features and images, if it was computed before.
  ///   - store: May hold the neighbors of an earlier search, if there is no space.
  ///   - device: Where neighbors are searched, if there is no space.
  ///   - keepsJudge: Whether the outcome has a ``LabelJudge`` for images that come later.
  ///   - report: Called from any thread.
  public init(
    _ data: TrainingSet, configuration: Configuration, space: FeatureSpace? = nil,
    store: NeighborStore? = nil, device: Device = .cpu, keepsJudge: Bool = false, threads: Int,
    report: (@Sendable (Event) -> Void)? = nil
  ) {
    do throws(CancellationError) {
      try self.init(
        data, configuration: configuration, space: space, store: store, device: device,
        keepsJudge: keepsJudge, threads: threads, stop: StopSignal(), report: report)
    } catch {
      preconditionFailure("nobody else has the signal")
    }
  }

  /// - Throws: `CancellationError` when `stop` is set.
  init(
    _ data: TrainingSet, configuration: Configuration, space: FeatureSpace? = nil,
    store: NeighborStore? = nil, device: Device = .cpu, keepsJudge: Bool, threads: Int, stop: StopSignal,
    report: (@Sendable (Event) -> Void)?
  ) throws(CancellationError) {
    scratch = store?.folder
    self.configuration = configuration
    self.threads = threads
    self.keepsJudge = keepsJudge
    if configuration.components != nil {
      let space =
        space
        ?? FeatureSpace(data, configuration: configuration, store: store, device: device, threads: threads) {
          report?(.space($0))
        }
      try stop.check()
      report?(.beliefs)
      let finder = EvidenceFinder(data, in: space, parts: configuration.evidence)
      try stop.check()
      let basis = finder.basis()
      try stop.check()
      self.space = space
      evidence = (finder, basis)
      // Verdicts weigh the evidence afterwards (see VerdictModel); networks that learned from them would have to be
      // trained again after each one.
      set = TrainingSet(
        features: space.features, labels: finder.labels.labels, classes: data.classes,
        verifications: [], beliefs: basis.beliefs)
      folds = space.foldOfRows(configuration.folds)
      networkConfiguration = configuration.network(dimension: space.components.dimension)
    } else {
      self.space = nil
      evidence = nil
      set = data
      folds = Array(repeating: -1, count: data.labels.count)
      networkConfiguration = configuration
    }
    let classes = data.classes
    report?(.references(done: 0, of: classes))
    references = ReferenceSets.clustering(
      set.features, members: set.believedMembers, normalization: networkConfiguration.normalization,
      kMeans: configuration.kMeans, seed: configuration.seed, threads: threads,
      isStopped: { stop.isSet }, progress: { report?(.references(done: $0, of: classes)) })
    try stop.check()
  }

  /// Keeps checkpoints while a network is trained, so that training can go on after it was stopped.
  public struct Keeper: Sendable {
    /// Steps between two checkpoints.
    public var interval: Int
    /// The kept state of a fold's network, if any.
    public var restore: @Sendable (_ fold: Int) -> TrainerCheckpoint?
    public var keep: @Sendable (_ fold: Int, TrainerCheckpoint) throws -> Void

    public init(
      interval: Int, restore: @escaping @Sendable (Int) -> TrainerCheckpoint?,
      keep: @escaping @Sendable (Int, TrainerCheckpoint) throws -> Void
    ) {
      self.interval = interval
      self.restore = restore
      self.keep = keep
    }
  }

  /// The result of training.
  public struct Outcome: Sendable {
    public var model: CleanNetModel
    /// The evidence on the images that the model was trained on; nil with the paper's objective.
    public var evidence: LabelEvidence?
    /// Judges images that come later; nil with the paper's objective, whose model does so alone, and if it was not asked
    /// for.
    public var judge: LabelJudge?
    /// The validations of each fold's network.
    public var histories: [[ValidationLook]]
  }

  /// Trains the networks, several at a time, each on threads of its own.
  ///
  /// - Throws: Errors of `keeper`.
  public func run(keeper: Keeper? = nil, report: (@Sendable (Event) -> Void)? = nil) throws -> Outcome {
    try run(keeper: keeper, stop: StopSignal(), report: report)
  }

  /// - Throws: Errors of `keeper`; `CancellationError` when `stop` is set.
  func run(
    keeper: Keeper? = nil, stop: StopSignal, report: (@Sendable (Event) -> Void)?
  ) throws -> Outcome {
    let folds = configuration.folds
    let counter = StepCounter(folds: folds, total: folds * configuration.training.steps, report: report)
    let results = concurrentMap(over: folds, threads: threads) { fold in
      Result { try train(fold, keeper: keeper, stop: stop, counter: counter) }
    }
    let trained = try results.map { try $0.get() }
    let model = CleanNetModel(
      networks: trained.map(\.network), references: references, components: space?.components,
      decision: trained.first?.decision, configuration: configuration)
    var outcome = Outcome(model: model, histories: trained.map(\.history))
    if let (finder, basis) = evidence {
      try stop.check()
      let (found, explanation) = model.explained(finder, basis)
      try stop.check()
      outcome.evidence = found
      if keepsJudge {
        outcome.judge = LabelJudge(
          model: model, finder: finder, basis: basis, evidence: found, explanation: explanation,
          scratch: scratch, threads: threads)
      }
    }
    return outcome
  }

  private struct Trained: Sendable {
    var network: Network
    var history: [ValidationLook]
    /// Only of the paper's objective.
    var decision: Decision?
  }

  private func train(
    _ fold: Int, keeper: Keeper?, stop: StopSignal, counter: StepCounter
  ) throws -> Trained {
    var configuration = networkConfiguration
    configuration.seed &+= UInt64(fold)
    let heldAside: [VerificationLabel]? = space == nil ? nil : []
    let others = set.excluding { folds[$0] == fold }
    let trainer = Trainer(
      others, references: references, configuration: configuration, validation: heldAside)
    // Of a handful of images all may lie in one fold. Then there is nothing to learn from, and labels get their say alone.
    let isEmpty = others.members.allSatisfy(\.isEmpty)
    // A checkpoint that does not fit was kept by another version: start anew.
    if let kept = keeper?.restore(fold) { try? trainer.restore(kept) }
    while !isEmpty, !trainer.isDone {
      try stop.check()
      trainer.advance()
      counter.update(fold, trainer.step)
      if let keeper, trainer.step % keeper.interval == 0, !trainer.isDone {
        try keeper.keep(fold, trainer.checkpoint)
      }
    }
    let network = trainer.trained
    return Trained(
      network: network, history: trainer.history,
      decision: space == nil ? decision(network, on: trainer.validation, of: trainer.data) : nil)
  }

  /// The threshold and the calibration that the validation images suggest.
  private func decision(_ network: Network, on images: [VerificationLabel], of data: TrainingSet) -> Decision
  {
    let scorer = Scorer(network, references, normalization: networkConfiguration.normalization)
    let margin = configuration.losses.margin
    guard !images.isEmpty else { return .fitted([], natural: margin, slope: 10) }
    let cosines = scorer.cosines(data.features.rows(images.map(\.image))).floats()
    let judged = images.enumerated().map { row, verification in
      let label = data.labels[verification.image]
      return (
        score: Double(cosines[row * data.classes + label]), label: label, isRight: verification.isRight
      )
    }
    return .fitted(judged, natural: margin, slope: 10)
  }
}

/// Adds up the steps of networks that train side by side.
private final class StepCounter: Sendable {
  private let steps: Mutex<[Int]>
  private let total: Int
  private let report: (@Sendable (Training.Event) -> Void)?

  init(folds: Int, total: Int, report: (@Sendable (Training.Event) -> Void)?) {
    steps = Mutex(Array(repeating: 0, count: folds))
    self.total = total
    self.report = report
  }

  func update(_ fold: Int, _ done: Int) {
    guard let report else { return }
    let sum = steps.withLock { steps in
      steps[fold] = done
      return steps.reduce(0, +)
    }
    report(.steps(done: sum, of: total))
  }
}
