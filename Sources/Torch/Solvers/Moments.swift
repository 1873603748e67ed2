/// The mean and the covariance of features.
package struct Moments: Sendable {
  /// `[D]`, float64
  package let mean: Tensor
  /// `[D, D]`, float64
  package let covariance: Tensor

  package init(_ pieces: LogisticRegression.Pieces, dimension: Int) {
    var sums = Tensor.zeros([dimension], dtype: .float64)
    var count = 0
    pieces { range, rows in
      sums = sums + rows.to(.float64).sum(dim: 0)
      count += range.count
    }
    let mean = sums / Double(max(1, count))
    let products = Tensor.zeros([dimension, dimension], dtype: .float64)
    pieces { _, rows in
      let centered = rows - mean.to(.float32)
      products.addInPlace(centered.transposed().matmul(centered).to(.float64))
    }
    self.mean = mean
    covariance = products / Double(max(1, count))
  }

  /// The sum of the features' variances.
  package var totalVariance: Double { (covariance * Tensor.eye(mean.size(0)).to(.float64)).sum().item }

  /// The inverse of `½ · covariance + penalty · I`.
  func inverseBound(penalty: Double) -> Tensor {
    let identity = Tensor.eye(mean.size(0)).to(.float64)
    return (covariance * 0.5 + identity * penalty).solve(identity)
  }
}
