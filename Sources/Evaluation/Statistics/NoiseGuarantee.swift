import Foundation

/// An upper confidence bound on the share of wrong labels that are left among the images kept.
///
/// Each class is a stratum: its verified images are a random sample of it, each judged without its own verdict. The share
/// of wrong labels among all kept images is the sum of the strata's shares, weighed by how many images each keeps. Its
/// bound is Fay and Feuer's for weighted sums of counts (Statistics in Medicine 16, 1997), with a beta distribution for
/// shares in place of their gamma distribution for rates. Where all classes were sampled at one rate it is Clopper and
/// Pearson's bound (1934); it holds whatever the sizes of classes and samples are.
///
/// That bound holds for a sample whose size was fixed beforehand. Whoever looks at it again and again and stops when it
/// pleases needs ``Bound/upperAtAnyTime``, which holds at all times at once.
///
/// Classes with too few random draws are not covered, and ``uncovered`` names them: a class with a single verdict says
/// nothing, and would make the bound for all others useless. Which classes are covered depends on how many images were
/// drawn, never on what people answered.
package struct NoiseGuarantee: Sendable, Hashable, Codable {
  package struct Bound: Sendable, Hashable, Codable {
    /// Images kept, verified or not.
    package var kept: Int
    /// Verified images that are kept and count for the bound, and how many of them are wrong.
    package var sample: Int
    package var wrong: Int
    /// With the guarantee's confidence, no larger share of the kept images is wrong.
    package var upper: Double
    /// The same however many looks were taken before, and whyever verifying ended.
    package var upperAtAnyTime: Double

    package init(kept: Int, sample: Int, wrong: Int, upper: Double, upperAtAnyTime: Double = 1) {
      self.kept = kept
      self.sample = sample
      self.wrong = wrong
      self.upper = upper
      self.upperAtAnyTime = upperAtAnyTime
    }

    private enum Key: String, CodingKey { case kept, sample, wrong, upper, upperAtAnyTime }

    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      self.init(
        kept: try container.decode(Int.self, forKey: .kept),
        sample: try container.decode(Int.self, forKey: .sample),
        wrong: try container.decode(Int.self, forKey: .wrong),
        upper: try container.decode(Double.self, forKey: .upper),
        // Outcomes of earlier versions do not have it.
        upperAtAnyTime: try container.decodeIfPresent(Double.self, forKey: .upperAtAnyTime) ?? 1)
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(kept, forKey: .kept)
      try container.encode(sample, forKey: .sample)
      try container.encode(wrong, forKey: .wrong)
      try container.encode(upper, forKey: .upper)
      try container.encode(upperAtAnyTime, forKey: .upperAtAnyTime)
    }
  }

  package var confidence: Double
  /// All covered classes together.
  package var overall: Bound
  /// By class number, for each class with a random sample; each holds with the confidence by itself.
  package var perClass: [Int: Bound]
  /// Classes that ``overall`` covers, ascending.
  package var covered: [Int]
  /// Classes with kept images that it does not cover, ascending.
  package var uncovered: [Int]

  /// A class with this many random draws is covered however large it is.
  package static let enoughDraws = 20
  /// A class with fewer draws is covered if its share of the images is at most this many times its share of the draws.
  package static let sparsestRate = 3.0

  /// - Parameters:
  ///   - labels: Each image's class; negative for images that take no part.
  ///   - isKept: Whether each image is kept, verified ones as if nobody had looked at them.
  ///   - verdicts: Answers about images drawn at random within their class, image → label is right; "not sure" counts as
  ///     wrong.
  /// - Returns: nil where nothing was verified.
  package init?(labels: [Int], isKept: [Bool], verdicts: [Int: Bool], confidence: Double = 0.95) {
    guard let sampling = StratifiedSampling(labels: labels, verdicts: verdicts) else { return nil }
    self.init(sampling, counts: sampling.counts(isKept: isKept), confidence: confidence)
  }

  init(_ sampling: StratifiedSampling, counts: [StratifiedSampling.Counts], confidence: Double) {
    self.confidence = confidence
    func bound(_ strata: [StratifiedSampling.Counts]) -> Bound {
      Bound(
        kept: strata.reduce(0) { $0 + $1.kept }, sample: strata.reduce(0) { $0 + $1.sample },
        wrong: strata.reduce(0) { $0 + $1.wrong },
        upper: StratifiedBound.upper(strata, confidence: confidence),
        upperAtAnyTime: StratifiedBound.upperAtAnyTime(strata, confidence: confidence))
    }
    perClass = Dictionary(
      uniqueKeysWithValues: counts.filter { sampling.drawn[$0.label] > 0 }.map { ($0.label, bound([$0])) })
    let isCovered = Set(sampling.covered)
    covered = sampling.covered
    uncovered = counts.filter { $0.kept > 0 && !isCovered.contains($0.label) }.map(\.label)
    overall = bound(counts.filter { isCovered.contains($0.label) })
  }
}

