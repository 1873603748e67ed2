import Foundation
import Torch

/// Several runs of Lloyd's algorithm on the same vectors, advanced together, by inner products alone.
///
/// With x·y known for every pair, the squared distance of a vector x to the mean of m vectors, a cluster C, is ‖x‖² −
/// 2/m Σ x·y + 1/m² ΣΣ y·z over y, z in C. One matrix product gives the sums for all vectors, clusters and runs.
struct LloydRuns {
  /// `[n, n]`, the inner products of the vectors.
  private let products: Tensor
  /// `[n]`, the vectors' squared norms.
  private let norms: Tensor
  private let clusters: Int
  private let runs: Int
  /// `[R, n]`: each vector's cluster, in every run.
  private(set) var assignment: Tensor
  /// `[R]`: the sum of squared distances to the nearest of the means before the last step.
  private(set) var inertia: Tensor

  /// Seeds every run by greedy k-means++.
  init(_ products: Tensor, clusters: Int, restarts: Int, _ generator: Generator) {
    let count = products.size(0)
    let norms = products.gather(dim: 1, Tensor.arange(count).unsqueezed(dim: 1)).squeezed(dim: 1)
    self.products = products
    self.norms = norms
    self.clusters = clusters
    self.runs = restarts
    (assignment, inertia) = Self.seeded(products, norms, clusters: clusters, runs: restarts, generator)
  }

  /// Of a few candidates drawn by squared distance the one that lowers the inertia most becomes the next seed; every
  /// vector belongs to the nearest seed.
  private static func seeded(
    _ products: Tensor, _ norms: Tensor, clusters: Int, runs: Int, _ generator: Generator
  ) -> (assignment: Tensor, inertia: Tensor) {
    let count = products.size(0)
    func squaredDistances(_ indices: Tensor) -> Tensor {
      (norms - products.indexSelect(indices) * 2 + norms.indexSelect(indices).unsqueezed(dim: 1))
        .clamped(min: 0)
    }
    // Twice as many as is usual: by inner products they cost next to nothing.
    let candidates = 2 * (2 + Int(log(Double(clusters))))
    var closest = squaredDistances(generator.integers(below: count, count: runs))
    var assignment = Tensor.zeros([runs, count], dtype: .int64)
    for cluster in 1..<max(1, clusters) where clusters > 1 {
      // Where all vectors are seeds already, any will do: the empty cluster is dropped later.
      let drawn = generator.multinomial(closest + 1e-30, count: candidates, replacement: true)
      let distances = squaredDistances(drawn.reshaped([runs * candidates]))
        .reshaped([runs, candidates, count]).minimum(closest.unsqueezed(dim: 1))
      let winner = distances.sum(dim: 2).argmin(dim: 1, keepDim: true)
      let next = distances.gather(dim: 1, winner.unsqueezed(dim: 2).expanded([runs, 1, count]))
        .squeezed(dim: 1)
      assignment = assignment.masked(next .< closest, with: Double(cluster))
      closest = next
    }
    return (assignment, closest.sum(dim: 1))
  }

  /// Lloyd's steps in all runs, until no vector changes its cluster in any. A cluster that loses all its vectors stays
  /// empty.
  mutating func advance(steps: Int) {
    for _ in 0..<steps {
      let before = assignment
      step()
      if (assignment .!= before).to(.float32).sum().item == 0 { break }
    }
  }

  private mutating func step() {
    let count = products.size(0)
    // [n, R, K], so that compared numbers lie side by side.
    let membership = assignment.transposed().oneHot(classes: clusters).to(.float32)
    let sums = products.matmul(membership.reshaped([count, runs * clusters]))
      .reshaped([count, runs, clusters])
    let sizes = membership.sum(dim: 0)
    let shares = sizes.clamped(min: 1).reciprocal()
    let means = ((sums * membership).sum(dim: 0) * shares.squared()).masked(sizes .< 0.5, with: .infinity)
    let distances = means - sums * (shares * 2)
    assignment = distances.argmin(dim: 2).transposed().contiguous()
    inertia = distances.amin(dim: 2).sum(dim: 0) + norms.sum()
  }

  /// The clusters of the runs of lowest inertia, each `[n]`.
  func best(_ count: Int) -> [[Int]] {
    inertia.sorted(dim: 0).indices.ints().prefix(count).map { assignment[$0].ints() }
  }
}
