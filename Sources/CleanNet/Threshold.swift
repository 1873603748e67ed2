/// The threshold that makes the average error rate of judged labels least: the share of misjudged ones of each class,
/// averaged over classes (the paper's metric). A label is taken to be right where `score ≥ threshold`.
///
/// It lies in the middle between two neighboring scores; of several gaps that are equally good the middle one is taken,
/// the lower of two.
///
/// - Parameter judged: Scores of verified images, the class of their label, and whether it is right.
/// - Returns: nil where there is nothing to judge by. −∞ or ∞ where calling all labels right, or wrong, is best.
package func bestThreshold(_ judged: [(score: Double, label: Int, isRight: Bool)]) -> Double? {
  guard !judged.isEmpty else { return nil }
  let sorted = judged.sorted { $0.score < $1.score }
  var sizes: [Int: Int] = [:]
  var errors: [Int: Int] = [:]
  // From a threshold below all scores upwards: an image that falls below it was judged right, and is then judged wrong.
  for image in judged {
    sizes[image.label, default: 0] += 1
    if !image.isRight { errors[image.label, default: 0] += 1 }
  }
  let classes = sizes.sorted { $0.key < $1.key }
  // Summed anew from whole numbers, so that ties are exact.
  func rate() -> Double {
    classes.reduce(0) { $0 + Double(errors[$1.key, default: 0]) / Double($1.value) }
  }
  var candidates = [(threshold: -Double.infinity, rate: rate())]
  var place = 0
  while place < sorted.count {
    let score = sorted[place].score
    while place < sorted.count, sorted[place].score == score {
      errors[sorted[place].label, default: 0] += sorted[place].isRight ? 1 : -1
      place += 1
    }
    candidates.append((place < sorted.count ? middle(score, sorted[place].score) : .infinity, rate()))
  }
  let least = candidates.map(\.rate).min() ?? 0
  let best = candidates.filter { $0.rate <= least + 1e-12 }
  return best[(best.count - 1) / 2].threshold
}

/// Between two scores; the upper one where rounding or infinity leaves nothing between.
private func middle(_ low: Double, _ high: Double) -> Double {
  let middle = low + (high - low) / 2
  return middle.isFinite && middle > low ? middle : high
}