/// How many images each class has, and how many of them were drawn at random and verified.
struct StratifiedSampling: Sendable {
  /// The counts of one class among the kept images.
  struct Counts: Sendable, Hashable {
    var label: Int
    /// Images kept.
    var kept = 0
    /// Verified images among them, and the wrong ones of those.
    var sample = 0
    var wrong = 0
  }

  private let labels: [Int]
  private let verdicts: [(image: Int, isRight: Bool)]
  /// By class.
  let sizes: [Int]
  let drawn: [Int]
  /// Classes with enough draws, ascending.
  let covered: [Int]

  init?(labels: [Int], verdicts: [Int: Bool]) {
    let known = verdicts.filter { labels[$0.key] >= 0 }
    guard !known.isEmpty, let most = labels.max() else { return nil }
    self.labels = labels
    self.verdicts = known.sorted { $0.key < $1.key }.map { (image: $0.key, isRight: $0.value) }
    var sizes = [Int](repeating: 0, count: most + 1)
    for label in labels where label >= 0 { sizes[label] += 1 }
    var drawn = [Int](repeating: 0, count: most + 1)
    for image in known.keys { drawn[labels[image]] += 1 }
    self.sizes = sizes
    self.drawn = drawn
    covered = Self.covered(sizes: sizes, drawn: drawn)
  }

  /// Leaves out the sparsest class until each has enough draws of its own, or its fair share of all draws.
  private static func covered(sizes: [Int], drawn: [Int]) -> [Int] {
    var covered = drawn.indices.filter { drawn[$0] > 0 }
    while covered.count > 1 {
      let images = covered.reduce(0) { $0 + sizes[$1] }
      let draws = covered.reduce(0) { $0 + drawn[$1] }
      func sparseness(_ label: Int) -> Double {
        guard drawn[label] < min(NoiseGuarantee.enoughDraws, sizes[label]) else { return 0 }
        return Double(sizes[label]) / Double(images) * Double(draws) / Double(drawn[label])
      }
      let sparse = covered.filter { sparseness($0) > NoiseGuarantee.sparsestRate }
      guard let worst = sparse.max(by: { sparseness($0) < sparseness($1) }) else { break }
      covered.removeAll { $0 == worst }
    }
    return covered
  }

  func counts(isKept: [Bool]) -> [Counts] {
    var counts = sizes.indices.map { Counts(label: $0) }
    for (image, label) in labels.enumerated() where label >= 0 && isKept[image] { counts[label].kept += 1 }
    for (image, isRight) in verdicts where isKept[image] {
      counts[labels[image]].sample += 1
      counts[labels[image]].wrong += isRight ? 0 : 1
    }
    return counts.filter { sizes[$0.label] > 0 }
  }

  /// The counts at each of falling thresholds, in one pass over the images.
  func counts(scores: [Float], thresholds: [Float]) -> [[Counts]] {
    // The images that each step keeps beyond those of earlier steps.
    var added = [[Counts]](repeating: sizes.indices.map { Counts(label: $0) }, count: thresholds.count)
    for (image, label) in labels.enumerated() where label >= 0 {
      if let step = Self.firstStep(keeping: scores[image], thresholds) { added[step][label].kept += 1 }
    }
    for (image, isRight) in verdicts {
      guard let step = Self.firstStep(keeping: scores[image], thresholds) else { continue }
      added[step][labels[image]].sample += 1
      added[step][labels[image]].wrong += isRight ? 0 : 1
    }
    var sum = sizes.indices.map { Counts(label: $0) }
    return added.map { more in
      for label in sum.indices {
        sum[label].kept += more[label].kept
        sum[label].sample += more[label].sample
        sum[label].wrong += more[label].wrong
      }
      return sum.filter { sizes[$0.label] > 0 }
    }
  }

  /// The first of falling thresholds that a score reaches; nil where there is none.
  private static func firstStep(keeping score: Float, _ thresholds: [Float]) -> Int? {
    var low = 0
    var high = thresholds.count
    while low < high {
      let middle = (low + high) / 2
      if score >= thresholds[middle] { high = middle } else { low = middle + 1 }
    }
    return low < thresholds.count ? low : nil
  }
}

