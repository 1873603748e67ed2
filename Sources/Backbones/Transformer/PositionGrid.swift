import Foundation
import Torch

/// Position embeddings, learned for a grid of patches, on another grid.
struct PositionGrid {
  /// How a library resizes them, bicubically in all.
  enum Resizing: Sendable, Hashable {
    /// Keys's a = −0.5, and wider when the grid shrinks: timm's and open_clip's, and DINOv2's with registers elsewhere.
    case antialiased
    /// Keys's a = −0.75, four neighbors always: Hugging Face's.
    case plain
    /// As `plain`, the scale computed of a grid 0.1 larger: torch.hub's DINOv2 without registers.
    case offset
  }

  /// The embeddings `[1, n², D]`, float32, as `[1, m², D]`.
  static func resized(_ embeddings: Tensor, to side: Int, by resizing: Resizing) -> Tensor {
    let count = embeddings.size(1)
    let width = embeddings.size(2)
    let old = Int(Double(count).squareRoot().rounded())
    guard old != side else { return embeddings }
    let weights = matrix(from: old, to: side, by: resizing)
    // Rows, then columns: [m, n] · [n, n · D], and each row's [m, n] · [n, D].
    let rows = weights.matmul(embeddings.reshaped([old, old * width])).reshaped([side, old, width])
    return weights.unsqueezed(dim: 0).matmul(rows).reshaped([1, side * side, width])
  }

  /// The weights of old places in new ones, `[m, n]`, float32.
  static func matrix(from old: Int, to new: Int, by resizing: Resizing) -> Tensor {
    let scale =
      resizing == .offset ? Double(old) / (Double(new) + 0.1) : Double(old) / Double(new)
    let sharpness = resizing == .antialiased ? -0.5 : -0.75
    let stretch = resizing == .antialiased ? max(1, scale) : 1
    var values = [Float](repeating: 0, count: new * old)
    for place in 0..<new {
      let center = (Double(place) + 0.5) * scale - 0.5
      let reach = 2 * stretch
      var weights: [(place: Int, weight: Double)] = []
      for neighbor in Int((center - reach).rounded(.up))...Int((center + reach).rounded(.down)) {
        let weight = cubic((Double(neighbor) - center) / stretch, sharpness)
        if resizing == .antialiased {
          // Places beyond the edge are left out, and the rest made to sum to 1.
          if neighbor >= 0, neighbor < old { weights.append((neighbor, weight)) }
        } else {
          weights.append((min(max(neighbor, 0), old - 1), weight))
        }
      }
      let total = weights.reduce(0) { $0 + $1.weight }
      for (neighbor, weight) in weights { values[place * old + neighbor] += Float(weight / total) }
    }
    return Tensor(values, shape: [new, old])
  }

  /// Keys's cubic kernel (1981) with the given a.
  private static func cubic(_ x: Double, _ a: Double) -> Double {
    let x = abs(x)
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0
  }
}

/// Positions as rotations of queries and keys, as DINOv3 has them (Siméoni et al. 2025).
struct RotaryPositions: Sendable {
  /// `[m², d]`, float32.
  let cosine: Tensor
  let sine: Tensor

  /// The periods run from 1 to θ over a quarter of a head's width; a patch's place is that of its centre, from −1 to 1.
  init(side: Int, headWidth: Int, theta: Double = 100) {
    let quarter = headWidth / 4
    var angles: [Float] = []
    for row in 0..<side {
      for column in 0..<side {
        let half = [row, column].flatMap { place in
          (0..<quarter).map { index in
            let coordinate = 2 * (Double(place) + 0.5) / Double(side) - 1
            return Float(2 * Double.pi * coordinate / pow(theta, Double(index) / Double(quarter)))
          }
        }
        angles += half + half
      }
    }
    cosine = Tensor(angles.map { Foundation.cos($0) }, shape: [side * side, headWidth])
    sine = Tensor(angles.map { Foundation.sin($0) }, shape: [side * side, headWidth])
  }

  private init(cosine: Tensor, sine: Tensor) {
    self.cosine = cosine
    self.sine = sine
  }

  func to(_ device: Device) -> RotaryPositions {
    RotaryPositions(cosine: cosine.to(device), sine: sine.to(device))
  }

  /// Turns the patches among tokens `[N, H, T, d]`; the first `prefix` ones have no place.
  func callAsFunction(_ tokens: Tensor, prefix: Int) -> Tensor {
    let patches = tokens.narrow(dim: 2, start: prefix, count: tokens.size(2) - prefix).to(.float32)
    let half = patches.size(3) / 2
    let turned = Tensor.concatenate(
      [-patches.narrow(dim: 3, start: half, count: half), patches.narrow(dim: 3, start: 0, count: half)],
      dim: 3)
    let placed = (patches * cosine + turned * sine).to(tokens.dtype)
    return prefix == 0
      ? placed : .concatenate([tokens.narrow(dim: 2, start: 0, count: prefix), placed], dim: 2)
  }
}
