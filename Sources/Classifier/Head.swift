import Torch

/// A linear classifier on features: logits are `x · weightᵀ + bias`.
package struct Head: Sendable, Parameterized {
  /// `[C, D]`
  package let weight: Tensor
  /// `[C]`
  package let bias: Tensor

  package init(weight: Tensor, bias: Tensor) {
    self.weight = weight
    self.bias = bias
  }

  package var classes: Int { bias.size(0) }
  package var parameters: [(name: String, tensor: Tensor)] { [("weight", weight), ("bias", bias)] }

  /// Features `[N, D]` to logits `[N, C]`.
  package func logits(_ features: Tensor) -> Tensor {
    withoutGradients { features.linear(weight, bias: bias) }
  }
}

/// Trains a ``Head`` on features that are at hand: multinomial logistic regression with sample weights.
///
/// Each feature is divided by its standard deviation first, so that all are held to the same penalty; the head that
/// comes out takes features as they are. The penalty's strength may be chosen by the likelihood of a fifth of the examples,
/// weighted as in training, under a rough fit of the others: no clean label is needed for that.
///
/// Ways to weigh are trained together, because they share the passes over the features: about 15 for the choice and as
/// many for the fit, however many there are. Memory: the features in float32, up to ``memoryBudget``, else a piece of
/// them.
package struct HeadFit: Sendable, Hashable {
  /// The weight of the penalty, λ in `weighted mean loss + λ/2 · ‖W‖²`.
  package var penalty: Penalty
  /// Seeds the choice of the examples held out.
  package var seed: UInt64

  /// Where the penalty comes from.
  package enum Penalty: Sendable, Hashable {
    case fixed(Double)
    /// For each way to weigh among ``HeadFit/candidates``, by the likelihood under its own weights.
    case own
    /// One for all ways to weigh: what the way of that number would choose.
    case shared(by: Int)
  }

  package init(penalty: Penalty = .own, seed: UInt64 = 0) {
    self.penalty = penalty
    self.seed = seed
  }

  package static let candidates = [0.003, 0.01, 0.03, 0.1, 0.3, 1]
  static let memoryBudget = 2 << 30
  static let heldShare = 5

  /// The result of training.
  package struct Outcome: Sendable {
    package let head: Head
    package let penalty: Double
  }

  /// Trains one head for each way to weigh.
  ///
  /// - Parameters:
  ///   - examples: Rows of `features`.
  ///   - labels: Their classes.
  ///   - weights: One or more ways to weigh them.
  package func train(
    _ features: any FeatureSource, examples: [Int], labels: [Int], classes: Int, weights: [SampleWeights],
    progress: (Double) -> Void = { _ in }
  ) -> [Outcome] {
    precondition(examples.count == labels.count && weights.allSatisfy { $0.count == examples.count })
    return withoutGradients {
      let data = ScaledFeatures(features, examples: examples)
      let moments = Moments(data.pieces, dimension: features.dimension)
      let secondLabels = weights.first { !$0.secondLabels.isEmpty }?.secondLabels ?? []
      precondition(
        weights.allSatisfy { $0.secondLabels.isEmpty || $0.secondLabels == secondLabels },
        "ways to weigh that are trained together share their second labels")
      func fit(_ tasks: [LogisticRegression.Task], _ solver: LogisticRegression, from: Double, to: Double)
        -> LogisticRegression.Models
      {
        solver.fit(
          data.pieces, moments: moments, labels: labels, secondLabels: secondLabels, classes: classes,
          tasks: tasks
        ) { progress(from + (to - from) * $0) }
      }
      let choosing: [SampleWeights] =
        switch penalty {
        case .fixed: []
        case .own: weights
        case .shared(let place): [weights[place]]
        }
      var chosen: [Double] = []
      if !choosing.isEmpty {
        let held = heldOut(examples.count)
        let learning = choosing.map { $0.zeroed(where: held) }
        let models = fit(
          learning.flatMap { weights in Self.candidates.map { weights.task(penalty: $0) } },
          LogisticRegression(tolerance: 1e-3, maximumIterations: 15), from: 0, to: 0.6)
        let left = choosing.map { $0.zeroed { !held($0) } }
        let losses = losses(models, data, labels: labels, secondLabels: secondLabels, weights: left)
        chosen = losses.map { losses in
          Self.candidates[losses.indices.min { losses[$0] < losses[$1] } ?? 0]
        }
      }
      if case .fixed(let value) = penalty { chosen = [value] }
      if chosen.count < weights.count { chosen = weights.map { _ in chosen[0] } }
      let models = fit(
        zip(weights, chosen).map { $0.task(penalty: $1) }, LogisticRegression(), from: 0.6, to: 1)
      return chosen.indices.map { index in
        Outcome(head: data.unscaled(models.weights[index], models.bias[index]), penalty: chosen[index])
      }
    }
  }

  private func heldOut(_ count: Int) -> (Int) -> Bool {
    var random = SplitMix64(seed: seed &+ 0x4EAD)
    let held = (0..<count).map { _ in Int.random(in: 0..<Self.heldShare, using: &random) == 0 }
    return { held[$0] }
  }

  /// Summed losses of all candidates on the examples whose weight is left: per way to weigh, per candidate.
  private func losses(
    _ models: LogisticRegression.Models, _ data: ScaledFeatures, labels: [Int], secondLabels: [Int],
    weights: [SampleWeights]
  ) -> [[Double]] {
    let count = models.weights.size(0)
    let classes = models.weights.size(1)
    let dimension = models.weights.size(2)
    let candidates = Self.candidates.count
    var sums = [[Double]](repeating: [Double](repeating: 0, count: candidates), count: weights.count)
    data.pieces { range, rows in
      let logits = rows.linear(
        models.weights.reshaped([count * classes, dimension]), bias: models.bias.reshaped([count * classes]))
      let values = logits.reshaped([range.count, count, classes]).logSoftmax(dim: 2)
      func add(_ labels: [Int], _ weight: (SampleWeights) -> [Float]) {
        let own = Tensor(Array(labels[range])).reshaped([range.count, 1, 1]).expanded([range.count, count, 1])
        let likelihoods = values.gather(dim: 2, own).squeezed(dim: 2)
        for (index, weights) in weights.enumerated() {
          let all = weight(weights)
          guard !all.isEmpty else { continue }
          let part = Tensor(Array(all[range])).unsqueezed(dim: 0)
            .matmul(likelihoods.narrow(dim: 1, start: index * candidates, count: candidates))
          for (candidate, sum) in part.doubles().enumerated() { sums[index][candidate] -= sum }
        }
      }
      add(labels) { $0.weights }
      if !secondLabels.isEmpty { add(secondLabels) { $0.secondWeights } }
    }
    return sums
  }
}