/// Fay and Feuer's bound on a weighted sum of shares; see ``NoiseGuarantee``.
enum StratifiedBound {
  /// The share of wrong images among all kept ones of `strata`, at most, with `confidence`.
  ///
  /// A stratum that keeps images, none of them verified, may be wrong throughout.
  static func upper(_ strata: [StratifiedSampling.Counts], confidence: Double) -> Double {
    upper(strata) { successes, trials in
      let failures = trials - successes + 1
      return failures > 0 ? BetaDistribution.quantile(confidence, successes, failures) : 1
    }
  }

  /// The same for all sample sizes at once: a ``ConfidenceSequence`` of the counts that stand for the strata.
  static func upperAtAnyTime(_ strata: [StratifiedSampling.Counts], confidence: Double) -> Double {
    upper(strata) { successes, trials in
      let wrong = max(0, successes - 1)
      return ConfidenceSequence.interval(
        successes: wrong, trials: max(wrong, trials), confidence: confidence
      ).upperBound
    }
  }

  /// - Parameter bound: On a share, from the number of wrong ones plus one and the number of images that stand for the
  ///   strata.
  private static func upper(
    _ strata: [StratifiedSampling.Counts], by bound: (_ successes: Double, _ trials: Double) -> Double
  ) -> Double {
    let kept = Double(strata.reduce(0) { $0 + $1.kept })
    guard kept > 0 else { return 0 }
    let unseen = strata.filter { $0.kept > 0 && $0.sample == 0 }.reduce(0.0) { $0 + Double($1.kept) / kept }
    let seen = strata.filter { $0.sample > 0 }
    guard !seen.isEmpty else { return 1 }
    // The weight of one verified image of each stratum, as a share of all kept images.
    let weights = seen.map { Double($0.kept) / kept / Double($0.sample) }
    let mean = zip(weights, seen).reduce(0) { $0 + $1.0 * Double($1.1.wrong) }
    let variance = zip(weights, seen).reduce(0) { $0 + $1.0 * $1.0 * Double($1.1.wrong) }
    // One more wrong image, of the stratum where it weighs most.
    let most = weights.max() ?? 0
    let successes = (mean + most) * (mean + most) / (variance + most * most)
    let trials = (mean + most) / (variance + most * most)
    return min(1, unseen + bound(successes, trials))
  }
}

/// The lowest threshold at which at most a wished share of wrong labels is left among the images kept.
///
/// Thresholds are tried in a fixed order, from the first one that keeps enough verified images to prove anything
/// downwards, until a bound is above the wish. By the closed testing principle of a fixed sequence (Maurer, Hothorn and
/// Lehmacher 1995; for risks Angelopoulos et al. 2021) the last one that held does so with the full confidence, however
/// many were tried. The order depends on scores alone, not on verdicts.
///
/// - Parameters:
///   - scores: Each image's score, higher where the label is more likely right; NaN: not kept.
///   - steps: Thresholds that are tried, at equal distances in the share of images kept.
/// - Returns: nil where no threshold can be shown to do: too few images are verified, or too many of them are wrong.
package func thresholdForNoise(
  _ wished: Double, scores: [Float], labels: [Int], verdicts: [Int: Bool], confidence: Double = 0.95,
  steps: Int = 200
) -> (threshold: Float, guarantee: NoiseGuarantee)? {
  let sorted = scores.indices.filter { labels[$0] >= 0 && !scores[$0].isNaN }.map { scores[$0] }.sorted(by: >)
  guard !sorted.isEmpty, let sampling = StratifiedSampling(labels: labels, verdicts: verdicts) else {
    return nil
  }
  let isCovered = Set(sampling.covered)
  let thresholds = (1...steps).map { sorted[max(0, $0 * sorted.count / steps - 1)] }
  var best: (threshold: Float, guarantee: NoiseGuarantee)?
  for (threshold, counts) in zip(thresholds, sampling.counts(scores: scores, thresholds: thresholds)) {
    // With so few, even no wrong one among them would prove nothing.
    let none = counts.filter { isCovered.contains($0.label) }.map { counts in
      var counts = counts
      counts.wrong = 0
      return counts
    }
    guard StratifiedBound.upper(none, confidence: confidence) <= wished else { continue }
    let guarantee = NoiseGuarantee(sampling, counts: counts, confidence: confidence)
    guard guarantee.overall.upper <= wished else { break }
    best = (threshold, guarantee)
  }
  return best
}
