import Foundation
import Torch

/// Trains a network, step by step. It can be stopped after any step and go on later from its ``checkpoint``.
public final class Trainer {
  public let configuration: Configuration
  public let data: TrainingSet
  public let references: ReferenceSets
  /// The verified images that choose the checkpoint, and later the threshold; never trained on.
  public let validation: [VerificationLabel]
  public private(set) var network: Network
  /// Steps made so far.
  public private(set) var step = 0
  /// The validations so far.
  public private(set) var history: [ValidationLook] = []

  private let optimizer: any Optimizer
  private var sampler: BatchSampler
  private let dropout: Generator
  /// Classes with references.
  private let present: [Int]
  /// The references as the first layer reads them: in bfloat16 they are converted once instead of in every step.
  private let encoderInput: Tensor
  private var best: [(name: String, tensor: Tensor)] = []
  private var bestValue = -Double.infinity
  private var looksSinceBest = 0
  private var losses: [Double] = []

  /// - Parameter validation: Verified images for validation; nil: a split of the ones in `data`; these then do not train.
  public init(
    _ data: TrainingSet, references: ReferenceSets, configuration: Configuration,
    validation: [VerificationLabel]? = nil
  ) {
    precondition(references.classes == data.classes, "the reference sets are not of these classes")
    self.data = data
    self.references = references
    self.configuration = configuration
    let training = configuration.training
    encoderInput = training.bfloat16 ? references.references.to(.bfloat16) : references.references
    network = Network(configuration.architecture, bfloat16: training.bfloat16, seed: configuration.seed)
    network.requireGradients()
    optimizer =
      switch training.method {
      case .sgd:
        SGD(
          network.parameters, learningRate: training.learningRate, momentum: 0.9,
          weightDecay: training.weightDecay)
      case .adamW:
        AdamW(network.parameters, learningRate: training.learningRate, weightDecay: training.weightDecay)
      }
    let split =
      validation.map { (training: data.verifications, validation: $0) }
      ?? data.splitVerifications(share: training.validationShare, seed: configuration.seed)
    self.validation = split.validation
    let looked = Set(data.verifications.map(\.image))
    let members = data.members
    present = members.indices.filter { !members[$0].isEmpty }
    sampler = BatchSampler(
      verified: split.training, unverified: members.map { $0.filter { !looked.contains($0) } },
      sizes: (training.verifiedBatch, training.unverifiedBatch), seed: configuration.seed &+ 1)
    dropout = Generator(seed: configuration.seed &+ 2)
  }

  /// Whether training has ended: by the number of steps, or because it no longer improves.
  public var isDone: Bool {
    let training = configuration.training
    return step >= training.steps || (training.patience > 0 && looksSinceBest >= training.patience)
  }

  /// Makes one step.
  public func advance() {
    let training = configuration.training
    let batch = sampler.next()
    let images = batch.verified.map(\.image) + batch.unverified
    let labels = images.map { data.labels[$0] }
    let classes =
      configuration.objective == .paper
      ? Set(labels).sorted()
      : sampler.classes(of: labels, among: present, count: training.classesAtHand)
    let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    let own = Tensor(labels.map { place[$0] ?? 0 }).oneHot(classes: classes.count).to(.float32)
    let verified = Tensor(images.indices.map { $0 < batch.verified.count ? Float(1) : 0 })
    let right = Tensor(batch.verified.map(\.isRight) + batch.unverified.map { _ in false })

    let features = configuration.normalization(data.features.rows(images))
    let queries = network.query(features)
    let index = Tensor(classes)
    let embeddings = network.reference(
      encoderInput.indexSelect(index), mask: references.mask.indexSelect(index), dropoutBy: dropout)
    let beliefs = data.beliefs?.shares(images, of: classes)
    let loss = configuration.losses.total(
      cosines: Network.cosines(queries, embeddings), own: own, beliefs: beliefs, verified: verified,
      right: right,
      reconstruction: reconstructionLoss(features, network.query.decode(queries)))
    loss.backward()
    optimizer.learningRate = training.learningRate * training.schedule.factor(at: step)
    optimizer.step()
    step += 1
    losses.append(loss.item)
    if step % training.validationInterval == 0 || step == training.steps { look() }
  }

  /// Looks at the validation images, and keeps the network if it is the best so far.
  private func look() {
    let mean = losses.reduce(0, +) / Double(max(1, losses.count))
    losses.removeAll(keepingCapacity: true)
    let ranking = validationRanking()
    // Without verified images to validate on, the latest network is the best.
    let value = ranking ?? Double(step)
    history.append(ValidationLook(step: step, loss: mean, ranking: ranking, value: value))
    looksSinceBest += 1
    // Among equals the later one, which has seen more.
    if value >= bestValue {
      bestValue = value
      looksSinceBest = 0
      best = network.parameters.map { ($0.name, $0.tensor.detached().clone()) }
    }
  }

