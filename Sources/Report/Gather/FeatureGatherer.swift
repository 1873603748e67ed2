import CleanNet
import Torch

/// A map of the features of a sample of the images, in few dimensions.
struct FeatureGatherer {
  let features: any FeatureSource
  /// The samples looked at that have features, ascending.
  let ids: [Int]
  private let components: PrincipalComponents
  /// A row an element of ``ids``, centered: `[n, d]`.
  let projected: DenseFeatures
  /// The variance of the normalized features in all their dimensions, of which the components hold a part.
  private let variance: Double

  private static let dimension = 64

  /// nil where fewer than three images have features.
  init?(_ features: any FeatureSource, among ids: [Int]) {
    self.features = features
    self.ids = Self.available(features, ids)
    guard self.ids.count >= 3 else { return nil }
    components = Self.components(features, self.ids)
    projected = Self.project(components, features, self.ids)
    variance = Self.variance(components, features, self.ids)
  }

  private static func variance(
    _ components: PrincipalComponents, _ features: any FeatureSource, _ ids: [Int]
  ) -> Double {
    let sum = stride(from: 0, to: ids.count, by: 4096).reduce(0.0) { sum, start in
      let rows = components.normalization(features.rows(Array(ids[start..<min(start + 4096, ids.count)])))
      return sum + Double((rows - components.mean).squared().sum(dim: 1).sum(dim: 0).item)
    }
    return sum / Double(ids.count)
  }

  // Openers of the existential: the library's functions are generic.
  private static func components(_ features: some FeatureSource, _ ids: [Int]) -> PrincipalComponents {
    PrincipalComponents(
      features, images: ids,
      normalization: .suited(to: DenseFeatures(features.rows(Array(ids.prefix(1024))))),
      dimension: dimension)
  }

  private static func project(
    _ components: PrincipalComponents, _ features: some FeatureSource, _ ids: [Int]
  ) -> DenseFeatures {
    components.project(features, images: ids)
  }

  /// Images whose row is a vector of numbers.
  private static func available(_ features: any FeatureSource, _ ids: [Int]) -> [Int] {
    stride(from: 0, to: ids.count, by: 4096).flatMap { start -> [Int] in
      let chunk = Array(ids[start..<min(start + 4096, ids.count)])
      let sums = features.rows(chunk).sum(dim: 1).floats()
      return zip(chunk, sums).filter { $1.isFinite }.map(\.0)
    }
  }

  /// The map of some of the images, without pictures.
  func map(_ chosen: [Int], table: LabelTable, paths: [String], total: Int, progress: (Int) -> Void)
    -> FeatureMap
  {
    let places = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    let (plane, embedding) = Self.plane(projected.rows(chosen.compactMap { places[$0] }), progress: progress)
    let variances = components.variances.doubles()
    return FeatureMap(
      shown: chosen.count, total: total, ids: chosen, paths: paths,
      labels: chosen.map { table.allLabels[$0] },
      suggestions: chosen.map { table.suggestions[$0] < 0 ? nil : Int(table.suggestions[$0]) },
      probabilities: chosen.map { Double(table.probability[$0]).rounded(to: 4) },
      isWrong: chosen.map { table.isWrong[$0] }, principal: Self.unitSquare(plane),
      variance: (variances.prefix(2).reduce(0, +) / max(variance, 1e-12)).rounded(to: 4) ?? 0,
      neighborhood: embedding.map(Self.unitSquare), sprite: nil)
  }

  /// The place of each image of ``ids``, in [0, 1].
  func places(progress: (Int) -> Void) -> [[Double]] {
    let (plane, embedding) = Self.plane(projected.rows(Array(ids.indices)), progress: progress)
    return Self.unitSquare(embedding ?? plane)
  }

  /// Points on the plane of the first two components, and such that neighbors stay neighbors, with enough of them.
  private static func plane(_ points: Tensor, progress: (Int) -> Void) -> (
    principal: Tensor, neighborhood: Tensor?
  ) {
    let plane = points.narrow(dim: 1, start: 0, count: min(2, points.size(1))).contiguous()
    let isEnough = points.size(0) >= 50 && plane.size(1) == 2
    return (plane, isEnough ? NeighborhoodEmbedding()(points, start: plane, progress: progress) : nil)
  }

  /// Images that look unlike every class: the cosine to the nearest class's mean feature is lowest.
  func outliers(_ table: LabelTable, count: Int) -> [Int] {
    let labels = ids.map { table.allLabels[$0] }
    let classes = table.classNames.count
    let all = projected.rows(Array(0..<ids.count))
    let means = Tensor.zeros([classes, all.size(1)])
    for (label, rows) in Dictionary(grouping: labels.indices, by: { labels[$0] }) where label >= 0 {
      let mean = all.indexSelect(Tensor(rows)).mean(dim: 0)
      means.indexCopyInPlace(dim: 0, index: Tensor([label]), mean.unsqueezed(dim: 0))
    }
    let nearest = stride(from: 0, to: ids.count, by: 4096).flatMap { start in
      all[start..<min(start + 4096, ids.count)].normalized().matmul(means.normalized().transposed())
        .amax(dim: 1).floats()
    }
    return nearest.indices.sorted { (nearest[$0], $0) < (nearest[$1], $1) }.prefix(count).map { ids[$0] }
  }

  static let mapSteps = NeighborhoodEmbedding().steps

  /// Points moved and scaled, both axes alike, to lie in [0, 1].
  private static func unitSquare(_ points: Tensor) -> [[Double]] {
    let values = points.doubles()
    let width = points.size(1)
    let columns = (0..<2).map { column in
      stride(from: column, to: values.count, by: width).map { width > column ? values[$0] : 0 }
    }
    let ranges = columns.map { (low: $0.min() ?? 0, high: $0.max() ?? 1) }
    let span = max(ranges.map { $0.high - $0.low }.max() ?? 1, 1e-12)
    return zip(columns[0], columns[1]).map { x, y in
      zip([x, y], ranges).map { value, range in
        (0.5 + (value - (range.low + range.high) / 2) / span).rounded(to: 4) ?? 0.5
      }
    }
  }
}
