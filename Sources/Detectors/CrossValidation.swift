import Foundation
import Torch

/// Out-of-sample class probabilities by stratified cross-validation of a logistic regression on the features.
///
/// Users of cleanlab mostly take scikit-learn's default, C = 1, which overfits noisy labels badly where there are many
/// features. By default C is chosen here as `LogisticRegressionCV` would: by the likelihood of labels held out. That needs
/// no verified image, and makes every detector that stands on these probabilities much stronger.
///
/// Cost: 10 to 20 passes over the features for all folds together, and as much again where C is chosen. Memory: the
/// features in float32, up to ``memoryBudget``, else one piece of them, and D² numbers a fold.
package struct CrossValidation: Sendable, Hashable {
  package var folds: Int
  /// The inverse strength of the L2 penalty, scikit-learn's `C`; nil: chosen.
  package var c: Double?

  package init(folds: Int = 5, c: Double? = nil) {
    precondition(folds >= 2 && (c ?? 1) > 0, "cross-validation needs two folds and a positive C")
    self.folds = folds
    self.c = c
  }

  /// Features up to this many bytes are held in memory during the passes; larger ones are read anew in each.
  static let memoryBudget = 512 << 20
  /// Candidates for C, in units of 1 / the features' total variance, so that their scale does not matter.
  static let candidates = [0.1, 0.3, 1, 3, 30]

  func probabilities(_ problem: DetectionProblem, progress: DetectionProgress) -> ClassProbabilities {
    problem.withThreads { withoutGradients { computed(problem, progress) } }
  }

  private func computed(_ problem: DetectionProblem, _ progress: DetectionProgress) -> ClassProbabilities {
    let labels = problem.images.map { problem.labels[$0] }
    let data = Examples(
      pieces: Self.pieces(problem), labels: labels, classes: problem.classes,
      fold: Self.stratified(labels: labels, folds: folds, seed: problem.seed))
    let moments = Moments(data.pieces, dimension: problem.features.dimension)
    // Choosing C takes about 40 % of the time.
    let begun = self.c == nil ? 0.4 : 0
    let c = self.c ?? Self.chosen(data, moments) { progress(begun * $0) }
    let models = LogisticRegression().fit(
      data.pieces, moments: moments, labels: labels, classes: problem.classes,
      tasks: (0..<folds).map { data.task(without: $0, c: c) }
    ) { progress(begun + (1 - begun) * $0) }
    return ClassProbabilities(
      labels: labels, classes: problem.classes, values: data.heldOut(models, held: data.fold))
  }

  /// The candidate under which the labels of one fold are most likely, when it learns from the others.
  private static func chosen(
    _ data: Examples, _ moments: Moments, progress: DetectionProgress
  ) -> Double {
    let candidates = candidates.map { $0 / max(1e-12, moments.totalVariance) }
    // A rough fit tells them apart.
    let models = LogisticRegression(tolerance: 1e-3, maximumIterations: 15).fit(
      data.pieces, moments: moments, labels: data.labels, classes: data.classes,
      tasks: candidates.map { data.task(without: 0, c: $0) }, progress: progress)
    let likelihoods = candidates.indices.map { candidate in
      let values = data.heldOut(models, held: Array(repeating: candidate, count: data.labels.count))
      return data.labels.indices.reduce(0.0) { sum, place in
        guard data.fold[place] == 0 else { return sum }
        return sum + log(max(1e-30, Double(values[place * data.classes + data.labels[place]])))
      }
    }
    let best = likelihoods.indices.max { likelihoods[$0] < likelihoods[$1] } ?? 0
    return candidates[best]
  }

  /// Features, labels and folds of the images that take part.
  private struct Examples {
    let pieces: LogisticRegression.Pieces
    let labels: [Int]
    let classes: Int
    let fold: [Int]

    func task(without held: Int, c: Double) -> LogisticRegression.Task {
      LogisticRegression.Task(subset: fold.map { $0 != held }, c: c)
    }

    /// Each image's probabilities by the model that `held` names for it, `[n, C]`.
    func heldOut(_ models: LogisticRegression.Models, held: [Int]) -> [Float] {
      let count = models.weights.size(0)
      let dimension = models.weights.size(2)
      let weights = models.weights.reshaped([count * classes, dimension])
      let bias = models.bias.reshaped([count * classes])
      var values: [Float] = []
      pieces { range, rows in
        let logits = rows.linear(weights, bias: bias).reshaped([range.count, count, classes])
        let own = Tensor(Array(held[range])).reshaped([range.count, 1, 1]).expanded([range.count, 1, classes])
        values += logits.gather(dim: 1, own).squeezed(dim: 1).softmax(dim: 1).floats()
      }
      return values
    }
  }

  /// The features of the images that take part, in pieces, from memory where the budget allows it.
  private static func pieces(_ problem: DetectionProblem) -> LogisticRegression.Pieces {
    let bytes = problem.images.count * problem.features.dimension * 4
    guard bytes <= memoryBudget else { return { problem.forEachChunk(of: problem.images, $0) } }
    var held: [(Range<Int>, Tensor)] = []
    problem.forEachChunk(of: problem.images) { held.append(($0, $1)) }
    return { body in for (range, rows) in held { body(range, rows) } }
  }

  /// Each image's fold: every class is spread evenly over the folds, at random.
  static func stratified(labels: [Int], folds: Int, seed: UInt64) -> [Int] {
    var random = SplitMix64(seed: seed &+ 0xF01D)
    var fold = [Int](repeating: 0, count: labels.count)
    let classes = Dictionary(grouping: labels.indices) { labels[$0] }
    // Classes go on where the last one stopped, so that the folds are of one size.
    var next = 0
    for (_, members) in classes.sorted(by: { $0.key < $1.key }) {
      for place in members.shuffled(using: &random) {
        fold[place] = next % folds
        next += 1
      }
    }
    return fold
  }
}

/// Class probabilities of images, and their noisy labels.
package struct ClassProbabilities: Sendable {
  /// Per row the noisy label.
  package let labels: [Int]
  package let classes: Int
  /// `[rows, classes]`, C order; every row sums to 1.
  package let values: [Float]

  package init(labels: [Int], classes: Int, values: [Float]) {
    precondition(
      values.count == labels.count * classes, "\(values.count) probabilities for \(labels.count) images")
    self.labels = labels
    self.classes = classes
    self.values = values
  }

  package var count: Int { labels.count }

  /// The probabilities of one row.
  package func row(_ index: Int) -> ArraySlice<Float> { values[index * classes..<(index + 1) * classes] }

  /// The probability of one row's own label.
  package func own(_ index: Int) -> Float { values[index * classes + labels[index]] }

  /// The largest probability among the classes other than one row's label; 0 where there is none.
  package func bestOther(_ index: Int) -> Float {
    var best: Float = 0
    for label in 0..<classes where label != labels[index] {
      best = max(best, values[index * classes + label])
    }
    return best
  }

  /// The number of classes that are more probable than one row's label.
  package func rank(_ index: Int) -> Int {
    let own = own(index)
    return row(index).count { $0 > own }
  }
}
