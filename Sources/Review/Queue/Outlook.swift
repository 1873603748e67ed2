import Evaluation
import Foundation
import Hummingbird

/// How good the judgements are, what more verdicts would bring, and whether it is enough.
struct Outlook: ResponseEncodable, Sendable, Hashable {
  /// Decisions compared with verdicts on images that were drawn at random.
  struct Measured: Sendable, Hashable, Codable {
    /// The share on which model and people disagree, all classes together; each image is judged without its own verdict.
    var error: Double
    /// The 95 % interval of that share, which holds however often somebody looked before and whenever they stop.
    var low: Double
    var high: Double
    /// On how many of the images they disagree.
    var wrong: Int
    var images: Int
    var classes: Int

    init(wrong: Int, images: Int, classes: Int) {
      let interval = ConfidenceSequence.interval(successes: Double(wrong), trials: Double(images))
      self.error = Double(wrong) / Double(max(1, images))
      low = interval.lowerBound
      high = interval.upperBound
      self.wrong = wrong
      self.images = images
      self.classes = classes
    }
  }

  /// The bound on wrong labels that are left among the kept ones, with 95 % confidence, whenever people stop.
  struct Kept: Sendable, Hashable, Codable {
    /// The share of wrong labels, at most.
    var upper: Double
    /// Labels kept, in this many classes.
    var labels: Int
    var classes: Int
    /// Images drawn at random among them, and how many of those are not known to be right: wrong, or "not sure".
    var sample: Int
    var wrong: Int
  }

  /// The state at a scoring.
  struct Moment: Sendable, Hashable, Codable {
    var verified: Int
    /// The share of decisions expected to be wrong, averaged over all classes.
    var expected: Double
  }

  var measured: Measured?
  /// nil before the first scores, and where no class has enough random images.
  var kept: Kept?
  /// The share of decisions expected to be wrong by the probabilities, averaged over classes: all, and the classes that
  /// nobody verified.
  var expected: Double?
  var expectedUnverified: Double?
  /// The moments of past scorings, the oldest first.
  var history: [Moment]
  /// `expected` after this many more verdicts and another training: extrapolated.
  var after: Double?
  static let step = 100
  var more = step
  /// Whether going on is expected to change little.
  var isEnough: Bool
  /// In a sentence or two.
  var advice: String

  /// Less gain than this, as a share of decisions, is not worth a hundred verdicts.
  static let worthwhile = 0.003
  /// How error falls with the number of verdicts, `n^−b`, before this data set has shown it; that belief counts as much
  /// as one doubling observed.
  private static let usualDecline = 0.15
  private static let usualWeight = 0.48

  init(
    measured: Measured?, kept: Kept? = nil, expected: Double?, expectedUnverified: Double?, history: [Moment],
    verified: Int,
    next: [String]
  ) {
    self.measured = measured
    self.kept = kept
    self.expected = expected
    self.expectedUnverified = expectedUnverified
    self.history = history
    guard let expected else {
      isEnough = false
      advice = Self.adviceBeforeTraining(verified: verified, next: next)
      return
    }
    let decline = Self.decline(history)
    let now = max(1, Double(verified))
    let later = expected * pow(now / (now + Double(Self.step)), decline)
    after = later
    isEnough = expected - later < Self.worthwhile
    let state = "The model probably misjudges \(expected.counted) labels"
    let place =
      next.isEmpty
      ? ""
      : ", in \(next.prefix(3).map(Self.brief).formatted(.list(type: .and).locale(Locale(identifier: "en_GB")))),"
    advice =
      isEnough
      ? "\(state). Another \(Self.step) verdicts would change less than \(Self.worthwhile.counted): this is enough."
      : "\(state). Another \(Self.step) verdicts\(place) may bring that to \(later.counted)."
  }

  /// A class's name as a sentence bears it.
  private static func brief(_ name: String) -> String {
    name.count <= 32 ? name : name.prefix(31) + "…"
  }

  private static func adviceBeforeTraining(verified: Int, next: [String]) -> String {
    let needed = 2 * ClassRanking.minimum
    if verified >= needed {
      return
        "\(verified) images are verified. Train now; the page then suggests where more verdicts help most."
    }
    return "Verify about \(ClassRanking.first) images in each of two or more different classes, then train."
  }

  /// b in `error ∝ n^−b`, by least squares on the logarithms, leaning on the usual decline.
  static func decline(_ history: [Moment]) -> Double {
    let points = history.filter { $0.verified > 0 && $0.expected > 0 }
      .map { (x: log(Double($0.verified)), y: log($0.expected)) }
    let count = Double(max(1, points.count))
    let x = points.reduce(0) { $0 + $1.x } / count
    let y = points.reduce(0) { $0 + $1.y } / count
    let covariance = points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
    let variance = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
    let slope = (-covariance + usualDecline * usualWeight) / (variance + usualWeight)
    return min(1, max(0, slope))
  }
}
