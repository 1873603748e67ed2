/// A label is wrong if it is not among the top K predictions of a classifier that has not seen the image.
///
/// Source: the paper's weakly supervised baseline (section 4.2), with cross-validated predictions. The score is minus the
/// number of classes that are more probable than the label, so that the threshold chosen on the verified images is K. Cost:
/// ``CrossValidation``, shared among the detectors that use it.
package struct ClassificationFiltering: Detector {
  package let name = "classification-filtering"
  package let kind = DetectorKind.weaklySupervised
  /// K; nil: the verified images choose it.
  package let topK: Int?
  package let validation: CrossValidation

  package init(topK: Int? = nil, validation: CrossValidation = CrossValidation()) {
    self.topK = topK
    self.validation = validation
  }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    try problem.requireClasses(name)
    let found = problem.shared.probabilities(validation, problem, progress: progress)
    let ranks = (0..<found.value.count).map { found.value.rank($0) }
    var verdicts: [Bool]?
    if let topK {
      var decided = [Bool](repeating: true, count: problem.labels.count)
      for (image, rank) in zip(problem.images, ranks) { decided[image] = rank < topK }
      verdicts = decided
    }
    return Detection(
      scores: problem.scattered(ranks.map { -Float($0) }, images: problem.images), verdicts: verdicts,
      reusedSeconds: found.reusedSeconds)
  }
}
