import Torch

/// The space in which evidence is computed: one point per image that takes part, and the nearest neighbors of each.
/// It depends on features alone, not on labels or verdicts, so one space serves any number of trainings and judgements.
public struct FeatureSpace: Sendable {
  /// The images that take part, ascending. Row i of everything else belongs to `images[i]`.
  package let images: [Int]
  package let components: PrincipalComponents
  /// A hash of each image's feature vector as it was given. An image is known by it, not by its row, so that folds stay
  /// when rows are added, removed or reordered, and copies of an image share one.
  let identities: [UInt64]
  /// The features that networks see: `[N, d]`.
  let features: any FeatureSource
  let discriminant: DiscriminantPosterior
  /// Of the whitened features, centered; what the discriminant sees: `[N, d]`.
  var directions: any FeatureSource { discriminant.features }
  /// The vector that was subtracted from directions before the discriminant saw them: `[d]`.
  let center: Tensor
  let neighbors: NeighborPosterior

  /// The space of the images that take part in `data`.
  ///
  /// - Parameters:
  ///   - store: May hold the neighbors of an earlier search.
  ///   - device: Where neighbors are searched.
  ///   - progress: Called from any thread with the share of the work done.
  public init(
    _ data: TrainingSet, configuration: Configuration, store: NeighborStore? = nil, device: Device = .cpu,
    threads: Int, progress: (@Sendable (Double) -> Void)? = nil
  ) {
    let images = Self.images(of: data)
    let components = PrincipalComponents(
      data.features, images: images, normalization: configuration.normalization,
      dimension: configuration.components ?? PrincipalComponents.maximumDimension)
    self.init(
      data, images: images, components: components, seed: configuration.seed, recall: configuration.recall,
      store: store, device: device, threads: threads, progress: progress)
  }

  /// The images that have a label and finite features. Others are not judged; they must not spoil what is said about
  /// the rest.
  static func images(of data: TrainingSet) -> [Int] {
    let labeled = data.labels.indices.filter { data.labels[$0] >= 0 }
    return stride(from: 0, to: labeled.count, by: PrincipalComponents.chunk).flatMap { start -> [Int] in
      let rows = Array(labeled[start..<min(start + PrincipalComponents.chunk, labeled.count)])
      let isFinite = withoutGradients { data.features.rows(rows).sum(dim: 1).floats() }
      return zip(rows, isFinite).filter { $0.1.isFinite }.map(\.0)
    }
  }

  init(
    _ data: TrainingSet, images: [Int], components: PrincipalComponents, seed: UInt64,
    recall: Double?, store: NeighborStore?, device: Device, threads: Int,
    progress: (@Sendable (Double) -> Void)? = nil
  ) {
    self.images = images
    self.components = components
    identities = Self.identities(data.features, images: images)
    let features = ProjectedFeatures(data.features, images: images, components, scratch: store?.folder)
    self.features = features
    // Directions rather than lengths tell classes apart, for the discriminant as for neighbors.
    let whitened = ScaledFeatures(features: features, scales: components.softWhitening)
    let center = Directions.mean(of: whitened)
    self.center = center
    discriminant = DiscriminantPosterior(
      Directions(features: whitened, center: center), identities: identities, seed: seed)
    neighbors = NeighborPosterior(
      whitened, classes: data.classes, recall: recall ?? NeighborSearch.usualRecall, store: store,
      device: device, threads: threads, progress: progress)
  }

  /// Which of `folds` folds each row's image belongs to.
  func foldOfRows(_ folds: Int) -> [Int] {
    identities.map { Self.fold(of: $0, folds: folds) }
  }

  /// The fold of an image, whatever its row is.
  package static func fold(of identity: UInt64, folds: Int) -> Int {
    var random = SplitMix64(seed: identity)
    return Int(random.next() % UInt64(folds))
  }

  /// A hash of each image's feature vector, `[images.count]`: images are known by it, and copies of an image share one.
  package static func identities(_ features: some FeatureSource, images: [Int]) -> [UInt64] {
    var identities: [UInt64] = []
    identities.reserveCapacity(images.count)
    for start in stride(from: 0, to: images.count, by: PrincipalComponents.chunk) {
      let rows = Array(images[start..<min(start + PrincipalComponents.chunk, images.count)])
      let values = features.rows(rows).contiguous()
      let width = features.dimension
      values.withUnsafeBytes { bytes in
        let words = bytes.bindMemory(to: UInt32.self)
        for row in rows.indices {
          // FNV-1a over the bit patterns.
          var hash: UInt64 = 0xCBF2_9CE4_8422_2325
          for word in words[row * width..<(row + 1) * width] {
            hash = (hash ^ UInt64(word)) &* 0x0000_0100_0000_01B3
          }
          identities.append(hash)
        }
      }
    }
    return identities
  }

  /// The features in which neighbors are looked for, of some of the images.
  func whitened(_ rows: [Int]) -> some FeatureSource {
    SelectedFeatures(
      features: ScaledFeatures(features: features, scales: components.softWhitening), selected: rows)
  }

  /// Some of the images, at most `count`, ascending. Which ones depends on their features and not on their order.
  func chosen(_ count: Int, of rows: [Int]) -> [Int] {
    guard rows.count > count else { return rows }
    let ranked = rows.sorted { (identities[$0], $0) < (identities[$1], $1) }
    return ranked.prefix(count).sorted()
  }

  /// How neighbors were searched, and how many of the true ones were found.
  package var neighborQuality: NeighborQuality { neighbors.quality }
}

/// Features whose columns are multiplied when they are read.
private struct ScaledFeatures: FeatureSource {
  let features: any FeatureSource
  /// `[d]`
  let scales: Tensor

  var count: Int { features.count }
  var dimension: Int { features.dimension }
  func rows(_ indices: [Int]) -> Tensor { features.rows(indices) * scales }
  func rows(_ range: Range<Int>) -> Tensor { features.rows(range) * scales }
}

/// Features as unit vectors about their mean.
private struct Directions: FeatureSource {
  let features: ScaledFeatures
  /// `[d]`
  let center: Tensor

  var count: Int { features.count }
  var dimension: Int { features.dimension }
  func rows(_ indices: [Int]) -> Tensor { withoutGradients { features.rows(indices).normalized() - center } }
  func rows(_ range: Range<Int>) -> Tensor { withoutGradients { features.rows(range).normalized() - center } }

  /// The mean unit vector: `[d]`.
  static func mean(of features: ScaledFeatures) -> Tensor {
    withoutGradients {
      let sum = Tensor.zeros([features.dimension])
      for start in stride(from: 0, to: features.count, by: PrincipalComponents.chunk) {
        let range = start..<min(start + PrincipalComponents.chunk, features.count)
        sum.addInPlace(features.rows(range).normalized().sum(dim: 0))
      }
      return sum / Double(max(1, features.count))
    }
  }
}

/// Some rows of other features.
private struct SelectedFeatures<Source: FeatureSource>: FeatureSource {
  let features: Source
  let selected: [Int]

  var count: Int { selected.count }
  var dimension: Int { features.dimension }
  func rows(_ indices: [Int]) -> Tensor { features.rows(indices.map { selected[$0] }) }
  func rows(_ range: Range<Int>) -> Tensor { features.rows(Array(selected[range])) }
}
