import Torch

/// Vectors moved one at a time to another cluster, wherever that lowers the inertia (Hartigan & Wong 1979), by inner
/// products alone.
///
/// Leaving a cluster of m vectors lowers the inertia by m/(m−1) times the squared distance to its mean; joining one
/// raises it by m/(m+1) times. Lloyd's algorithm looks at the distances alone and so ends in worse optima. An empty
/// cluster costs nothing to join and is filled, as long as there are distinct vectors.
struct SingleMoves {
  /// Each vector's cluster.
  private(set) var assignment: [Int]
  private let clusters: Int
  /// `[n, n]`, the inner products of the vectors.
  private let products: [Float]
  /// `[n, K]`: the sum of a vector's inner products with a cluster's vectors.
  private var sums: [Float]
  private var sizes: [Float]
  /// ‖Σ y‖² of each cluster.
  private var squaredSums: [Float]

  init(_ products: Tensor, _ assignment: [Int], clusters: Int) {
    self.assignment = assignment
    self.clusters = clusters
    self.products = products.floats()
    let membership = Tensor(assignment).oneHot(classes: clusters).to(.float32)
    let sums = products.matmul(membership)
    self.sums = sums.floats()
    sizes = membership.sum(dim: 0).floats()
    squaredSums = (sums * membership).sum(dim: 0).floats()
  }

  /// Passes over all vectors, until one of them moves none.
  mutating func run(maximumPasses: Int) {
    for _ in 0..<maximumPasses where !pass() { return }
  }

  /// Tries each vector once.
  ///
  /// - Returns: Whether one moved.
  private mutating func pass() -> Bool {
    var moved = false
    for vector in assignment.indices {
      let current = assignment[vector]
      guard sizes[current] > 1 else { continue }
      let gain = sizes[current] / (sizes[current] - 1) * squaredDistance(vector, current)
      var best = current
      var price = gain * (1 - 1e-5)
      for cluster in 0..<clusters where cluster != current {
        let size = sizes[cluster]
        let cost = size == 0 ? 0 : size / (size + 1) * squaredDistance(vector, cluster)
        if cost < price {
          best = cluster
          price = cost
        }
      }
      guard best != current else { continue }
      move(vector, from: current, to: best)
      moved = true
    }
    return moved
  }

  /// To the mean of a cluster that is not empty.
  @inline(__always) private func squaredDistance(_ vector: Int, _ cluster: Int) -> Float {
    let share = 1 / sizes[cluster]
    let distance =
      products[vector * assignment.count + vector] - 2 * share * sums[vector * clusters + cluster]
      + share * share * squaredSums[cluster]
    return max(0, distance)
  }

  private mutating func move(_ vector: Int, from old: Int, to new: Int) {
    let row = vector * assignment.count
    // ‖s ∓ x‖² = ‖s‖² ∓ 2 s·x + ‖x‖², with the sums as they are before the move.
    squaredSums[old] += products[row + vector] - 2 * sums[vector * clusters + old]
    squaredSums[new] += products[row + vector] + 2 * sums[vector * clusters + new]
    for other in assignment.indices {
      sums[other * clusters + old] -= products[row + other]
      sums[other * clusters + new] += products[row + other]
    }
    sizes[old] -= 1
    sizes[new] += 1
    assignment[vector] = new
  }
}
