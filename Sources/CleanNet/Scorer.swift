import Torch

/// Judges images by a trained network: every class's embedding is computed once, every image's once.
package struct Scorer: Sendable {
  /// φ_s of all classes, of unit length: `[C, 128]`.
  package let classEmbeddings: Tensor
  private let query: QueryEncoder
  private let normalization: FeatureNormalization

  package init(_ network: Network, _ references: ReferenceSets, normalization: FeatureNormalization) {
    query = network.query
    self.normalization = normalization
    classEmbeddings = withoutGradients {
      // By a few classes at a time: references of all are too many for one piece of memory where classes are many.
      let pieces = stride(from: 0, to: references.classes, by: 64).map { start in
        let count = min(64, references.classes - start)
        return network.reference(
          references.references.narrow(start: start, count: count),
          mask: references.mask.narrow(start: start, count: count))
      }
      return Tensor.concatenate(pieces).normalized()
    }
  }

  package var classes: Int { classEmbeddings.size(0) }

  /// Cosines of images with all classes: features as stored, `[B, D]` → `[B, C]`.
  package func cosines(_ features: Tensor) -> Tensor {
    withoutGradients {
      query(normalization(features)).normalized().matmul(classEmbeddings.transposed())
    }
  }

  /// The same for images that come in batches of any size.
  package func batchInvariantCosines(_ features: Tensor) -> Tensor {
    withoutGradients {
      query.batchInvariant(normalization(features)).normalized()
        .batchInvariantMatmul(classEmbeddings.transposed())
    }
  }

  /// Cosines of all images with their label's class and with the class they are most like, `batch` at a time.
  ///
  /// - Parameters:
  ///   - labels: Each image's label; a negative one gets NaN.
  ///   - progress: Called with the number of images done.
  package func score(
    _ features: any FeatureSource, labels: [Int], batch: Int = 4096, progress: ((Int) -> Void)? = nil
  ) -> CosineScores {
    var scores = CosineScores(count: features.count)
    for start in stride(from: 0, to: features.count, by: batch) {
      let range = start..<min(start + batch, features.count)
      let all = cosines(features.rows(range))
      scores.fill(range.filter { labels[$0] >= 0 }, labels: labels, cosines: all, first: start)
      progress?(range.upperBound)
    }
    return scores
  }
}

/// A network's scores of images and their labels; NaN (and class −1) for images without features or label.
package struct CosineScores: Sendable {
  /// cos(φ_q, φ_s) with the label's class.
  package var cosine: [Float]
  /// The class of the largest cosine.
  package var nearestClass: [Int]
  package var nearestCosine: [Float]

  init(count: Int) {
    cosine = Array(repeating: .nan, count: count)
    nearestCosine = cosine
    nearestClass = Array(repeating: -1, count: count)
  }

  /// Takes the scores of `images` from the cosines `[B, C]` of the images from `first` on.
  mutating func fill(_ images: [Int], labels: [Int], cosines: Tensor, first: Int) {
    let classes = cosines.size(1)
    let top = cosines.argmax(dim: 1).ints()
    let values = cosines.floats()
    for image in images {
      let row = (image - first) * classes
      guard values[row + labels[image]].isFinite else { continue }
      cosine[image] = values[row + labels[image]]
      nearestClass[image] = top[image - first]
      nearestCosine[image] = values[row + top[image - first]]
    }
  }
}
