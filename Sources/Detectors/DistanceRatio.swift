import Torch

/// Whether the nearest image with the same label is nearer than the nearest with another. It is `b² / (a² + b²)`, with
/// the cosine distances a to the nearest image of the same class and b to the nearest of another.
///
/// Source: the label-error ranking of SelfClean (Gröger et al. 2024, "Intrinsic self-supervision for data quality
/// audits"). Above ½ the nearest image has the same label, which is its natural threshold; here the verified images choose
/// it where there are some. Cost: all cosines once, as ``KNNAgreement``.
package struct DistanceRatio: Detector {
  package let name = "distance-ratio"
  package let kind = DetectorKind.unsupervised

  package init() {}

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    try problem.requireClasses(name)
    let blocks = SimilarityBlocks(problem.features, queries: problem.images, keys: problem.images)
    let labels = problem.images.map { problem.labels[$0] }
    let nearest = blocks.gather(
      threads: problem.threads, progress: progress,
      begin: { [(same: Float, other: Float)](repeating: (-.infinity, -.infinity), count: $0.count) },
      visit: { best, rows, columns, cosines in
        for row in rows {
          let base = (row - rows.lowerBound) * columns.count
          let own = labels[row]
          var (same, other) = best[row - rows.lowerBound]
          for column in columns {
            let cosine = cosines[base + column - columns.lowerBound]
            if labels[column] != own {
              other = max(other, cosine)
            } else if column != row {
              same = max(same, cosine)
            }
          }
          best[row - rows.lowerBound] = (same, other)
        }
      }
    ).flatMap { $0 }
    let scores = nearest.map { same, other -> Float in
      // The only image of its class is as far from it as can be.
      let a = max(0, 1 - max(-1, same))
      let b = max(0, 1 - max(-1, other))
      return a + b > 0 ? b * b / (a * a + b * b) : 0.5
    }
    return Detection(scores: problem.scattered(scores, images: problem.images))
  }
}
