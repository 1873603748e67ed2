import Testing
import Torch

/// Our own loops against libtorch's.
@Suite struct DepthwiseTests {
  struct Case: Sendable {
    /// N, C, H, W: channels that fill vectors and that do not, sizes odd and even, one pixel.
    var shape: [Int]
    var kernel: Int
    var stride: Int
    var zeros: (before: Int, after: Int)
  }

  static let cases: [Case] = [[2, 32, 9, 8], [1, 19, 7, 7], [3, 16, 1, 1], [2, 48, 12, 5]].flatMap { shape in
    [
      (3, 1, (1, 1)), (3, 2, (0, 1)), (3, 2, (1, 1)), (5, 1, (2, 2)), (5, 2, (1, 2)), (5, 2, (2, 2)),
    ].map { Case(shape: shape, kernel: $0.0, stride: $0.1, zeros: $0.2) }
  }

  private func tensors(_ one: Case) -> (input: Tensor, weight: Tensor) {
    let generator = Generator(seed: 2)
    let input = generator.normal(one.shape)
    let weight = generator.normal([one.shape[1], 1, one.kernel, one.kernel])
    input.requiresGradient = true
    weight.requiresGradient = true
    return (input, weight)
  }

  @Test(arguments: cases) func agreesWithTheEnginesConvolution(_ one: Case) throws {
    let ours = tensors(one)
    let theirs = tensors(one)
    let (before, after) = one.zeros
    guard one.shape[2] + before + after >= one.kernel else { return }
    let result = ours.input.depthwise(ours.weight, stride: one.stride, before: before, after: after)
    let expected = theirs.input.padded2d(left: before, right: after, top: before, bottom: after)
      .conv2d(theirs.weight, stride: one.stride, groups: one.shape[1])
    #expect(result.shape == expected.shape)
    #expect(largest(result - expected) < 1e-4)
    let slope = Generator(seed: 3).normal(result.shape)
    (result * slope).sum().backward()
    (expected * slope).sum().backward()
    for (a, b) in [(ours.input, theirs.input), (ours.weight, theirs.weight)] {
      let a = try #require(a.gradient)
      let b = try #require(b.gradient)
      #expect(largest(a - b) < 1e-4 * max(1, largest(b)))
    }
  }

  @Test("in bfloat16 sums are float32's: a result is the exact one, rounded") func bfloat16() {
    let one = Case(shape: [2, 35, 6, 6], kernel: 5, stride: 1, zeros: (2, 2))
    let (input, weight) = tensors(one)
    let rounded = input.detached().to(.bfloat16)
    let result = rounded.depthwise(weight, before: 2, after: 2)
    #expect(result.dtype == .bfloat16)
    let exact = rounded.to(.float32).depthwise(weight, before: 2, after: 2).to(.bfloat16)
    #expect(result.floats() == exact.floats())
    result.to(.float32).sum().backward()
    #expect(weight.gradient?.dtype == .float32)
  }

  private func largest(_ tensor: Tensor) -> Double { tensor.absolute().reshaped([-1]).amax(dim: 0).item }
}
