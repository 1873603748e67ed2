import Foundation
import Torch

/// A symmetric graph of nearest neighbors: two images are joined if either is among the `k` most similar of the other,
/// with their cosine (at least 0) as weight.
struct NeighborGraph: Sendable {
  /// Where each node's edges begin in `targets` and `weights`; one more than there are nodes.
  let starts: [Int]
  let targets: [Int]
  let weights: [Double]

  var count: Int { starts.count - 1 }

  /// - Parameter features: `[n, D]`
  init(_ features: Tensor, k: Int) {
    let found = nearestNeighbors(
      DenseFeatures(features), queries: Array(0..<features.size(0)), k: k, threads: 1)
    var edges = [[Int: Double]](repeating: [:], count: found.count)
    for node in 0..<found.count {
      for (place, neighbor) in zip(node * found.k..<(node + 1) * found.k, found.neighbors(node)) {
        let weight = max(0, Double(found.similarities[place]))
        edges[node][Int(neighbor)] = weight
        edges[Int(neighbor)][node] = weight
      }
    }
    self.init(edges)
  }

  init(_ edges: [[Int: Double]]) {
    var starts = [0]
    var targets = [Int]()
    var weights = [Double]()
    for node in edges {
      for (target, weight) in node.sorted(by: { $0.key < $1.key }) {
        targets.append(target)
        weights.append(weight)
      }
      starts.append(targets.count)
    }
    self.starts = starts
    self.targets = targets
    self.weights = weights
  }

  /// How the labels of some nodes reach the others.
  enum Method: String, Sendable, Hashable, Codable {
    /// `F ← D⁻¹ W F`, known nodes keep their labels (Zhu & Ghahramani 2002).
    case propagation
    /// `F ← α D^−½ W D^−½ F + (1 − α) Y` (Zhou et al. 2004).
    case spreading
  }

  /// The distribution over two answers that each node comes to.
  ///
  /// - Parameter known: Nodes with their answers.
  /// - Returns: Each node's share of `true`; NaN where no answer arrives.
  func shares(
    _ method: Method, known: [(place: Int, isRight: Bool)], alpha: Double = 0.2, tolerance: Double = 1e-3,
    maximumIterations: Int = 1000
  ) -> [Double] {
    let degrees = (0..<count).map { node in weights[starts[node]..<starts[node + 1]].reduce(0, +) }
    let factors = (0..<count).flatMap { node in
      (starts[node]..<starts[node + 1]).map { edge in
        switch method {
        case .propagation: weights[edge] / max(degrees[node], 1e-300)
        case .spreading: weights[edge] / max((degrees[node] * degrees[targets[edge]]).squareRoot(), 1e-300)
        }
      }
    }
    var seeds = [SIMD2<Double>](repeating: .zero, count: count)
    for (place, isRight) in known { seeds[place] = isRight ? SIMD2(1, 0) : SIMD2(0, 1) }
    var values = seeds
    for _ in 0..<maximumIterations {
      var next = values
      for node in 0..<count {
        var sum = SIMD2<Double>.zero
        for edge in starts[node]..<starts[node + 1] { sum += factors[edge] * values[targets[edge]] }
        next[node] = method == .spreading ? alpha * sum + (1 - alpha) * seeds[node] : sum
      }
      if method == .propagation {
        for (place, _) in known { next[place] = seeds[place] }
        // As in scikit-learn: what a node has is a distribution over the answers, as soon as any arrives.
        for node in 0..<count where next[node].sum() > 0 { next[node] /= next[node].sum() }
      }
      let change = zip(values, next).reduce(0) { $0 + abs($1.0.x - $1.1.x) + abs($1.0.y - $1.1.y) }
      values = next
      if change < tolerance { break }
    }
    return values.map { $0.sum() > 0 ? $0.x / $0.sum() : .nan }
  }
}
