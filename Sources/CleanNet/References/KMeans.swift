import Torch

/// K-means: greedy k-means++ seeding (Arthur & Vassilvitskii 2007), several restarts of Lloyd's algorithm, the best of
/// them improved by single moves (Hartigan & Wong 1979).
///
/// All of it needs no more of the vectors than their inner products. Those are computed once, so that a step of every
/// restart costs n² K instead of 2 n D K, and seeding costs next to nothing; see `LloydRuns` and `SingleMoves`.
public struct KMeans: Sendable, Hashable, Codable {
  /// The number of clusters, K.
  public var clusters: Int
  public var restarts: Int
  /// The most steps of a restart, and the most passes of single moves.
  public var maximumIterations: Int
  /// Of more vectors than this a seeded sample is clustered: memory grows with its square (64 MB at 4,096).
  public var maximumVectors: Int

  /// Steps that each restart gets before the best are chosen.
  static let restartIterations = 8
  /// Restarts that are improved until no move helps.
  static let finalists = 3

  public init(
    clusters: Int, restarts: Int = 10, maximumIterations: Int = 100, maximumVectors: Int = 4096
  ) {
    precondition(
      clusters > 0 && restarts > 0 && maximumIterations > 0, "K-means needs clusters, restarts and steps")
    self.clusters = clusters
    self.restarts = restarts
    self.maximumIterations = maximumIterations
    self.maximumVectors = maximumVectors
  }

  package struct Result: Sendable {
    /// `[k, D]` with k ≤ K: fewer where there are fewer distinct vectors.
    package let centroids: Tensor
    /// The sum of squared distances to the nearest centroid, over the vectors looked at.
    package let inertia: Double
  }

  /// How many vectors are looked at, at most.
  var limit: Int { max(maximumVectors, 2 * clusters) }

  /// Clusters the rows of `vectors` `[n, D]`, n ≥ 1.
  package func callAsFunction(_ vectors: Tensor, seed: UInt64) -> Result {
    withoutGradients {
      let generator = Generator(seed: seed)
      let points = sampled(vectors, generator)
      // Where each vector can be a cluster of its own there is nothing to search for.
      if points.size(0) <= clusters { return Result(centroids: points.clone(), inertia: 0) }
      // Inner products about the mean are small where distances are, and so keep their digits.
      let centered = points - points.mean(dim: 0)
      let products = centered.matmul(centered.transposed())
      var runs = LloydRuns(products, clusters: clusters, restarts: restarts, generator)
      runs.advance(steps: min(maximumIterations, Self.restartIterations))
      let finalists = runs.best(Self.finalists).map { assignment in
        var moves = SingleMoves(products, assignment, clusters: clusters)
        moves.run(maximumPasses: maximumIterations)
        return result(points, moves.assignment)
      }
      return finalists.dropFirst().reduce(finalists[0]) { $1.inertia < $0.inertia ? $1 : $0 }
    }
  }

  private func sampled(_ vectors: Tensor, _ generator: Generator) -> Tensor {
    guard vectors.size(0) > limit else { return vectors.contiguous() }
    let order = generator.permutation(vectors.size(0)).narrow(start: 0, count: limit)
    return vectors.indexSelect(order.sorted(dim: 0).values)
  }

  /// The means of the points by cluster, without the clusters that have none.
  private func result(_ points: Tensor, _ assignment: [Int]) -> Result {
    let labels = Tensor(assignment)
    let sizes = labels.binCounts(minimumCount: clusters).to(.float32)
    let membership = labels.oneHot(classes: clusters).to(.float32)
    let means = membership.transposed().matmul(points) / sizes.clamped(min: 1).unsqueezed(dim: 1)
    let inertia = (points - means.indexSelect(labels)).squared().sum().item
    return Result(centroids: means.indexSelect((sizes .> 0).nonZero().squeezed(dim: 1)), inertia: inertia)
  }
}
