import CImages
import Foundation

/// The weights that resize one axis.
///
/// Result i of `output` lies at (i + ½) · input / output of the input, whose sample j lies at j + ½. When the axis
/// shrinks, the kernel widens by as much (antialiasing); at the ends, weights outside are left out and the rest
/// normalized. Weights are integers that sum to 2^shift exactly: a flat area stays as it is.
struct ResamplingAxis {
  let input: Int
  let taps: Int
  let shift: Int
  private let starts: [Int32]
  private let weights: [Int16]

  /// Weights of each result, before padding.
  static func span(input: Int, output: Double, kernel: ImagePreparation.Kernel) -> Int {
    let support = kernel.support * max(1, Double(input) / output)
    return min(input, 2 * Int(support.rounded(.up)) + 1)
  }

  /// - Parameters:
  ///   - start: where the results wanted begin, within `0..<output`.
  ///   - count: how many they are.
  init(input: Int, output: Double, start: Double, count: Int, kernel: ImagePreparation.Kernel) {
    let scale = Double(input) / output
    let width = max(1, scale)
    let support = kernel.support * width
    let taps = (Self.span(input: input, output: output, kernel: kernel) + 1) / 2 * 2
    var starts: [Int32] = []
    var exact = [Double](repeating: 0, count: count * taps)
    var largest = 0.0
    for row in 0..<count {
      let centre = (start + Double(row) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5))
      let last = min(input, Int(centre + support + 0.5))
      var sum = 0.0
      for sample in first..<last {
        let weight = kernel((Double(sample) + 0.5 - centre) / width)
        exact[row * taps + sample - first] = weight
        sum += weight
      }
      for tap in row * taps..<row * taps + (last - first) {
        exact[tap] /= sum
        largest = max(largest, abs(exact[tap]))
      }
      starts.append(Int32(first))
    }
    // As exact as 16-bit weights and 32-bit sums allow.
    var shift = 20
    while largest * Double(1 << shift) > 32_000 { shift -= 1 }
    var weights = [Int16](repeating: 0, count: exact.count)
    for row in (0..<count).map({ $0 * taps }) {
      // Rounding the running sum instead of each weight keeps the total exact.
      var sum = 0.0
      var before = 0
      for tap in row..<row + taps where exact[tap] != 0 {
        sum += exact[tap] * Double(1 << shift)
        let after = Int(sum.rounded())
        weights[tap] = Int16(after - before)
        before = after
      }
    }
    self.input = input
    self.taps = taps
    self.shift = shift
    self.starts = starts
    self.weights = weights
  }

  func withCAxis<R>(_ body: (CImagesAxis) -> R) -> R {
    starts.withUnsafeBufferPointer { starts in
      weights.withUnsafeBufferPointer { weights in
        body(
          CImagesAxis(
            input: Int32(input), count: Int32(starts.count), taps: Int32(taps), shift: Int32(shift),
            starts: starts.baseAddress, weights: weights.baseAddress))
      }
    }
  }
}

extension ImagePreparation.Kernel {
  /// The kernel is 0 from here on, on both sides.
  var support: Double {
    switch self {
    case .linear: 1
    case .cubic: 2
    case .lanczos3: 3
    }
  }

  func callAsFunction(_ x: Double) -> Double {
    let x = abs(x)
    guard x < support else { return 0 }
    switch self {
    case .linear:
      return 1 - x
    case .cubic:
      let a = -0.5
      return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a
    case .lanczos3:
      return sinc(x) * sinc(x / 3)
    }
  }
}

private func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(.pi * x) / (.pi * x) }
