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
    let classes = Set(verdicts.keys.map { labels[$0] }).sorted()
    guard !classes.isEmpty else { return nil }
    self.confidence = confidence
    var (sizes, kept) = ([Int: Int](), [Int: Int]())
    for (image, label) in labels.enumerated() where label >= 0 {
      sizes[label, default: 0] += 1
      if isKept[image] { kept[label, default: 0] += 1 }
    }
    var verified: [Int: [(image: Int, isRight: Bool)]] = [:]
    for (image, isRight) in verdicts.sorted(by: { $0.key < $1.key }) {
      verified[labels[image], default: []].append((image, isRight))
    }
    func bound(_ sample: [(image: Int, isRight: Bool)], kept: Int) -> Bound {
      let counted = sample.filter { isKept[$0.image] }
      let wrong = counted.count { !$0.isRight }
      return Bound(
        kept: kept, sample: counted.count, wrong: wrong,
        upper: ClopperPearson.upperBound(successes: wrong, trials: counted.count, confidence: confidence))
    }
    perClass = Dictionary(
      uniqueKeysWithValues: classes.map { ($0, bound(verified[$0] ?? [], kept: kept[$0] ?? 0)) })
    // The same rate for all: that of the class with the sparsest sample.
    let rate = classes.map { Double(verified[$0]?.count ?? 0) / Double(sizes[$0] ?? 1) }.min() ?? 0
    var random = SplitMix64(seed: seed)
    let even = classes.flatMap { label -> ArraySlice<(image: Int, isRight: Bool)> in
      let count = Int((rate * Double(sizes[label] ?? 0)).rounded(.down))
      return (verified[label] ?? []).shuffled(using: &random).prefix(count)
    }
    overall = bound(even, kept: classes.reduce(0) { $0 + (kept[$1] ?? 0) })
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
  guard !sorted.isEmpty else { return nil }
  var best: (threshold: Float, guarantee: NoiseGuarantee)?
  for step in 1...steps {
    let threshold = sorted[max(0, step * sorted.count / steps - 1)]
    let isKept = scores.map { $0 >= threshold }
    guard
      let guarantee = NoiseGuarantee(
        labels: labels, isKept: isKept, verdicts: verdicts, confidence: confidence, seed: seed)
    else { return nil }
    // With so few, even no wrong one among them would prove nothing.
    let provable = ClopperPearson.upperBound(
      successes: 0, trials: guarantee.overall.sample, confidence: confidence)
    guard provable <= wished else { continue }
    guard guarantee.overall.upper <= wished else { break }
    best = (threshold, guarantee)
  }
  return best
}
