/// A sample of the images on a plane on which images that look alike are near.
package struct FeatureMap: Sendable, Codable {
  /// Images on the map, and how many could be.
  package var shown: Int
  package var total: Int
  /// By point.
  package var ids: [Int]
  package var paths: [String]
  package var labels: [Int]
  package var suggestions: [Int?]
  package var probabilities: [Double?]
  package var isWrong: [Bool?]
  /// x and y by point, in [0, 1].
  package var principal: [[Double]]
  /// The share of the variance that the two principal components have.
  package var variance: Double
  /// nil with too few points.
  package var neighborhood: [[Double]]?
  /// How the small pictures lie in the sprite; nil where there is none.
  package var sprite: Sprite?

  package struct Sprite: Sendable, Codable {
    package var columns: Int
    /// In pixels.
    package var tile: Int
    /// Points that have a picture.
    package var pictures: Int
  }
}
