/// How far probabilities that labels are right can be taken at their word.
package struct Calibration: Sendable, Hashable, Codable {
  /// The expected calibration error: over bins of equal width of the probability, the distance between the mean
  /// probability and the share of right labels, weighted by the bins' sizes (Naeini et al. 2015).
  package var expectedError: Double
  /// The mean squared distance between the probability and the truth (Brier 1950).
  package var brierScore: Double
  /// The bins that have images.
  package var bins: [Bin]

  package struct Bin: Sendable, Hashable, Codable {
    package var meanProbability: Double
    package var shareRight: Double
    package var count: Int
  }

  /// - Parameter probabilities: That the label is right, in [0, 1]; NaN ones are left out.
  package init(probabilities: [Double], isRight: [Bool], bins count: Int = 10) {
    precondition(
      probabilities.count == isRight.count && count > 0, "probabilities and truth differ in length")
    var sums = [Double]()
    var rights = [Int]()
    var sizes = [Int]()
    sums = Array(repeating: 0, count: count)
    rights = Array(repeating: 0, count: count)
    sizes = rights
    var squares = 0.0
    var total = 0
    for (probability, right) in zip(probabilities, isRight) where !probability.isNaN {
      let clamped = min(1, max(0, probability))
      // Bins are closed above, as (0, 0.1], (0.1, 0.2] …; 0 belongs to the first.
      let bin = max(0, min(count - 1, Int((clamped * Double(count)).rounded(.up)) - 1))
      sums[bin] += clamped
      rights[bin] += right ? 1 : 0
      sizes[bin] += 1
      let distance = clamped - (right ? 1 : 0)
      squares += distance * distance
      total += 1
    }
    bins = (0..<count).filter { sizes[$0] > 0 }.map {
      Bin(
        meanProbability: sums[$0] / Double(sizes[$0]), shareRight: Double(rights[$0]) / Double(sizes[$0]),
        count: sizes[$0])
    }
    brierScore = total == 0 ? .nan : squares / Double(total)
    expectedError =
      total == 0
      ? .nan
      : bins.reduce(0) { $0 + abs($1.meanProbability - $1.shareRight) * Double($1.count) } / Double(total)
  }
}
