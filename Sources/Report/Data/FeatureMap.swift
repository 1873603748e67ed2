/// A sample of the images on a plane on which images that look alike are near.
public struct FeatureMap: Sendable, Codable {
  /// Images on the map, and those that could be.
  public var shown: Int
  public var total: Int
  /// By point.
  public var ids: [Int]
  public var paths: [String]
  public var labels: [Int]
  public var suggestions: [Int?]
  public var probabilities: [Double?]
  public var isWrong: [Bool?]
  /// x and y by point, in [0, 1].
  public var principal: [[Double]]
  /// The share of the variance that the two principal components have.
  public var variance: Double
  /// nil with too few points.
  public var neighborhood: [[Double]]?
  /// How the small pictures lie in the sprite; nil where there is none.
  public var sprite: Sprite?

  public struct Sprite: Sendable, Codable {
    public var columns: Int
    /// In pixels.
    public var tile: Int
    /// Points that have a picture.
    public var pictures: Int
  }
}
