import Torch

/// The share of right labels among the `k` most similar verified images of the class, by cosine.
///
/// Source: the paper's supervised baseline "kNN" (section 4.2). Cost per class: `n · verified · D` operations.
package struct VerifiedNeighbors: Detector {
  package let name = "knn-verified"
  package let kind = DetectorKind.supervised
  package let k: Int

  package init(k: Int = 10) {
    precondition(k > 0, "at least one neighbor is needed")
    self.k = k
  }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    let scores = try CrossFitting().scores(problem, detector: name, progress: progress) { one, learning in
      withoutGradients {
        let features = one.features.normalized()
        let examples = features.indexSelect(Tensor(learning.map(\.place)))
        let right = Tensor(learning.map { Float($0.isRight ? 1 : 0) })
        let nearest = features.matmul(examples.transposed()).topK(min(k, learning.count)).indices
        return right.indexSelect(nearest.reshaped([nearest.count])).reshaped(nearest.shape).mean(dim: 1)
          .floats()
      }
    }
    return Detection(scores: scores, scoresAreProbabilities: true)
  }
}
