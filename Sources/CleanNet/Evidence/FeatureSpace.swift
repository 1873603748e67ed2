import Torch

/// Where evidence is sought: the images that take part as points, and who is near whom. Depends on features alone, not
/// on labels or verdicts, so that it serves any number of trainings and judgements.
public struct FeatureSpace: Sendable {
  /// The images that take part, ascending. Row i of everything else belongs to `images[i]`.
  public let images: [Int]
  public let components: PrincipalComponents
  /// `[N, d]`
  let features: DenseFeatures
  let discriminant: DiscriminantPosterior
  let neighbors: NeighborPosterior

  /// The space of the images that take part in `data`.
  ///
  /// - Parameters:
  ///   - store: Where neighbours may be kept already.
  ///   - progress: Called from any thread with the share of the work done.
  public init(
    _ data: TrainingSet, configuration: Configuration, store: NeighborStore? = nil, threads: Int,
    progress: (@Sendable (Double) -> Void)? = nil
  ) {
    let images = data.labels.indices.filter { data.labels[$0] >= 0 }
    let components = PrincipalComponents(
      data.features, images: images, normalization: configuration.normalization,
      dimension: configuration.components ?? PrincipalComponents.maximumDimension)
    self.init(
      data, images: images, components: components, seed: configuration.seed, recall: configuration.recall,
      store: store, threads: threads, progress: progress)
  }

  init(
    _ data: TrainingSet, images: [Int], components: PrincipalComponents, seed: UInt64,
    recall: Double?, store: NeighborStore?, threads: Int, progress: (@Sendable (Double) -> Void)? = nil
  ) {
    self.images = images
    self.components = components
    features = components.project(data.features, images: images)
    discriminant = DiscriminantPosterior(features.values, seed: seed)
    neighbors = NeighborPosterior(
      ScaledFeatures(features: features, scales: components.softWhitening), classes: data.classes,
      recall: recall ?? NeighborSearch.usualRecall, store: store, threads: threads, progress: progress)
  }

  /// How neighbours were searched, and how many of the true ones were found.
  public var neighborQuality: NeighborQuality { neighbors.quality }
}

/// Features whose columns are multiplied when they are read.
private struct ScaledFeatures: FeatureSource {
  let features: DenseFeatures
  /// `[d]`
  let scales: Tensor

  var count: Int { features.count }
  var dimension: Int { features.dimension }
  func rows(_ indices: [Int]) -> Tensor { features.rows(indices) * scales }
  func rows(_ range: Range<Int>) -> Tensor { features.rows(range) * scales }
}
