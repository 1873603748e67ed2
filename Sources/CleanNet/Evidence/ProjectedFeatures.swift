import Torch

/// The principal components of images: in memory, or where they are many in half precision in a file that is gone with
/// them, so that the system can put them aside.
struct ProjectedFeatures: FeatureSource {
  /// Numbers from which on a file stands behind them.
  static let most = 1 << 25

  private let features: any FeatureSource

  /// - Parameter scratch: A folder for the file; nil: memory.
  init(
    _ features: some FeatureSource, images: [Int], _ components: PrincipalComponents, scratch: String?,
    most: Int = most
  ) {
    guard images.count * components.dimension > most else {
      self.features = components.project(features, images: images)
      return
    }
    let kept = HalfFeatures(count: images.count, dimension: components.dimension, scratch: scratch)
    withoutGradients {
      for start in stride(from: 0, to: images.count, by: PrincipalComponents.chunk) {
        let range = start..<min(start + PrincipalComponents.chunk, images.count)
        kept.set(from: start, components(features.rows(Array(images[range]))))
      }
    }
    self.features = kept
  }

  var count: Int { features.count }
  var dimension: Int { features.dimension }
  func rows(_ indices: [Int]) -> Tensor { features.rows(indices) }
  func rows(_ range: Range<Int>) -> Tensor { features.rows(range) }
}
