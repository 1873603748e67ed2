import Foundation
import Torch

/// Linear discriminant analysis from soft labels, cross-fitted: each image is judged by a discriminant that was fitted
/// without it.
///
/// Class means come from soft labels. All classes share one covariance, shrunk towards a multiple of the identity
/// (Friedman 1989). The fit is closed-form: one d × d system per fold.
struct DiscriminantPosterior: Sendable {
  static let folds = 5
  /// Candidates for the identity's share of the covariance.
  static let shrinkages = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95]
  /// Factors on the log-posterior that are tried when candidates are compared, because the discriminant is overconfident
  /// by a factor that depends on the data.
  static let temperatures = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
  /// Candidates are compared on at most this many images.
  static let comparedImages = 20_000

  /// `[N, d]`, centered.
  let features: Tensor
  /// For each fold its images, int64, and the sum of outer products of their features.
  private let folds: [(images: Tensor, products: Tensor)]

  /// - Parameters:
  ///   - features: `[N, d]`, centered.
  ///   - identities: What each image is known by, so that folds do not depend on the order of rows.
  init(_ features: Tensor, identities: [UInt64], seed: UInt64) {
    self.features = features
    let count = features.size(0)
    let ranks = identities.map { identity in
      var random = SplitMix64(seed: identity &+ seed &+ 0xF01D)
      return random.next()
    }
    let order = (0..<count).sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    folds = withoutGradients {
      (0..<min(Self.folds, count)).map { fold in
        let images = Tensor(stride(from: fold, to: count, by: Self.folds).map { order[$0] }.sorted())
        let rows = features.indexSelect(images)
        return (images, rows.transposed().matmul(rows))
      }
    }
  }

  /// The logarithms of the posterior probabilities of all classes: `[N, C]`.
  ///
  /// - Parameters:
  ///   - softLabels: `[N, C]`; a row that sums to less than 1 counts less.
  ///   - shrinkage: The identity's share of the covariance, in 0…1.
  func callAsFunction(_ softLabels: Tensor, shrinkage: Double) -> Tensor {
    withoutGradients {
      let sums = sums(softLabels)
      let result = Tensor.empty([features.size(0), softLabels.size(1)])
      for (place, fold) in folds.enumerated() {
        let moments = moments(sums, without: place)
        let scores = moments.scores(features.indexSelect(fold.images), shrinkage: shrinkage)
        result.indexCopyInPlace(dim: 0, index: fold.images, scores.logSoftmax(dim: 1))
      }
      return result
    }
  }

  /// The discriminant that was fitted with all images: for those that come later.
  ///
  /// Parameters as of ``callAsFunction(_:shrinkage:)``.
  func classifier(_ softLabels: Tensor, shrinkage: Double) -> LinearClassifier {
    withoutGradients { moments(sums(softLabels), without: -1).classifier(shrinkage: shrinkage) }
  }

  /// The shrinkage under which the noisy labels of the first fold are most likely, given those of the other folds.
  ///
  /// Weak features and few images need much of it; it follows from labels alone, so that no verdict is spent on it.
  ///
  /// - Parameters:
  ///   - softLabels: The noisy labels, one-hot: `[N, C]`.
  ///   - labels: The same as class numbers: `[N]`, int64.
  func bestShrinkage(_ softLabels: Tensor, labels: Tensor) -> Double {
    withoutGradients {
      guard folds.count > 1 else { return 0.9 }
      let moments = moments(sums(softLabels), without: 0)
      let compared = folds[0].images.narrow(
        start: 0, count: min(Self.comparedImages, folds[0].images.size(0)))
      let rows = features.indexSelect(compared)
      let own = labels.indexSelect(compared).unsqueezed(dim: 1)
      let likelihoods = Self.shrinkages.map { shrinkage in
        let scores = moments.scores(rows, shrinkage: shrinkage).logSoftmax(dim: 1)
        return Self.temperatures.map { (scores * $0).logSoftmax(dim: 1).gather(dim: 1, own).mean().item }
          .max()
          ?? -.infinity
      }
      let finite = likelihoods.indices.filter { likelihoods[$0].isFinite }
      return finite.max { likelihoods[$0] < likelihoods[$1] }.map { Self.shrinkages[$0] } ?? 0.9
    }
  }

  /// For each fold the sums of features by class, `[C, d]`, and of soft labels, `[C]`.
  private func sums(_ softLabels: Tensor) -> [(means: Tensor, sizes: Tensor)] {
    folds.map { fold in
      let weights = softLabels.indexSelect(fold.images)
      return (weights.transposed().matmul(features.indexSelect(fold.images)), weights.sum(dim: 0))
    }
  }

  /// What the images outside one fold say of the classes.
  private struct Moments {
    /// `[C, d]`
    var means: Tensor
    /// `[C]`
    var sizes: Tensor
    /// The covariance within classes, `[d, d]`.
    var within: Tensor

    /// Unnormalized log-posteriors of `rows`, `[n, d]` → `[n, C]`.
    func scores(_ rows: Tensor, shrinkage: Double) -> Tensor { classifier(shrinkage: shrinkage)(rows) }

    func classifier(shrinkage: Double) -> LinearClassifier {
      let dimension = within.size(0)
      let spread = (within * Tensor.eye(dimension)).sum().item / Double(dimension)
      let covariance = within * (1 - shrinkage) + Tensor.eye(dimension) * (shrinkage * spread + 1e-12)
      let weights = covariance.solve(means.transposed())
      let bias = (sizes / sizes.sum()).log() - (means.transposed() * weights).sum(dim: 0) * 0.5
      return LinearClassifier(weights: weights, bias: bias)
    }
  }

  private func moments(_ sums: [(means: Tensor, sizes: Tensor)], without fold: Int) -> Moments {
    func total(_ tensors: [Tensor]) -> Tensor {
      let others = tensors.indices.filter { $0 != fold || tensors.count == 1 }
      return others.dropFirst().reduce(tensors[others[0]].clone()) { sum, place in
        sum.addInPlace(tensors[place])
        return sum
      }
    }
    let sizes = total(sums.map(\.sizes)) + 1e-3
    let means = total(sums.map(\.means)) / sizes.unsqueezed(dim: 1)
    let between = (means * sizes.unsqueezed(dim: 1)).transposed().matmul(means)
    return Moments(
      means: means, sizes: sizes, within: (total(folds.map(\.products)) - between) / sizes.sum())
  }
}

/// Scores of classes that are linear in the features.
struct LinearClassifier: Sendable {
  /// `[d, C]`
  let weights: Tensor
  /// `[C]`
  let bias: Tensor

  /// `[n, d]` → `[n, C]`
  func callAsFunction(_ rows: Tensor) -> Tensor { rows.matmul(weights) + bias }
}
