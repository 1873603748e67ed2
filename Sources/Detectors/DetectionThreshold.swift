/// The rule by which a score becomes a decision: the label is right where `score ≥ threshold`.
package enum DetectionThreshold {
  /// The threshold that makes the average error rate of the verified images least.
  ///
  /// The average error rate is that of method.md: the share of misjudged images of each class, averaged over the
  /// classes that have verified images with a score. The threshold lies in the middle between two neighbouring scores;
  /// of several gaps that are equally good the middle one is taken, the lower of two.
  ///
  /// - Parameters:
  ///   - scores: Of all images; NaN: no score.
  ///   - verdicts: Verification labels, image → label is right.
  /// - Returns: The threshold, −∞ where calling every label right is best, +∞ where calling every label wrong is. nil
  ///   where no verified image has a score.
  package static func choose(scores: [Float], labels: [Int], verdicts: [Int: Bool]) -> Double? {
    var judged: [(score: Double, label: Int, right: Bool)] = []
    for (image, right) in verdicts where !scores[image].isNaN {
      judged.append((Double(scores[image]), labels[image], right))
    }
    guard !judged.isEmpty else { return nil }
    judged.sort { $0.score < $1.score }
    var sizes: [Int: Int] = [:]
    for image in judged { sizes[image.label, default: 0] += 1 }

    // From a threshold below all scores upwards: an image that falls below it was judged right, and is then judged
    // wrong. Weights are whole numbers of 1/(classes · class size), summed anew per class, so that ties are exact.
    var errors: [Int: Int] = [:]
    for image in judged where !image.right { errors[image.label, default: 0] += 1 }
    func rate() -> Double {
      sizes.keys.sorted().reduce(0) { $0 + Double(errors[$1, default: 0]) / Double(sizes[$1, default: 1]) }
    }
    var candidates = [(threshold: -Double.infinity, rate: rate())]
    var place = 0
    while place < judged.count {
      let score = judged[place].score
      while place < judged.count, judged[place].score == score {
        errors[judged[place].label, default: 0] += judged[place].right ? 1 : -1
        place += 1
      }
      let threshold = place < judged.count ? middle(score, judged[place].score) : .infinity
      candidates.append((threshold, rate()))
    }
    let least = candidates.map(\.rate).min() ?? 0
    let best = candidates.filter { $0.rate <= least + 1e-12 }
    return best[(best.count - 1) / 2].threshold
  }

  /// The threshold for what a detector said; nil also where the detector decides by a rule of its own.
  package static func choose(_ detection: Detection, _ problem: DetectionProblem) -> Double? {
    guard detection.verdicts == nil else { return nil }
    return choose(scores: detection.scores, labels: problem.labels, verdicts: problem.verdicts)
  }

  /// Between two scores; the upper one where rounding or infinity leaves nothing between.
  private static func middle(_ low: Double, _ high: Double) -> Double {
    let middle = low + (high - low) / 2
    return middle.isFinite && middle > low ? middle : high
  }
}
