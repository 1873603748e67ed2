import Torch

/// The directions in which normalized features vary most.
///
/// Later steps work on the centered features in at most 512 of them: the network learns faster from centered inputs
/// of fewer dimensions, and the covariance of a discriminant stays small.
package struct PrincipalComponents: Sendable {
  /// `[D]`, of the normalized features.
  package let mean: Tensor
  /// `[D, d]`, orthonormal columns by falling variance.
  package let directions: Tensor
  /// `[d]`
  package let variances: Tensor
  package let normalization: FeatureNormalization

  package static let maximumDimension = 512
  /// Images beyond this number do not change the directions noticeably; a stride over all is looked at.
  static let maximumImages = 100_000

  /// Images of a piece of work.
  static let chunk = 4096

  /// The components of the features of `images`, at least one.
  package init(
    _ features: some FeatureSource, images: [Int], normalization: FeatureNormalization,
    dimension: Int = maximumDimension
  ) {
    let stride = max(1, images.count / Self.maximumImages)
    let looked = Swift.stride(from: 0, to: images.count, by: stride).map { images[$0] }
    let width = features.dimension
    self = withoutGradients {
      // Sums about a first guess of the mean, which keeps float32 exact enough.
      let guess = normalization(features.rows(Array(looked.prefix(Self.chunk)))).mean(dim: 0)
      let sum = Tensor.zeros([width])
      let products = Tensor.zeros([width, width])
      for start in Swift.stride(from: 0, to: looked.count, by: Self.chunk) {
        let rows = normalization(features.rows(Array(looked[start..<min(start + Self.chunk, looked.count)])))
        let shifted = rows - guess
        sum.addInPlace(shifted.sum(dim: 0))
        products.addInPlace(shifted.transposed().matmul(shifted))
      }
      let count = Double(looked.count)
      let offset = sum / count
      let covariance = products / count - offset.unsqueezed(dim: 1).matmul(offset.unsqueezed(dim: 0))
      let (values, vectors) = covariance.symmetricEigen()
      let kept = min(dimension, width, max(1, looked.count - 1))
      // Ascending; the last ones are the largest.
      let order = Tensor((0..<kept).map { width - 1 - $0 })
      return PrincipalComponents(
        mean: guess + offset, directions: vectors.indexSelect(dim: 1, order).contiguous(),
        variances: values.indexSelect(order).clamped(min: 1e-12), normalization: normalization)
    }
  }

  init(mean: Tensor, directions: Tensor, variances: Tensor, normalization: FeatureNormalization) {
    self.mean = mean
    self.directions = directions
    self.variances = variances
    self.normalization = normalization
  }

  /// The tensors that a model's file keeps.
  var tensors: [(name: String, tensor: Tensor)] {
    [("components.mean", mean), ("components.directions", directions), ("components.variances", variances)]
  }

  init(_ tensors: [String: Tensor], normalization: FeatureNormalization) throws(ParameterError) {
    func tensor(_ name: String) throws(ParameterError) -> Tensor {
      guard let found = tensors[name] else { throw .missing(name) }
      return found
    }
    self.init(
      mean: try tensor("components.mean"), directions: try tensor("components.directions"),
      variances: try tensor("components.variances"), normalization: normalization)
  }

  /// d
  package var dimension: Int { directions.size(1) }

  /// Features as stored, `[n, D]` → `[n, d]`.
  package func callAsFunction(_ features: Tensor) -> Tensor {
    withoutGradients { (normalization(features) - mean).matmul(directions) }
  }

  /// The same for features that are projected in batches of any size (``Tensor/batchInvariantMatmul(_:)``).
  func batchInvariant(_ features: Tensor) -> Tensor {
    withoutGradients { (normalization(features) - mean).batchInvariantMatmul(directions) }
  }

  /// The components of some images, held in memory: row i is `images[i]`.
  package func project(_ features: some FeatureSource, images: [Int]) -> DenseFeatures {
    let projected = Tensor.empty([images.count, dimension])
    for start in Swift.stride(from: 0, to: images.count, by: Self.chunk) {
      let range = start..<min(start + Self.chunk, images.count)
      projected[range].copyInPlace(self(features.rows(Array(images[range]))))
    }
    return DenseFeatures(projected)
  }

  /// Scales that turn a variance v into √v: between plain and whitened features. Neighbors in this space agree more
  /// often than in either.
  var softWhitening: Tensor { variances.pow(-0.25) }
}
