import Evaluation
import Foundation

/// How to spend a person's time for a wished end: how much of it on second looks, on random images, which measure, and on
/// doubtful labels, which mend.
struct ReviewPlan: Sendable, Hashable, Codable {
  enum Wish: Sendable, Hashable, Codable {
    /// So many minutes.
    case minutes(Double)
    /// Until at most this share of the labels that look right is wrong, with 95 % confidence.
    case wrong(Double)
  }

  struct Step: Sendable, Hashable, Codable {
    enum Kind: String, Sendable, Codable {
      /// Verdicts that the model contradicts, and others beside them.
      case again
      /// Images of one class after the other; every second one is random once there are scores.
      case measure
      /// The labels that are most in doubt.
      case mend
    }

    var kind: Kind
    var images: Int
  }

  /// How things stand.
  struct Facts: Sendable {
    var isScored: Bool
    /// How certain the model is in each verdict that it contradicts.
    var contradicted: [Double] = []
    /// Contradicted verdicts that call a random label wrong which looks right.
    var contradictedWrong = 0
    /// Of labels in doubt, the probability that the decision is mistaken, the largest first.
    var doubts: [Double] = []
    /// Random images that look right, and how many of them were answered otherwise.
    var sample = 0
    var wrong = 0
    /// The share of labels that look right, and of wrong ones among those, as the model expects.
    var kept = 1.0
    var expectedWrong = 0.0
    /// Images that people have not answered.
    var open = 0
    /// How long the person needs for an image.
    var seconds = 1.0
  }

  var wish: Wish
  var steps: [Step]
  var minutes: Double
  /// The bound that is expected at the end; nil where there will be none.
  var upper: Double?
  /// Mistaken decisions that are expected to be set right.
  var mended: Double
  /// Whether the wish can be fulfilled.
  var isReached: Bool
  /// The conclusion, in a sentence or two.
  var text: String

  var images: Int { steps.reduce(0) { $0 + $1.images } }

  /// Random images before the first training, and random images that look right from which a bound says something.
  static let begun = 2 * ClassRanking.first
  static let enough = 100
  /// More than this nobody plans for.
  private static let most = 20_000

  init(_ wish: Wish, _ facts: Facts) {
    let again =
      facts.contradicted.isEmpty ? 0 : facts.contradicted.count + max(1, facts.contradicted.count / 4)
    switch wish {
    case .minutes(let minutes):
      let all = min(facts.open + again, max(1, Int(minutes * 60 / max(0.05, facts.seconds))))
      let looks = min(again, all)
      let rest = all - looks
      guard facts.isScored else {
        self.init(wish, facts, looks: looks, measured: rest, mended: 0, isReached: true)
        return
      }
      // A bound that says little first, then a fourth to keep up with what mending changes.
      let missing = Int((Double(Self.enough - facts.sample) / max(0.1, facts.kept)).rounded(.up))
      let wished = facts.sample < Self.enough ? min(rest / 2, 2 * missing) : rest / 4
      let mended = min(rest - wished, facts.doubts.count)
      self.init(wish, facts, looks: looks, measured: rest - mended, mended: mended, isReached: true)
    case .wrong(let target):
      guard facts.isScored else {
        self.init(wish, facts, looks: again, measured: Self.begun, mended: 0, isReached: false)
        return
      }
      for measured in stride(from: 0, through: min(Self.most, facts.open), by: 12)
      where Self.upper(facts, looks: again, measured: measured).map({ $0 <= target }) == true {
        self.init(wish, facts, looks: again, measured: measured, mended: 0, isReached: true)
        return
      }
      self.init(wish, facts, looks: again, measured: 0, mended: facts.doubts.count, isReached: false)
    }
  }

  private init(_ wish: Wish, _ facts: Facts, looks: Int, measured: Int, mended count: Int, isReached: Bool) {
    self.wish = wish
    self.isReached = isReached
    steps = [
      Step(kind: .again, images: looks), Step(kind: .measure, images: measured),
      Step(kind: .mend, images: count),
    ].filter { $0.images > 0 }
    minutes = Double(looks + measured + count) * facts.seconds / 60
    upper = facts.isScored ? Self.upper(facts, looks: looks, measured: measured) : nil
    mended =
      facts.doubts.prefix(count).reduce(0, +)
      + facts.contradicted.prefix(looks).reduce(0, +)
    text = Self.text(
      wish, facts, images: looks + measured + count, minutes: minutes, upper: upper, mended: mended,
      isReached: isReached)
  }

  /// The bound to be expected, with some wrong labels more than the model expects, so that it is kept more often than not.
  private static func upper(_ facts: Facts, looks: Int, measured: Int) -> Double? {
    let drawn = Double(measured) / 2 * facts.kept
    let trials = Double(facts.sample) + drawn
    guard trials >= 1 else { return nil }
    let slips = looks >= facts.contradicted.count ? facts.contradictedWrong : 0
    let expected = facts.expectedWrong * drawn
    let wrong = Double(max(0, facts.wrong - slips)) + expected + expected.squareRoot()
    return ConfidenceSequence.interval(successes: min(wrong, trials), trials: trials).upperBound
  }

  private static func text(
    _ wish: Wish, _ facts: Facts, images: Int, minutes: Double, upper: Double?, mended: Double,
    isReached: Bool
  ) -> String {
    let time = minutes < 1.5 ? "about a minute" : "about \(Int(minutes.rounded())) minutes"
    let amount = images == 0 ? "Nothing more is to be looked at" : "\(images) images, \(time)"
    guard facts.isScored else {
      return
        "\(amount). Then train: before that nobody can say how many wrong labels are left, nor how long it takes to find out."
    }
    switch wish {
    case .minutes:
      let bound = upper.map { ", and at most \($0.percent) of the labels that look right are wrong" } ?? ""
      return
        "\(amount). That should set right about \(Int(mended.rounded())) mistaken decisions\(bound), with 95 % confidence."
    case .wrong(let target):
      return isReached
        ? "\(amount): then probably at most \(target.percent) of the labels that look right are wrong, with 95 % confidence."
        : "The model probably keeps \(facts.expectedWrong.counted) wrong labels, so random images alone cannot show that at most "
          + "\(target.percent) are. Set the doubtful labels right first: \(amount). Then plan again."
    }
  }
}
