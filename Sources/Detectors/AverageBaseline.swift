import Torch

/// The cosine of an image's feature vector with the mean of its class.
///
/// Source: the paper's "average baseline" (section 4.2), with the mean over all images of the class, of which the mean
/// of its references is an approximation. Cost: one pass over the features for the means, one for the cosines.
package struct AverageBaseline: Detector {
  package let name = "average-baseline"
  package let kind = DetectorKind.weaklySupervised

  package init() {}

  package func judge(_ problem: DetectionProblem, progress: DetectionProgress) -> Detection {
    problem.withThreads { withoutGradients { judged(problem, progress) } }
  }

  private func judged(_ problem: DetectionProblem, _ progress: DetectionProgress) -> Detection {
    let sums = Tensor.zeros([problem.classes, problem.features.dimension])
    problem.forEachChunk(of: problem.images) { range, rows in
      sums.indexAddInPlace(dim: 0, index: Tensor(problem.images[range].map { problem.labels[$0] }), rows)
      progress(0.5 * Double(range.upperBound) / Double(problem.images.count))
    }
    // A sum points where the mean does.
    let directions = sums.normalized()
    var scores: [Float] = []
    problem.forEachChunk(of: problem.images) { range, rows in
      let own = directions.indexSelect(Tensor(problem.images[range].map { problem.labels[$0] }))
      scores += (rows.normalized() * own).sum(dim: 1).floats()
      progress(0.5 + 0.5 * Double(range.upperBound) / Double(problem.images.count))
    }
    return Detection(scores: problem.scattered(scores, images: problem.images))
  }
}
