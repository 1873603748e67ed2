/// The threshold that makes the average error rate of judged labels least: the share of misjudged ones of each class,
/// averaged over classes (the paper's metric).
///
/// It lies in the middle between two neighbouring scores; of several equally good gaps the widest is taken, since the
/// others are likelier to be chance.
///
/// - Parameter judged: Scores of verified images, the class of their label, and whether it is right.
/// - Returns: nil where there is nothing to judge by. −∞ or ∞ where calling all labels right, or wrong, is best.
public func bestThreshold(_ judged: [(score: Double, label: Int, isRight: Bool)]) -> Double? {
  guard !judged.isEmpty else { return nil }
  let sorted = judged.sorted { $0.score < $1.score }
  var sizes: [Int: Double] = [:]
  for image in judged { sizes[image.label, default: 0] += 1 }
  // Starts below all scores, where every wrong label is missed.
  var error = judged.reduce(0) { $0 + ($1.isRight ? 0 : 1 / (sizes[$1.label] ?? 1)) }
  var best = (error: error, gap: Double.infinity, threshold: -Double.infinity)
  for (place, image) in sorted.enumerated() {
    error += (image.isRight ? 1 : -1) / (sizes[image.label] ?? 1)
    let next = place + 1 < sorted.count ? sorted[place + 1].score : .infinity
    let gap = next - image.score
    guard gap > 0, error < best.error - 1e-9 || (error < best.error + 1e-9 && gap > best.gap) else {
      continue
    }
    best = (error, gap, next.isFinite ? image.score + gap / 2 : .infinity)
  }
  return best.threshold
}
