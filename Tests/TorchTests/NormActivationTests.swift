import Testing
import Torch

/// The fused operation against libtorch's own three.
@Suite struct NormActivationTests {
  struct Case: Sendable {
    var training: Bool
    var activation: NormActivation
    var hasShortcut: Bool
    /// N, C, H, W: one block of rows and several, channels that fill vectors and that do not.
    var shape: [Int]
  }

  static let cases: [Case] = [true, false].flatMap { training in
    [NormActivation.none, .relu, .relu6].flatMap { activation in
      [([2, 3, 5, 4], true), ([3, 37, 1, 1], false), ([4, 70, 20, 20], true), ([1, 8, 2, 2], false)].map {
        Case(training: training, activation: activation, hasShortcut: $0.1, shape: $0.0)
      }
    }
  }

  private func inputs(_ one: Case) -> [Tensor] {
    let generator = Generator(seed: 7)
    let channels = one.shape[1]
    return [
      generator.normal(one.shape, mean: 3, standardDeviation: 2), generator.normal(one.shape),
      generator.normal([channels], mean: 1, standardDeviation: 2), generator.normal([channels], mean: 1),
      generator.normal([channels]), generator.uniform([channels], low: 0.5, high: 2),
      generator.normal(one.shape),
    ]
  }

  @Test(arguments: cases) func agreesWithThreeSteps(_ one: Case) throws {
    let ours = inputs(one)
    let theirs = inputs(one)
    for tensor in ours[0...3] + theirs[0...3] { tensor.requiresGradient = true }
    let result = ours[0].normalized(
      adding: one.hasShortcut ? ours[1] : nil, activation: one.activation, weight: ours[2], bias: ours[3],
      mean: ours[4], variance: ours[5], training: one.training, momentum: 0.3, epsilon: 1e-3)
    var expected = theirs[0].batchNorm(
      weight: theirs[2], bias: theirs[3], mean: theirs[4], variance: theirs[5], training: one.training,
      momentum: 0.3, epsilon: 1e-3)
    if one.hasShortcut { expected = expected + theirs[1] }
    switch one.activation {
    case .none: break
    case .relu: expected = expected.relu()
    case .relu6: expected = expected.relu6()
    }
    #expect(largest(result - expected) < 1e-5 * max(1, largest(expected)))
    (result * ours[6]).sum().backward()
    (expected * theirs[6]).sum().backward()
    for place in [0, 2, 3] + (one.hasShortcut ? [1] : []) {
      let a = try #require(ours[place].gradient)
      let b = try #require(theirs[place].gradient)
      #expect(largest(a - b) < 1e-4 * max(1, largest(b)), "gradient of \(place): \(largest(a - b))")
    }
    for place in [4, 5] { #expect(largest(ours[place] - theirs[place]) < 1e-5) }
  }

  @Test("bfloat16 is the float32 result, rounded; the number of threads changes nothing") func bfloat16() {
    let one = Case(training: true, activation: .relu6, hasShortcut: false, shape: [4, 70, 20, 20])
    func run(_ threads: Int, _ dtype: DType) -> Tensor {
      let before = Engine.threads
      Engine.threads = threads
      defer { Engine.threads = before }
      let tensors = inputs(one)
      return tensors[0].to(.bfloat16).to(dtype).normalized(
        activation: .relu6, weight: tensors[2], bias: tensors[3], mean: tensors[4], variance: tensors[5],
        training: true)
    }
    #expect(run(1, .bfloat16).floats() == run(2, .bfloat16).floats())
    #expect(run(1, .bfloat16).floats() == run(1, .float32).to(.bfloat16).floats())
  }

  private func largest(_ tensor: Tensor) -> Double { tensor.absolute().reshaped([-1]).amax(dim: 0).item }
}
