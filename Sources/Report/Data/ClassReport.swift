/// The facts about the images with one label.
package struct ClassReport: Sendable, Codable {
  package var name: String
  package var images: Int
  package var judged: Int
  package var calledWrong: Int
  /// The mean of 1 − probability; nil where nothing is judged.
  package var estimatedNoise: Double?
  /// Wrong ones among the verified images of the class.
  package var verified: Share?
  /// No larger share of the images kept is wrong, with the guarantee's confidence.
  package var guaranteedUpper: Double?
  /// nil where nothing is judged.
  package var histogram: ScoreHistogram?
  /// Most suspicious first.
  package var suspicious: [Int]
  /// Those nearest to the threshold.
  package var borderline: [Int]
  /// Whether the page shows a section of the class.
  package var isDetailed: Bool
}

/// How many images have which score, by verdict and verification. Bins have equal width.
package struct ScoreHistogram: Sendable, Codable {
  package var low: Double
  package var high: Double
  package var threshold: Double
  /// Unverified images that are kept, and that are called wrong.
  package var kept: [Int]
  package var dropped: [Int]
  /// Images that a person found right, or wrong.
  package var right: [Int]
  package var wrong: [Int]

  package static let bins = 20

  init(low: Double, high: Double, threshold: Double) {
    self.low = low
    self.high = high
    self.threshold = threshold
    kept = Array(repeating: 0, count: Self.bins)
    dropped = kept
    right = kept
    wrong = kept
  }

  /// The bin of a score; the last one holds its upper end.
  func bin(_ score: Double) -> Int {
    min(Self.bins - 1, max(0, Int((score - low) / (high - low) * Double(Self.bins))))
  }
}

/// An image as the page shows it.
package struct ImageCard: Sendable, Codable {
  package var id: Int
  package var key: String
  package var path: String
  package var split: String
  /// Class numbers; suggestion nil where the image is not judged.
  package var label: Int
  package var suggestion: Int?
  /// The probability that the label is right.
  package var probability: Double?
  package var cosine: Double?
  /// Called wrong, by the model or by a person; nil where not judged.
  package var isWrong: Bool?
  /// A person's verdict.
  package var verification: Bool?
  package var references: [Reference]
  /// Whether there is a small copy of the image in the page.
  package var hasThumbnail: Bool

  /// The image that stands for the class's reference to which this image is nearest.
  package struct Reference: Sendable, Codable {
    package var image: Int
    package var label: Int
    /// The cosine of the two images' features.
    package var similarity: Double
  }
}

/// Which labels are taken for which.
package struct Confusions: Sendable, Codable {
  /// The most frequent first.
  package var pairs: [Pair]
  /// Images by label (row) and suggested class (column), only those called wrong; nil with more than 200
  /// classes.
  package var matrix: [[Int]]?

  package struct Pair: Sendable, Codable {
    package var label: Int
    package var suggestion: Int
    package var images: Int
    /// Of the images with that label.
    package var share: Double
    /// How many images chance would have put here, were suggestions spread evenly over the other classes.
    package var expected: Double?
    /// Whether that many are more than chance explains, at 95 % for all pairs together.
    package var isRemarkable: Bool?
    package var examples: [Int]
  }
}
