import Backbones
import Foundation
import Images
import Torch

/// Trains a network on images with sample weights.
///
/// The loss of a step is `Σ_i Σ_c t_ic · −log p_ic / images a step`, where t are the examples' targets (their weights, smoothed,
/// perhaps mixed) scaled to a mean of 1: over an epoch the weighted mean of the paper (section 3.4). Examples of weight 0
/// are never looked at.
///
/// Every random choice follows from the seed, the epoch and the image. So a run that is interrupted and goes on from its
/// last state ends in the same weights, to the bit, as one that is not. An epoch leaves out the images, other ones each
/// time, that do not fill a step.
package final class FineTuning {
  package let classifier: ImageClassifier
  private let recipe: FineTuningRecipe
  private let data: FineTuningData
  private let threads: Int
  private let weights: SampleWeights
  private let training: [Int]
  private let seeds: Seeds
  private var optimizers: [(optimizer: any Optimizer, factor: Double)] = []
  private let average: WeightAverage?
  package private(set) var progress = FineTuningState.Progress()
  /// The sum of the epoch's losses so far, where the network is: reading it makes a GPU wait.
  private let lossSum: Tensor

  /// - Parameter threads: of the loader; the network takes `Engine.threads`.
  package init(_ classifier: ImageClassifier, recipe: FineTuningRecipe, data: FineTuningData, threads: Int) {
    precondition(classifier.classes == data.classes, "the classifier has other classes")
    self.classifier = classifier
    self.recipe = recipe
    self.data = data
    self.threads = threads
    lossSum = .zeros([], dtype: .float64).to(classifier.backbone.device)
    weights = data.weights.normalized()
    training = data.training
    precondition(!training.isEmpty, "no example counts")
    seeds = Seeds(seed: recipe.seed)
    average = recipe.averaging > 0 ? WeightAverage(classifier.state, decay: recipe.averaging) : nil
    for (parameters, factor) in [
      (classifier.backbone.parameters, 1), (classifier.headParameters, recipe.headFactor),
    ] {
      // Batch norms and biases would only lose by decay.
      for (group, decay) in [
        (parameters.filter { $0.tensor.rank > 1 }, recipe.weightDecay),
        (parameters.filter { $0.tensor.rank <= 1 }, 0),
      ] where !group.isEmpty {
        optimizers.append((optimizer(group, decay: decay), factor))
      }
    }
  }

  private func optimizer(_ parameters: [(name: String, tensor: Tensor)], decay: Double) -> any Optimizer {
    switch recipe.optimization {
    case .sgd:
      SGD(parameters, learningRate: recipe.rate, momentum: 0.9, weightDecay: decay, nesterov: true)
    case .adamw: AdamW(parameters, learningRate: recipe.rate, weightDecay: decay)
    }
  }

  private var imagesPerStep: Int { min(recipe.batchSize * recipe.accumulation, training.count) }
  private var stepsPerEpoch: Int { max(1, training.count / imagesPerStep) }
  package var totalSteps: Int { stepsPerEpoch * recipe.epochs }

  private var schedule: LearningRateSchedule {
    .cosine(total: totalSteps, warmup: Int((recipe.warmup * Double(totalSteps)).rounded()))
  }

  /// Trains to the end.
  ///
  /// - Parameters:
  ///   - keeper: Where states and the best weights go; without one, training begins anew.
  ///   - stopAfter: Ends after this many steps of this call, as if it had been killed.
  ///   - report: Called after every step with the number of steps done.
  /// - Returns: whether training is complete.
  @discardableResult
  package func run(
    keeper: FineTuningKeeper? = nil, stopAfter: Int = .max, report: (Int) -> Void = { _ in }
  ) throws -> Bool {
    if let state = keeper?.restore() { try restore(state) }
    var stepsLeft = stopAfter
    return try keepingFreedMemory {
      while progress.epoch < recipe.epochs {
        guard try runEpoch(keeper, &stepsLeft, report) else { return false }
        try finishEpoch(keeper)
      }
      return true
    }
  }

  /// - Returns: whether the epoch is complete.
  private func runEpoch(
    _ keeper: FineTuningKeeper?, _ stepsLeft: inout Int, _ report: (Int) -> Void
  ) throws -> Bool {
    let epoch = UInt64(progress.epoch)
    var random = SplitMix64(seed: seeds.mixed(1, epoch))
    let order = Array(training.shuffled(using: &random).prefix(stepsPerEpoch * imagesPerStep))
    let batchSize = min(recipe.batchSize, order.count)
    let rest = Array(order.dropFirst(progress.batch * batchSize))
    let loader = data.loader(
      rest, batchSize: batchSize, threads: threads, augmentation: recipe.augmentation
    ) { [seeds] example in seeds.mixed(2, epoch, UInt64(example)) }
    defer { loader.cancel() }
    while let batch = loader.next() {
      for (place, problem) in batch.problems { progress.problems[rest[place]] = problem.explanation }
      if batch.count > 0 { try learn(batch, examples: batch.indices.map { rest[$0] }) }
      progress.batch += 1
      guard progress.batch.isMultiple(of: recipe.accumulation) || progress.batch * batchSize >= order.count
      else { continue }
      step()
      report(progress.step)
      stepsLeft -= 1
      // At an epoch's end the state is kept after validation.
      if let keeper, progress.step.isMultiple(of: keeper.interval), progress.batch * batchSize < order.count {
        readLoss()
        try keeper.keep(state)
      }
      if stepsLeft <= 0 { return false }
    }
    return true
  }

  /// Adds a batch's gradients.
  private func learn(_ batch: ImageBatch, examples: [Int]) throws(FineTuningError) {
    var pixels = batch.pixels
    var targets = weights.targets(
      examples, labels: data.labels, classes: data.classes, smoothing: recipe.labelSmoothing)
    if recipe.mixup > 0 {
      let seed = seeds.mixed(3, UInt64(progress.epoch), UInt64(progress.batch))
      let mixup = Mixup(count: examples.count, alpha: recipe.mixup, seed: seed)
      pixels = mixup.pixels(pixels)
      targets = mixup.targets(targets)
    }
    let device = classifier.backbone.device
    let loss = ifMemorySuffices {
      let loss = -(classifier.logits(pixels.to(device)).logSoftmax(dim: 1) * targets.to(device)).sum()
      (loss / Double(imagesPerStep)).backward()
      return loss.detached()
    }
    guard let loss else { throw .memory(device, images: examples.count) }
    lossSum.addInPlace(loss.to(.float64))
    progress.images += examples.count
  }

  /// Brings what is reported and kept up to date.
  private func readLoss() { progress.lossSum = lossSum.item }

  private func step() {
    let rate = recipe.rate * schedule.factor(at: progress.step)
    for (optimizer, factor) in optimizers {
      optimizer.learningRate = rate * factor
      optimizer.step()
    }
    average?.update(step: progress.step)
    progress.step += 1
  }

  private func finishEpoch(_ keeper: FineTuningKeeper?) throws {
    let validation = try validate()
    readLoss()
    progress.epoch += 1
    progress.rows.append(
      EpochRow(
        epoch: progress.epoch, steps: progress.step,
        learningRate: recipe.rate * schedule.factor(at: progress.step - 1),
        loss: progress.lossSum / Double(max(1, progress.images)), validationLoss: validation?.loss,
        validationTop1: validation?.top1, images: progress.images))
    progress.batch = 0
    progress.lossSum = 0
    lossSum.fillInPlace(0)
    progress.images = 0
    // Without validation the last weights are the best.
    let loss = validation?.loss ?? -Double(progress.epoch)
    if progress.bestLoss.map({ loss < $0 }) ?? true {
      progress.bestLoss = loss
      progress.bestEpoch = progress.epoch
      try keeper?.keepBest(currentWeights, progress.epoch)
    }
    try keeper?.keep(state)
  }

  /// The weights that are validated and kept: the moving average, or the last ones.
  package var currentWeights: [(name: String, tensor: Tensor)] {
    classifier.weights(replacing: average?.byName ?? [:])
  }

  private func validate() throws -> (loss: Double, top1: Double)? {
    let counting = data.validation.filter { weights.total($0) > 0 }
    guard !counting.isEmpty else { return nil }
    let network = try InferenceClassifier(
      classifier.backbone.kind, checkpoint: Checkpoint(currentWeights), precision: recipe.precision,
      device: classifier.backbone.device)
    var loss = 0.0
    var right = 0.0
    var mass = 0.0
    let loader = data.loader(counting, batchSize: 32, threads: threads, augmentation: nil)
    network.forEachBatch(loader, batches: (counting.count + 31) / 32, threads: threads) { answer in
      guard let logits = answer.logits else { return }
      let examples = answer.images.map { counting[$0] }
      let targets = weights.targets(examples, labels: data.labels, classes: data.classes, smoothing: 0)
      loss -= (logits.logSoftmax(dim: 1) * targets).sum().item
      mass += targets.sum().item
      right += targets.gather(dim: 1, logits.argmax(dim: 1, keepDim: true)).sum().item
    }
    return mass > 0 ? (loss / mass, right / mass) : nil
  }

  // MARK: States

  private var state: FineTuningState {
    var tensors = classifier.state.prefixed("network") + (average?.tensors.prefixed("average") ?? [])
    for (number, entry) in optimizers.enumerated() {
      tensors += entry.optimizer.state.prefixed("optimizer\(number)")
    }
    return FineTuningState(progress: progress, tensors: tensors)
  }

  private func restore(_ state: FineTuningState) throws {
    let byName = Dictionary(uniqueKeysWithValues: state.tensors.map { ($0.name, $0.tensor) })
    for (name, tensor) in self.state.tensors {
      guard let source = byName[name] else { throw ParameterError.missing(name) }
      guard source.shape == tensor.shape else {
        throw ParameterError.shape(name, found: source.shape, expected: tensor.shape)
      }
      tensor.copyInPlace(source)
    }
    progress = state.progress
    lossSum.fillInPlace(progress.lossSum)
  }
}

/// Why fine-tuning cannot go on.
package enum FineTuningError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A batch of this many images does not fit into memory.
  case memory(Device, images: Int)

  package var description: String {
    switch self {
    case .memory(let device, let images):
      "The free memory of \(device) is too small to train on \(images) images at once."
    }
  }
}
