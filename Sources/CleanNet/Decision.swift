import Foundation

/// Turns a score into a decision and a probability. Learned from verified images that training did not see.
public struct Decision: Sendable, Hashable, Codable {
  /// τ: a label is taken to be wrong where its score is below.
  public var threshold: Double
  /// The probability that a label is right is `1 / (1 + exp(−(slope · score + intercept)))`.
  public var slope: Double
  public var intercept: Double

  public init(threshold: Double, slope: Double, intercept: Double) {
    self.threshold = threshold
    self.slope = slope
    self.intercept = intercept
  }

  /// The threshold of the least average error rate, and Platt's calibration (Platt 1999, with his targets, which keep
  /// few images from claiming certainty).
  ///
  /// - Parameter judged: Scores of verified images, the class of their label, and whether it is right. Without any, or
  ///   with one kind alone, `natural` is the threshold.
  package static func fitted(
    _ judged: [(score: Double, label: Int, isRight: Bool)], natural: Double, slope: Double
  ) -> Decision {
    let right = judged.count(where: \.isRight)
    guard right > 0, right < judged.count else {
      return Decision(threshold: natural, slope: slope, intercept: -slope * natural)
    }
    let threshold = bestThreshold(judged).flatMap { $0.isFinite ? $0 : nil } ?? natural
    let targets = (
      right: (Double(right) + 1) / (Double(right) + 2), wrong: 1 / (Double(judged.count - right) + 2)
    )
    func loss(_ a: Double, _ b: Double) -> Double {
      judged.reduce(0) { sum, image in
        let logit = a * image.score + b
        let target = image.isRight ? targets.right : targets.wrong
        // log(1 + e^z) − target · z, without overflow.
        return sum + max(logit, 0) + log1p(exp(-abs(logit))) - target * logit
      }
    }
    // Newton's method on two parameters, each step halved until it helps.
    var a = slope
    var b = -slope * threshold
    var current = loss(a, b)
    for _ in 0..<100 {
      var ga = 0.0
      var gb = 0.0
      var haa = 1e-9
      var hab = 0.0
      var hbb = 1e-9
      for image in judged {
        let p = 1 / (1 + exp(-(a * image.score + b)))
        let residual = p - (image.isRight ? targets.right : targets.wrong)
        let weight = max(p * (1 - p), 1e-9)
        ga += residual * image.score
        gb += residual
        haa += weight * image.score * image.score
        hab += weight * image.score
        hbb += weight
      }
      let determinant = haa * hbb - hab * hab
      guard determinant > 1e-18 else { break }
      let da = (hbb * ga - hab * gb) / determinant
      let db = (haa * gb - hab * ga) / determinant
      var scale = 1.0
      while scale > 1e-6, loss(a - scale * da, b - scale * db) > current { scale /= 2 }
      guard scale > 1e-6 else { break }
      a = a - scale * da
      b = b - scale * db
      current = loss(a, b)
      if scale * (abs(da) + abs(db)) < 1e-8 { break }
    }
    // A falling calibration would contradict the ranking: better none than that one.
    guard a > 0 else { return Decision(threshold: threshold, slope: slope, intercept: -slope * threshold) }
    return Decision(threshold: threshold, slope: a, intercept: b)
  }

  public func probability(_ score: Double) -> Double { 1 / (1 + exp(-(slope * score + intercept))) }
}
