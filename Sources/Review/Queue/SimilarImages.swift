import Torch

/// Finds the images that look most like one, by the cosine of centered features.
///
/// It compares at most ``most`` images: all of a data set of ordinary size; in a larger one only images
/// of the most similar classes.
struct SimilarImages: Sendable {
  /// Images compared at most.
  static let most = 60_000
  /// Images that the common part of all features is taken from.
  private static let centered = 2000
  private static let chunk = 8192

  let features: any FeatureSource
  /// The mean of the features scaled to length 1: `[1, d]`.
  private let mean: Tensor

  /// - Parameter samples: Images that take part.
  init?(_ features: any FeatureSource, among samples: [Int]) {
    let known = samples.filter { $0 < features.count }
    let step = max(1, known.count / Self.centered)
    let chosen = stride(from: 0, to: known.count, by: step).map { known[$0] }
    guard !chosen.isEmpty else { return nil }
    let rows = ClassClusters.unit(features.rows(chosen))
    let whole = ClassClusters.finite(rows)
    guard !whole.isEmpty else { return nil }
    self.features = features
    mean = rows.indexSelect(Tensor(whole)).mean(dim: 0).unsqueezed(dim: 0)
  }

  /// The nearest of some images, the most similar first; images without features are left out.
  func callAsFunction(_ image: Int, among samples: [Int], count: Int) -> [Int] {
    let known = samples.filter { $0 < features.count && $0 != image }
    guard image < features.count else { return [] }
    let own = centered([image])
    guard !ClassClusters.finite(own).isEmpty else { return [] }
    var found: [(similarity: Float, sample: Int)] = []
    for start in stride(from: 0, to: known.count, by: Self.chunk) {
      let piece = Array(known[start..<min(start + Self.chunk, known.count)])
      let similarities = centered(piece).matmul(own.transposed()).floats()
      found += zip(similarities, piece).filter { $0.0.isFinite }.map { ($0, $1) }
      // No more than can be among the nearest stay in memory.
      if found.count > 4 * Self.chunk { found = Self.nearest(found, count) }
    }
    return Self.nearest(found, count).map(\.sample)
  }

  private static func nearest(
    _ found: [(similarity: Float, sample: Int)], _ count: Int
  ) -> [(similarity: Float, sample: Int)] {
    Array(found.sorted { ($0.similarity, $1.sample) > ($1.similarity, $0.sample) }.prefix(count))
  }

  private func centered(_ samples: [Int]) -> Tensor {
    ClassClusters.unit(ClassClusters.unit(features.rows(samples)) - mean)
  }
}
