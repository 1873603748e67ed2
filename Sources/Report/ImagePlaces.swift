import Torch

/// Places of images on a plane on which images that look alike are near, as the report's map has them.
package struct ImagePlaces: Sendable {
  /// Images that have features, ascending.
  package var ids: [Int]
  /// x and y by image, in [0, 1].
  package var places: [[Double]]

  /// Steps that ``init(_:among:progress:)`` takes.
  package static let steps = FeatureGatherer.mapSteps

  /// Takes time and memory with the square of the number of images.
  ///
  /// - Parameters:
  ///   - ids: Some thousand images at most.
  ///   - progress: Called with the number of steps done.
  /// - Returns: Nil where fewer than three of the images have features.
  package init?(_ features: any FeatureSource, among ids: [Int], progress: (Int) -> Void = { _ in }) {
    guard let gatherer = FeatureGatherer(features, among: ids.sorted()) else { return nil }
    self.ids = gatherer.ids
    places = gatherer.places(progress: progress)
  }
}