  private func validationRanking() -> Double? {
    guard !validation.isEmpty else { return nil }
    let images = validation.map(\.image)
    let scorer = Scorer(network, references, normalization: configuration.normalization)
    let cosines = scorer.cosines(data.features.rows(images)).floats()
    let classes = data.classes
    var byClass: [Int: [(score: Double, right: Bool)]] = [:]
    for (row, verification) in validation.enumerated() {
      let label = data.labels[verification.image]
      byClass[label, default: []].append((Double(cosines[row * classes + label]), verification.isRight))
    }
    // Weighted by the number of pairs, so that a class with a single wrong image does not decide.
    var sum = 0.0
    var weight = 0.0
    for (_, judged) in byClass.sorted(by: { $0.key < $1.key }) {
      let ranking = Ranking(scores: judged.map(\.score), isRight: judged.map(\.right))
      guard let auroc = ranking.auroc else { continue }
      let pairs = Double(ranking.right * ranking.wrong)
      sum += auroc * pairs.squareRoot()
      weight += pairs.squareRoot()
    }
    return weight > 0 ? sum / weight : nil
  }

  /// The result of training: the best network seen, or the latest if none has been measured yet.
  public var trained: Network {
    let chosen = Network(
      configuration.architecture, bfloat16: configuration.training.bfloat16, seed: configuration.seed)
    let source = best.isEmpty ? network.parameters : best
    for ((_, target), (_, value)) in zip(chosen.parameters, source) { target.copyInPlace(value) }
    return chosen
  }

  // MARK: Stopping and going on

  /// Everything that the trainer needs to continue as if it had not stopped. A copy: later steps do not change it.
  public var checkpoint: TrainerCheckpoint {
    let progress = TrainerCheckpoint.Progress(
      step: step, history: history, sampler: sampler.state, bestValue: bestValue.isFinite ? bestValue : nil,
      looksSinceBest: looksSinceBest, losses: losses)
    // Steps change the parameters and the optimizer's state in place.
    let living = network.parameters.prefixed("network") + optimizer.state.prefixed("optimizer")
    return TrainerCheckpoint(
      progress: progress,
      tensors: living.map { ($0.name, $0.tensor.detached().clone()) } + best.prefixed("best")
        + [("dropout", dropout.state)])
  }

  /// Restores the state of a trainer of the same data and configuration.
  public func restore(_ checkpoint: TrainerCheckpoint) throws(ParameterError) {
    func part(_ prefix: String) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: checkpoint.tensors.filter { $0.name.hasPrefix(prefix + ".") }
          .map { (String($0.name.dropFirst(prefix.count + 1)), $0.tensor) })
    }
    let kept = part("best")
    guard let dropoutState = checkpoint.tensors.first(where: { $0.name == "dropout" })?.tensor else {
      throw .missing("dropout")
    }
    try network.restore(part("network"))
    try optimizer.restore(part("optimizer"))
    dropout.state = dropoutState
    best = kept.isEmpty ? [] : network.parameters.compactMap { name, _ in kept[name].map { (name, $0) } }
    let progress = checkpoint.progress
    step = progress.step
    history = progress.history
    looksSinceBest = progress.looksSinceBest
    bestValue = progress.bestValue ?? -.infinity
    losses = progress.losses
    sampler.state = progress.sampler
  }
}

/// One validation.
public struct ValidationLook: Sendable, Hashable, Codable {
  public var step: Int
  /// The mean loss of the steps since the last validation.
  public var loss: Double
  /// How well cosines rank right before wrong labels among the validation images, within classes: mean AUROC. nil
  /// where no class has both.
  public var ranking: Double?
  /// The measure that chooses the best checkpoint; larger is better.
  public var value: Double
}

/// A trainer's state between two steps.
public struct TrainerCheckpoint: Sendable {
  /// Everything that is not a tensor.
  public struct Progress: Codable, Sendable {
    public var step: Int
    var history: [ValidationLook]
    var sampler: BatchSampler.State
    var bestValue: Double?
    var looksSinceBest: Int
    var losses: [Double]
  }

  public var progress: Progress
  public var tensors: [(name: String, tensor: Tensor)]

  public init(progress: Progress, tensors: [(name: String, tensor: Tensor)]) {
    self.progress = progress
    self.tensors = tensors
  }
}
