/// What is said of the images with one label.
public struct ClassReport: Sendable, Codable {
  public var name: String
  public var images: Int
  public var judged: Int
  public var calledWrong: Int
  /// The mean of 1 − probability; nil where nothing is judged.
  public var estimatedNoise: Double?
  /// Wrong ones among the verified images of the class.
  public var verified: Share?
  /// No larger share of the images kept is wrong, with the guarantee's confidence.
  public var guaranteedUpper: Double?
  /// nil where nothing is judged.
  public var histogram: ScoreHistogram?
  /// Most suspicious first.
  public var suspicious: [Int]
  /// Those nearest to the threshold.
  public var borderline: [Int]
  /// Whether the page shows a section of the class.
  public var isDetailed: Bool
}

/// How many images have which score, by verdict and verification. Bins are of equal width.
public struct ScoreHistogram: Sendable, Codable {
  public var low: Double
  public var high: Double
  public var threshold: Double
  /// Unverified images that are kept, and that are called wrong.
  public var kept: [Int]
  public var dropped: [Int]
  /// Images that a person found right, or wrong.
  public var right: [Int]
  public var wrong: [Int]

  public static let bins = 20

  init(low: Double, high: Double, threshold: Double) {
    (self.low, self.high, self.threshold) = (low, high, threshold)
    kept = Array(repeating: 0, count: Self.bins)
    (dropped, right, wrong) = (kept, kept, kept)
  }

  /// The bin of a score; the last one holds its upper end.
  func bin(_ score: Double) -> Int {
    min(Self.bins - 1, max(0, Int((score - low) / (high - low) * Double(Self.bins))))
  }
}

/// An image as the page shows it.
public struct ImageCard: Sendable, Codable {
  public var id: Int
  public var key: String
  public var path: String
  public var split: String
  /// Class numbers; suggestion nil where the image is not judged.
  public var label: Int
  public var suggestion: Int?
  /// That the label is right.
  public var probability: Double?
  public var cosine: Double?
  /// Called wrong, by the model or by a person; nil where not judged.
  public var isWrong: Bool?
  /// What a person said.
  public var verification: Bool?
  public var references: [Reference]
  /// Whether there is a small copy of the image in the page.
  public var hasThumbnail: Bool

  /// The image that stands for the class's reference to which this image is nearest.
  public struct Reference: Sendable, Codable {
    public var image: Int
    public var label: Int
    /// The cosine of the two images' features.
    public var similarity: Double
  }
}

/// Which labels are taken for which.
public struct Confusions: Sendable, Codable {
  /// The most frequent first.
  public var pairs: [Pair]
  /// Images by label (row) and suggested class (column), only those called wrong; nil with more than 200
  /// classes.
  public var matrix: [[Int]]?

  public struct Pair: Sendable, Codable {
    public var label: Int
    public var suggestion: Int
    public var images: Int
    /// Of the images with that label.
    public var share: Double
    /// How many images chance would have put here, were suggestions spread evenly over the other classes.
    public var expected: Double?
    /// Whether that many are more than chance explains, at 95 % for all pairs together.
    public var isRemarkable: Bool?
    public var examples: [Int]
  }
}
