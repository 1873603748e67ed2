import CleanNet
import Torch

/// The images of a class, cut into clusters in feature space.
///
/// Costs a clustering of at most ``maximumClustered`` vectors and one pass over the class's features.
struct ClassClusters: Sendable {
  /// Clusters at most, and images that each should have at least.
  static let maximum = 12
  static let imagesPerCluster = 8
  /// Clusters are sought among this many images; the others join the nearest.
  static let maximumClustered = 1000
  /// Central images at most.
  static let maximumCentral = 8
  private static let chunk = 4096

  /// By cluster its samples, in random order; those without features are a cluster of their own.
  let clusters: [[Int]]
  /// The most central images of the usual clusters: what the class looks like.
  let central: [Int]

  /// - Parameter features: Nil: all samples are one cluster.
  init(_ samples: [Int], features: (any FeatureSource)?, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let shuffled = samples.shuffled(using: &random)
    let found = features.flatMap { features in
      withoutGradients { Self.find(shuffled, features, seed: seed) }
    }
    // Too few to tell which are typical: any will do.
    (clusters, central) = found ?? ([shuffled], Array(shuffled.prefix(Self.maximumCentral / 2)))
  }

  /// Nil if there are too few images with features.
  private static func find(
    _ samples: [Int], _ features: any FeatureSource, seed: UInt64
  ) -> (clusters: [[Int]], central: [Int])? {
    let known = samples.filter { $0 < features.count }
    let head = Array(known.prefix(maximumClustered))
    guard !head.isEmpty else { return nil }
    let rows = unit(features.rows(head))
    let whole = finite(rows)
    let count = min(maximum, whole.count / imagesPerCluster)
    guard count >= 2 else { return nil }
    let vectors = rows.indexSelect(Tensor(whole))
    let centroids = KMeans(clusters: count, restarts: 2, maximumIterations: 20)(vectors, seed: seed).centroids
    var clusters = [[Int]](repeating: [], count: centroids.size(0) + 1)
    clusters[0] = samples.filter { $0 >= features.count }
    for start in stride(from: 0, to: known.count, by: chunk) {
      let piece = Array(known[start..<min(start + chunk, known.count)])
      let rows = unit(features.rows(piece))
      let nearest = distances(rows, centroids).argmin(dim: 1).ints()
      let isWhole = Set(finite(rows))
      for (row, sample) in piece.enumerated() {
        clusters[isWhole.contains(row) ? nearest[row] + 1 : 0].append(sample)
      }
    }
    return (clusters.filter { !$0.isEmpty }, central(vectors, centroids).map { head[whole[$0]] })
  }

  /// The vectors nearest to the centroids, beginning with the centroids nearest to the mean of all, and without the
  /// farthest ones. Clusters of wrong labels lie away from most images of the class. Where clusters are few, the next
  /// nearest follow, up to a fourth of all vectors.
  private static func central(_ vectors: Tensor, _ centroids: Tensor) -> [Int] {
    let mean = vectors.mean(dim: 0).unsqueezed(dim: 0)
    let fromMean = distances(mean, centroids).floats()
    let usual = fromMean.indices.sorted { fromMean[$0] < fromMean[$1] }.prefix(max(2, fromMean.count * 2 / 3))
    let wished = min(maximumCentral, max(usual.count, vectors.size(0) / 4))
    let distances = distances(vectors, centroids).transposed().contiguous().floats()
    var found: [Int] = []
    let byNearness = usual.map { cluster in
      let row = distances[(cluster * vectors.size(0))..<((cluster + 1) * vectors.size(0))]
      return row.indices.sorted { row[$0] < row[$1] }.prefix(wished).map { $0 - row.startIndex }
    }
    for rank in 0..<wished {
      for cluster in byNearness where !found.contains(cluster[rank]) { found.append(cluster[rank]) }
    }
    return Array(found.prefix(wished))
  }

  /// ‖x − c‖² less ‖x‖², which is the same for all centroids: `[n, k]`.
  private static func distances(_ rows: Tensor, _ centroids: Tensor) -> Tensor {
    centroids.squared().sum(dim: 1) - rows.matmul(centroids.transposed()) * 2
  }

  /// Rows of length 1.
  static func unit(_ rows: Tensor) -> Tensor {
    rows / rows.squared().sum(dim: 1, keepDim: true).squareRoot().clamped(min: 1e-12)
  }

  /// The rows that hold numbers only; images that could not be read have others.
  static func finite(_ rows: Tensor) -> [Int] {
    rows.sum(dim: 1).floats().enumerated().filter { $0.element.isFinite }.map(\.offset)
  }
}
