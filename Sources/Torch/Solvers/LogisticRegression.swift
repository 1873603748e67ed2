/// Multinomial logistic regression with an L2 penalty and weighted examples, several models at once.
///
/// Each minimizes, as scikit-learn's `LogisticRegression(C:)` does with `sample_weight`, `weighted mean over its
/// examples of −log softmax(W x + b)_y + ‖W‖² / (2 C n)`, where n is the sum of the weights, the bias free. An example
/// may count for a second class besides its label, with a weight of its own. The models (folds of a cross-validation,
/// ways to weigh, or candidates for C) share every pass over the features: one wide matrix product instead of several
/// narrow ones.
///
/// ``LBFGS`` searches, preconditioned by the Hessian's upper bound `½ · covariance + I / (C n)` (Böhning 1992), on
/// centered features, which changes nothing but the bias. That takes 10 to 20 passes where a plain search takes
/// more than a hundred.
package struct LogisticRegression: Sendable, Hashable {
  /// Over when no element of the gradient is larger; scikit-learn's default.
  package var tolerance: Double
  package var maximumIterations: Int

  package init(tolerance: Double = 1e-4, maximumIterations: Int = 100) {
    self.tolerance = tolerance
    self.maximumIterations = maximumIterations
  }

  /// The data that one model learns from, and its penalty.
  package struct Task: Sendable {
    /// How much each example counts for its label, `[n]`, none negative; 0 is the same as leaving it out.
    package var weights: [Float]
    /// How much each counts for its second label, `[n]`; empty: nothing.
    package var secondWeights: [Float] = []
    /// The inverse strength of the penalty.
    package var c: Double

    package init(weights: [Float], secondWeights: [Float] = [], c: Double) {
      self.weights = weights
      self.secondWeights = secondWeights
      self.c = c
    }

    /// - Parameter subset: Whether the model learns from each example, `[n]`.
    package init(subset: [Bool], c: Double) { self.init(weights: subset.map { $0 ? 1 : 0 }, c: c) }

    /// n, the sum of all weights.
    var mass: Double { (weights + secondWeights).reduce(0) { $0 + Double($1) } }
  }

  /// Fitted models, one a task: logits are `x · weightsᵀ + bias`.
  package struct Models: Sendable {
    /// `[S, C, D]`
    package let weights: Tensor
    /// `[S, C]`
    package let bias: Tensor
  }

  /// Features of one piece of the examples: calls its argument with places among the examples and their rows.
  package typealias Pieces = ((Range<Int>, Tensor) -> Void) -> Void

  /// - Parameters:
  ///   - pieces: The features, in pieces `[m, D]`.
  ///   - labels: The examples' classes, `[n]`.
  ///   - secondLabels: The classes that tasks' `secondWeights` are about, `[n]`.
  ///   - moments: The features' mean and covariance.
  ///   - tasks: One a model.
  package func fit(
    _ pieces: Pieces, moments: Moments, labels: [Int], secondLabels: [Int] = [], classes: Int, tasks: [Task],
    progress: (Double) -> Void = { _ in }
  ) -> Models {
    let dimension = moments.mean.size(0)
    let count = tasks.count
    let width = classes * dimension
    let sizes = tasks.map { max(1e-9, $0.mass) }
    let targets = Targets(labels: labels, secondLabels: secondLabels, classes: classes, tasks: tasks)
    // Tasks differ little in size: one bound serves all with the same C.
    let typical = sizes.reduce(0, +) / Double(max(1, count))
    let bounds = Dictionary(
      uniqueKeysWithValues: Set(tasks.map(\.c)).map {
        ($0, moments.inverseBound(penalty: 1 / ($0 * typical)))
      })
    var searches = tasks.map { task in
      let inverse = bounds[task.c] ?? Tensor.eye(dimension).to(.float64)
      return LBFGS(
        start: .zeros([width + classes], dtype: .float64), tolerance: tolerance,
        maximumIterations: maximumIterations
      ) { vector in
        let weights = vector.narrow(start: 0, count: width).reshaped([classes, dimension])
        // The bias sees a constant feature: its bound is ½.
        let bias = vector.narrow(start: width, count: classes) * 2
        return .concatenate([weights.matmul(inverse).reshaped([width]), bias])
      }
    }
    var active = Array(0..<count)
    while !active.isEmpty {
      let points = active.map { searches[$0].point }
      let parameters = Tensor.stack(points)
      let batch = Batch(
        mean: moments.mean.to(.float32),
        weights: parameters.narrow(dim: 1, start: 0, count: width).to(.float32)
          .reshaped([active.count * classes, dimension]),
        bias: parameters.narrow(dim: 1, start: width, count: classes).to(.float32)
          .reshaped([active.count * classes]),
        classes: classes)
      let sums = batch.sums(pieces, targets.selecting(active))
      for (place, model) in active.enumerated() {
        let weights = points[place].narrow(start: 0, count: width)
        let scale = 1 / (tasks[model].c * sizes[model])
        let penalty = Tensor.concatenate([weights, .zeros([classes], dtype: .float64)]) * scale
        searches[model].advance(
          value: sums.losses[place] / sizes[model] + 0.5 * scale * weights.squared().sum().item,
          gradient: sums.gradients[place] / sizes[model] + penalty)
      }
      active = active.filter { !searches[$0].isDone }
      let slowest = searches.map(\.iterations).min() ?? 0
      progress(Double(slowest) / Double(maximumIterations))
    }
    let best = Tensor.stack(searches.map(\.best))
    let weights = best.narrow(dim: 1, start: 0, count: width).reshaped([count, classes, dimension])
    let bias = best.narrow(dim: 1, start: width, count: classes) - weights.matmul(moments.mean)
    return Models(weights: weights.to(.float32), bias: bias.to(.float32))
  }

  /// Losses and gradients of several models over one pass.
  private struct Batch {
    /// `[D]`
    let mean: Tensor
    /// `[S·C, D]`
    let weights: Tensor
    /// `[S·C]`
    let bias: Tensor
    let classes: Int

    func sums(_ pieces: Pieces, _ targets: Targets) -> (losses: [Double], gradients: [Tensor]) {
      let count = targets.tasks
      let dimension = weights.size(1)
      var losses = Tensor.zeros([count], dtype: .float64)
      var weightSums = Tensor.zeros([count * classes, dimension], dtype: .float64)
      var biasSums = Tensor.zeros([count * classes], dtype: .float64)
      // The mean is taken off the results, not off the features, which would be copied for it in every pass.
      let shifted = bias - weights.matmul(mean)
      pieces { range, rows in
        let (wanted, total) = targets.masses(range)
        let logProbabilities = rows.linear(weights, bias: shifted)
          .reshaped([range.count, count, classes]).logSoftmax(dim: 2)
        losses = losses - (logProbabilities * wanted).sum(dim: 2).to(.float64).sum(dim: 0)
        let residuals = (logProbabilities.exp() * total - wanted).reshaped([range.count, count * classes])
        weightSums = weightSums + residuals.transposed().matmul(rows).to(.float64)
        biasSums = biasSums + residuals.to(.float64).sum(dim: 0)
      }
      weightSums = weightSums - biasSums.unsqueezed(dim: 1) * mean.to(.float64)
      let flat = weightSums.reshaped([count, classes * dimension])
      let gradients = Tensor.concatenate([flat, biasSums.reshaped([count, classes])], dim: 1)
      return (losses.doubles(), (0..<count).map { gradients[$0] })
    }
  }

  /// How much each example counts for each class, in each task.
  private struct Targets {
    let labels: [Int]
    let secondLabels: [Int]
    let classes: Int
    /// `[n, S]`
    let weights: Tensor
    /// `[n, S]`, nil where no task has any.
    let secondWeights: Tensor?

    var tasks: Int { weights.size(1) }

    init(labels: [Int], secondLabels: [Int], classes: Int, tasks: [Task]) {
      self.labels = labels
      self.secondLabels = secondLabels
      self.classes = classes
      weights = .stack(tasks.map { Tensor($0.weights) }, dim: 1)
      let none = [Float](repeating: 0, count: labels.count)
      secondWeights =
        tasks.allSatisfy(\.secondWeights.isEmpty)
        ? nil : .stack(tasks.map { Tensor($0.secondWeights.isEmpty ? none : $0.secondWeights) }, dim: 1)
    }

    private init(_ all: Targets, tasks: [Int]) {
      labels = all.labels
      secondLabels = all.secondLabels
      classes = all.classes
      weights = all.weights.indexSelect(dim: 1, Tensor(tasks))
      secondWeights = all.secondWeights?.indexSelect(dim: 1, Tensor(tasks))
    }

    func selecting(_ tasks: [Int]) -> Targets { Targets(self, tasks: tasks) }

    /// Of the examples in a range: by class `[m, S, C]`, and in all `[m, S, 1]`.
    func masses(_ range: Range<Int>) -> (wanted: Tensor, total: Tensor) {
      func part(_ labels: [Int], _ weights: Tensor) -> (Tensor, Tensor) {
        let own = Tensor(Array(labels[range])).oneHot(classes: classes).to(.float32).unsqueezed(dim: 1)
        let weights = weights[range].unsqueezed(dim: 2)
        return (own * weights, weights)
      }
      let (wanted, total) = part(labels, weights)
      guard let secondWeights else { return (wanted, total) }
      let (second, secondTotal) = part(secondLabels, secondWeights)
      return (wanted + second, total + secondTotal)
    }
  }
}
