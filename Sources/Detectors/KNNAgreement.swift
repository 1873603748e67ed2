import Torch

/// The share of an image's `k` nearest neighbors (by cosine, itself left out) that carry its label.
///
/// Source: the k-nearest-neighbor rule of Wilson (1972), as a score; Zhu et al. (2022, "Detecting corrupted labels
/// without training a model to predict") find it hard to beat on good features. Cost: the exact neighbor search, see
/// ``nearestNeighbors(_:queries:among:k:excludingSelf:storage:threads:progress:)``.
package struct KNNAgreement: Detector {
  package let name = "knn"
  package let kind = DetectorKind.unsupervised
  package let k: Int

  package init(k: Int = 50) { self.k = k }

  package func judge(_ problem: DetectionProblem, progress: @escaping DetectionProgress) -> Detection {
    let found = problem.shared.neighbors(k: k, problem, progress: progress)
    let neighbors = found.value
    guard neighbors.k > 0 else { return Detection(scores: problem.scattered([], images: [])) }
    let scores = problem.images.enumerated().map { place, image in
      let own = problem.labels[image]
      let agreeing = neighbors.neighbors(place).count { problem.labels[Int($0)] == own }
      return Float(agreeing) / Float(neighbors.k)
    }
    return Detection(
      scores: problem.scattered(scores, images: problem.images), scoresAreProbabilities: true,
      reusedSeconds: found.reusedSeconds)
  }
}
