import Torch

/// Linear discriminant analysis from soft labels, cross-fitted: each image is judged by a discriminant that it had no
/// part in.
///
/// Class means from soft labels, one covariance within classes for all, shrunk towards a multiple of the identity
/// (Friedman 1989). Closed form: for each fold one d × d system.
struct DiscriminantPosterior: Sendable {
  static let folds = 5
  /// The least share of the identity in the covariance; d / N where that is more, up to 0.9.
  static let leastShrinkage = 0.1

  private let features: Tensor
  /// Per fold its images, int64, and the sum of outer products of their features.
  private let folds: [(images: Tensor, products: Tensor)]

  /// - Parameter features: `[N, d]`, centred.
  init(_ features: Tensor, seed: UInt64) {
    self.features = features
    let count = features.size(0)
    var random = SplitMix64(seed: seed &+ 0xF01D)
    let order = Array(0..<count).shuffled(using: &random)
    folds = withoutGradients {
      (0..<min(Self.folds, count)).map { fold in
        let images = Tensor(stride(from: fold, to: count, by: Self.folds).map { order[$0] }.sorted())
        let rows = features.indexSelect(images)
        return (images, rows.transposed().matmul(rows))
      }
    }
  }

  /// Logarithms of the posterior probabilities of all classes: `[N, C]`.
  ///
  /// - Parameter softLabels: `[N, C]`; a row that sums to less than 1 counts less.
  func callAsFunction(_ softLabels: Tensor) -> Tensor {
    withoutGradients {
      let sums = folds.map { fold in
        let weights = softLabels.indexSelect(fold.images)
        return (
          means: weights.transposed().matmul(features.indexSelect(fold.images)), sizes: weights.sum(dim: 0)
        )
      }
      func total(_ tensors: [Tensor], without fold: Int) -> Tensor {
        let others = tensors.indices.filter { $0 != fold || tensors.count == 1 }
        return others.dropFirst().reduce(tensors[others[0]].clone()) {
          $0.addInPlace(tensors[$1]); return $0
        }
      }
      let (count, dimension) = (features.size(0), features.size(1))
      let shrinkage = max(Self.leastShrinkage, min(0.9, Double(dimension) / Double(count)))
      let result = Tensor.empty([count, softLabels.size(1)])
      for (place, fold) in folds.enumerated() {
        let sizes = total(sums.map(\.sizes), without: place) + 1e-3
        let means = total(sums.map(\.means), without: place) / sizes.unsqueezed(dim: 1)
        let between = (means * sizes.unsqueezed(dim: 1)).transposed().matmul(means)
        let weight = sizes.sum()
        let within = (total(folds.map(\.products), without: place) - between) / weight
        let spread = (within * Tensor.eye(dimension)).sum().item / Double(dimension)
        let covariance =
          within * (1 - shrinkage) + Tensor.eye(dimension) * (shrinkage * spread + 1e-12)
        let weights = covariance.solve(means.transposed())
        let bias = (sizes / weight).log() - (means.transposed() * weights).sum(dim: 0) * 0.5
        let scores = features.indexSelect(fold.images).matmul(weights) + bias
        result.indexCopyInPlace(dim: 0, index: fold.images, scores.logSoftmax(dim: 1))
      }
      return result
    }
  }
}
