import Torch

/// An upper confidence bound on the share of wrong labels that are left among the images kept.
///
/// Verified images are a random sample of their class, each judged without its own verdict. Of those that are kept, the
/// number whose label is wrong is binomial, so that Clopper and Pearson's bound (1934) holds whatever the method does.
/// For the verified classes together, classes may have been sampled at different rates: then images of the denser ones
/// are left out at random until all have the same rate, which keeps the bound valid (a proportionally stratified sample
/// varies no more than a binomial one). Nothing can be guaranteed for classes that nobody verified.
public struct NoiseGuarantee: Sendable, Hashable, Codable {
  public struct Bound: Sendable, Hashable, Codable {
    /// Images kept, verified or not.
    public var kept: Int
    /// Verified images that are kept and count for the bound, and how many of them are wrong.
    public var sample: Int
    public var wrong: Int
    /// With the guarantee's confidence, no larger share of the kept images is wrong.
    public var upper: Double
  }

  public var confidence: Double
  /// All verified classes together.
  public var overall: Bound
  /// By class number; each holds with the confidence by itself.
  public var perClass: [Int: Bound]

  /// - Parameters:
  ///   - labels: Each image's class; negative for images that take no part.
  ///   - isKept: Whether each image is kept, verified ones as if nobody had looked at them.
  ///   - verdicts: Verification labels, image → label is right.
  /// - Returns: nil where nothing was verified.
  public init?(
    labels: [Int], isKept: [Bool], verdicts: [Int: Bool], confidence: Double = 0.95, seed: UInt64 = 0
  ) {
    guard
      let sample = VerifiedSample(labels: labels, verdicts: verdicts, confidence: confidence, seed: seed)
    else { return nil }
    var kept = [Int](repeating: 0, count: sample.sizes.count)
    for (image, label) in labels.enumerated() where label >= 0 && isKept[image] { kept[label] += 1 }
    self = sample.guarantee(kept: kept) { isKept[$0] }
  }

  init(confidence: Double, overall: Bound, perClass: [Int: Bound]) {
    (self.confidence, self.overall, self.perClass) = (confidence, overall, perClass)
  }
}

/// Verified images by class, and those of them that count for all classes together: what bounds for any choice of kept
/// images follow from.
private struct VerifiedSample {
  typealias Verified = (image: Int, isRight: Bool)

  let confidence: Double
  /// Images of each class, verified or not.
  let sizes: [Int]
  /// Classes with verified images, ascending, and those images.
  private let classes: [(label: Int, verified: [Verified])]
  /// Verified images of all classes at the same rate.
  private let even: [Verified]

  init?(labels: [Int], verdicts: [Int: Bool], confidence: Double, seed: UInt64) {
    var sizes = [Int](repeating: 0, count: 1 + max(0, labels.max() ?? 0))
    for label in labels where label >= 0 { sizes[label] += 1 }
    var verified: [Int: [Verified]] = [:]
    for (image, isRight) in verdicts.sorted(by: { $0.key < $1.key }) where labels[image] >= 0 {
      verified[labels[image], default: []].append((image, isRight))
    }
    guard !verified.isEmpty else { return nil }
    let classes = verified.sorted { $0.key < $1.key }.map { (label: $0.key, verified: $0.value) }
    // The same rate for all: that of the class with the sparsest sample.
    let rate = classes.map { Double($0.verified.count) / Double(sizes[$0.label]) }.min() ?? 0
    var random = SplitMix64(seed: seed)
    even = classes.flatMap { label, verified -> ArraySlice<Verified> in
      let count = Int((rate * Double(sizes[label])).rounded(.down))
      return verified.shuffled(using: &random).prefix(count)
    }
    (self.confidence, self.sizes, self.classes) = (confidence, sizes, classes)
  }

  /// - Parameter kept: Images of each class that are kept.
  func guarantee(kept: [Int], isKept: (Int) -> Bool) -> NoiseGuarantee {
    func bound(_ sample: [Verified], kept: Int) -> NoiseGuarantee.Bound {
      let counted = sample.filter { isKept($0.image) }
      let wrong = counted.count { !$0.isRight }
      return NoiseGuarantee.Bound(
        kept: kept, sample: counted.count, wrong: wrong,
        upper: ClopperPearson.upperBound(successes: wrong, trials: counted.count, confidence: confidence))
    }
    return NoiseGuarantee(
      confidence: confidence,
      overall: bound(even, kept: classes.reduce(0) { $0 + kept[$1.label] }),
      perClass: Dictionary(
        uniqueKeysWithValues: classes.map { ($0.label, bound($0.verified, kept: kept[$0.label])) }))
  }
}

/// The lowest threshold at which at most a wished share of wrong labels is left among the images kept.
///
/// Thresholds are tried in a fixed order, from the first one that keeps enough verified images to prove anything
/// downwards, until a bound is above the wish: by the closed testing principle of a fixed sequence (Maurer, Hothorn and
/// Lehmacher 1995; for risks Angelopoulos et al. 2021) the last one that held does so with the full confidence, however
/// many were tried. The order depends on scores alone, not on verdicts.
///
/// - Parameters:
///   - scores: Each image's score, higher where the label is more likely right; NaN: not kept.
///   - steps: Thresholds that are tried, at equal distances in the share of images kept.
/// - Returns: nil where no threshold can be shown to do: too few images are verified, or too many of them are wrong.
public func thresholdForNoise(
  _ wished: Double, scores: [Float], labels: [Int], verdicts: [Int: Bool], confidence: Double = 0.95,
  steps: Int = 200, seed: UInt64 = 0
) -> (threshold: Float, guarantee: NoiseGuarantee)? {
  let sorted = scores.indices.filter { labels[$0] >= 0 && !scores[$0].isNaN }.map { scores[$0] }.sorted(by: >)
  guard !sorted.isEmpty,
    let sample = VerifiedSample(labels: labels, verdicts: verdicts, confidence: confidence, seed: seed)
  else { return nil }
  let thresholds = (1...steps).map { sorted[max(0, $0 * sorted.count / steps - 1)] }
  // How many images of each class each step keeps beyond those before it.
  var added = [[Int]](repeating: [Int](repeating: 0, count: sample.sizes.count), count: steps)
  for (image, label) in labels.enumerated() where label >= 0 {
    if let step = firstStep(keeping: scores[image], thresholds) { added[step][label] += 1 }
  }
  var kept = [Int](repeating: 0, count: sample.sizes.count)
  var best: (threshold: Float, guarantee: NoiseGuarantee)?
  for (threshold, more) in zip(thresholds, added) {
    for label in kept.indices { kept[label] += more[label] }
    let guarantee = sample.guarantee(kept: kept) { scores[$0] >= threshold }
    // With so few, even no wrong one among them would prove nothing.
    let provable = ClopperPearson.upperBound(
      successes: 0, trials: guarantee.overall.sample, confidence: confidence)
    guard provable <= wished else { continue }
    guard guarantee.overall.upper <= wished else { break }
    best = (threshold, guarantee)
  }
  return best
}

/// The first of falling thresholds that a score reaches; nil where there is none.
private func firstStep(keeping score: Float, _ thresholds: [Float]) -> Int? {
  var (low, high) = (0, thresholds.count)
  while low < high {
    let middle = (low + high) / 2
    if score >= thresholds[middle] { high = middle } else { low = middle + 1 }
  }
  return low < thresholds.count ? low : nil
}
