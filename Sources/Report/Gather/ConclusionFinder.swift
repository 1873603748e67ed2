import Evaluation

/// Says in a word whether a data set can be used, and what the next step costs.
struct ConclusionFinder {
  let isJudged: Bool
  /// The model's share of wrong labels among those kept; nil where nothing is judged.
  let noise: Double?
  let guarantee: NoiseGuarantee.Bound?

  /// A data set with at most this share of wrong labels left trains as well as a clean one, and most benchmarks have more.
  static let good = 0.05
  /// With more than this left, learning from it costs more than it brings.
  static let bad = 0.4
  /// Seconds that a person needs for one image in the grid.
  static let seconds = 0.8
  private static let fewest = 48

  var conclusion: Summary.Conclusion {
    let target = [0.03, 0.05, 0.1, 0.2].first { $0 > (guarantee.map(Self.rate) ?? 0) * 1.2 } ?? 0.3
    let looks = Self.looks(to: target, from: guarantee)
    return Summary.Conclusion(
      use: use, looks: looks, minutes: (Double(looks) * Self.seconds / 60).rounded(to: 1) ?? 0,
      target: target)
  }

  private var use: Summary.Conclusion.Use {
    guard isJudged, let noise else { return .unknown }
    if let guarantee, guarantee.upper <= Self.good { return .use }
    return noise > Self.bad ? .avoid : .clean
  }

  private static func rate(_ bound: NoiseGuarantee.Bound) -> Double {
    bound.sample > 0 ? Double(bound.wrong) / Double(bound.sample) : 0
  }

  /// So many further random images show that at most `target` of the kept labels is wrong, if they are wrong as often as
  /// those before: Clopper and Pearson's bound on all of them.
  static func looks(to target: Double, from bound: NoiseGuarantee.Bound?) -> Int {
    let sample = bound?.sample ?? 0
    let rate = bound.map(Self.rate) ?? 0
    func isEnough(_ further: Int) -> Bool {
      let wrong = (bound?.wrong ?? 0) + Int((rate * Double(further)).rounded(.up))
      return ClopperPearson.upperBound(successes: wrong, trials: sample + further, confidence: 0.95) <= target
    }
    var further = fewest
    while further < 20_000, !isEnough(further) { further += max(12, further / 10) }
    return further
  }
}
