import Foundation
import Torch

/// Points on a plane such that neighbors in many dimensions stay neighbors: t-SNE (van der Maaten and Hinton 2008),
/// with all pairs at hand. Meant for up to some thousand points: cost and memory grow with their square.
///
/// It begins at the given plane, so that the same input gives the same picture.
struct NeighborhoodEmbedding {
  /// How many neighbors each point effectively has.
  var perplexity = 30.0
  var steps = 350
  /// Attraction is stronger at first, which lets clusters pass each other.
  private static let exaggeration = 12.0
  private static let exaggerated = 90
  /// Halvings of the interval in which the bandwidth is sought.
  private static let bisections = 40

  /// - Parameters:
  ///   - points: `[n, d]`
  ///   - start: `[n, 2]`
  /// - Returns: `[n, 2]`
  func callAsFunction(_ points: Tensor, start: Tensor, progress: (Int) -> Void = { _ in }) -> Tensor {
    withoutGradients {
      let count = points.size(0)
      let affinities = affinities(Self.squaredDistances(points))
      let spread = start.squared().mean().squareRoot().item
      let place = start * (1e-2 / max(spread, 1e-12))
      let velocity = Tensor.zeros([count, 2])
      let offDiagonal = 1 - Tensor.eye(count)
      // As large as holds the whole picture together (Belkina et al. 2019).
      let rate = max(Double(count) / Self.exaggeration, 50) / 4
      for step in 0..<steps {
        let kernel = (Self.squaredDistances(place) + 1).reciprocal() * offDiagonal
        let repulsion = kernel / max(kernel.sum().item, 1e-12)
        let pull = affinities * (step < Self.exaggerated ? Self.exaggeration : 1)
        let force = (pull - repulsion) * kernel
        let gradient = (force.sum(dim: 1, keepDim: true) * place - force.matmul(place)) * 4
        velocity.multiplyInPlace(step < Self.exaggerated ? 0.5 : 0.8)
        velocity.addInPlace(gradient, scale: -rate)
        place.addInPlace(velocity)
        progress(step + 1)
      }
      return place
    }
  }

  /// `[n, d]` → `[n, n]`
  private static func squaredDistances(_ points: Tensor) -> Tensor {
    let norms = points.squared().sum(dim: 1, keepDim: true)
    return (norms + norms.transposed() - points.matmul(points.transposed()) * 2).clamped(min: 0)
  }

  /// Symmetric probabilities of being neighbors, summing to 1: `[n, n]`. Each row's bandwidth gives it the perplexity.
  private func affinities(_ distances: Tensor) -> Tensor {
    let count = distances.size(0)
    let own = Tensor.eye(count)
    let others = 1 - own
    let wanted = log(min(perplexity, Double(count - 1) / 3))
    // Distances to the nearest other, taken off for the exponentials' sake.
    let nearest = (distances + own * 1e30).amin(dim: 1, keepDim: true)
    let shifted = (distances - nearest).clamped(min: 0)
    // Logarithms of the precisions.
    let scale = 1 / max(shifted.mean().item, 1e-12)
    let low = Tensor.full([count, 1], -15)
    let high = Tensor.full([count, 1], 15)
    func kernel(_ logPrecision: Tensor) -> Tensor { (shifted * logPrecision.exp() * -scale).exp() * others }
    for _ in 0..<Self.bisections {
      let middle = (low + high) / 2
      let precision = middle.exp() * scale
      let values = kernel(middle)
      let sums = values.sum(dim: 1, keepDim: true).clamped(min: 1e-30)
      // Entropy of p = values / sums: log Σ + β Σ p·d.
      let entropy = sums.log() + precision * (values * shifted).sum(dim: 1, keepDim: true) / sums
      let isWide = entropy .>= wanted
      low.copyInPlace(isWide.select(middle, else: low))
      high.copyInPlace(isWide.select(high, else: middle))
    }
    let values = kernel((low + high) / 2)
    let conditional = values / values.sum(dim: 1, keepDim: true).clamped(min: 1e-30)
    return (conditional + conditional.transposed()) / (2 * Double(count))
  }
}
