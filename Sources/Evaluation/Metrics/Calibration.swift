/// How far probabilities that labels are right can be taken at their word.
public struct Calibration: Sendable, Hashable, Codable {
  /// The expected calibration error: over bins of equal width of the probability, the distance between the mean
  /// probability and the share of right labels, weighted by the bins' sizes (Naeini et al. 2015).
  public var expectedError: Double
  /// The mean squared distance between the probability and the truth (Brier 1950).
  public var brierScore: Double
  /// The bins that have images.
  public var bins: [Bin]

  public struct Bin: Sendable, Hashable, Codable {
    public var meanProbability: Double
    public var shareRight: Double
    public var count: Int
  }

  /// - Parameter probabilities: That the label is right, in [0, 1]; NaN ones are left out.
  public init(probabilities: [Double], isRight: [Bool], bins count: Int = 10) {
    precondition(
      probabilities.count == isRight.count && count > 0, "probabilities and truth differ in length")
    var (sums, rights, sizes) = ([Double](), [Int](), [Int]())
    sums = Array(repeating: 0, count: count)
    rights = Array(repeating: 0, count: count)
    sizes = rights
    var (squares, total) = (0.0, 0)
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