extension SampleWeights {
  /// The same without the examples that `leavesOut` names.
  func zeroed(where leavesOut: (Int) -> Bool) -> SampleWeights {
    var result = self
    for example in 0..<count where leavesOut(example) {
      result.weights[example] = 0
      if !result.secondWeights.isEmpty { result.secondWeights[example] = 0 }
    }
    return result
  }

  /// A task whose penalty is `penalty / 2 · ‖W‖²` beside the mean loss.
  func task(penalty: Double) -> LogisticRegression.Task {
    let mass = (weights + secondWeights).reduce(0) { $0 + Double($1) }
    return LogisticRegression.Task(
      weights: weights, secondWeights: secondWeights, c: 1 / (penalty * max(1e-9, mass)))
  }
}

/// Features of some examples, each divided by its standard deviation, in pieces.
private struct ScaledFeatures {
  let pieces: LogisticRegression.Pieces
  /// `[D]`
  private let scale: Tensor

  private static let pieceSize = 2048

  init(_ features: any FeatureSource, examples: [Int]) {
    let ranges = stride(from: 0, to: examples.count, by: Self.pieceSize).map {
      $0..<min($0 + Self.pieceSize, examples.count)
    }
    let dimension = features.dimension
    var sums = Tensor.zeros([dimension], dtype: .float64)
    var squares = Tensor.zeros([dimension], dtype: .float64)
    let first = features.rows([examples.first ?? 0]).to(.float64)[0]
    for range in ranges {
      // Less one of them, so that squares of large values do not swallow small differences.
      let rows = features.rows(Array(examples[range])).to(.float64) - first
      sums = sums + rows.sum(dim: 0)
      squares = squares + rows.squared().sum(dim: 0)
    }
    let count = Double(max(1, examples.count))
    let variance = squares / count - (sums / count).squared()
    // A feature that is the same everywhere tells nothing, and stays as it is.
    let deviation = variance.clamped(min: 0).squareRoot()
    let scale = (deviation .> 1e-6).select(
      deviation.clamped(min: 1e-6).reciprocal(), else: Tensor.ones([dimension], dtype: .float64)
    )
    .to(.float32)
    self.scale = scale
    let read: @Sendable (Range<Int>) -> Tensor = { features.rows(Array(examples[$0])) * scale }
    if examples.count * dimension * 4 <= HeadFit.memoryBudget {
      let held = ranges.map { ($0, read($0)) }
      pieces = { body in for (range, rows) in held { body(range, rows) } }
    } else {
      pieces = { body in for range in ranges { body(range, read(range)) } }
    }
  }

  /// A head on scaled features as one on features as they are.
  func unscaled(_ weight: Tensor, _ bias: Tensor) -> Head {
    Head(weight: (weight * scale).contiguous(), bias: bias.clone())
  }
}
