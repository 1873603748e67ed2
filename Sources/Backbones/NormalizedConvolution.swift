import Torch

/// A convolution and its batch norm, apart, with the statistics of training: the plain reading of the description.
struct NormalizedConvolution: ConvolutionUnit, Sendable {
  let description: Convolution
  /// `[O, I / groups, k, k]`
  let weight: Tensor
  /// Batch norm's scale γ and shift β, mean μ and variance σ²: `[O]`
  let scale: Tensor
  let shift: Tensor
  let mean: Tensor
  let variance: Tensor

  func callAsFunction(_ input: Tensor, adding shortcut: Tensor?) -> Tensor {
    let (before, after) = description.padding.amounts(
      size: input.size(-1), kernel: description.kernel, stride: description.stride)
    let padded =
      before == after ? input : input.padded2d(left: before, right: after, top: before, bottom: after)
    let normalized =
      padded
      .conv2d(
        weight, stride: description.stride, padding: before == after ? before : 0,
        groups: description.groups
      )
      .batchNorm(
        weight: scale, bias: shift, mean: mean, variance: variance, epsilon: description.epsilon)
    let sum = shortcut.map { normalized + $0 } ?? normalized
    return switch description.activation {
    case .none: sum
    case .relu: sum.relu()
    case .relu6: sum.relu6()
    }
  }

  /// The weight and bias of a convolution that does the same alone, float64: with `f = γ / √(σ² + ε)`, `f · W` and
  /// `β − f · μ`.
  func folded() -> (weight: Tensor, bias: Tensor) {
    let factor =
      scale.to(.float64) * (variance.to(.float64) + description.epsilon).reciprocalSquareRoot()
    return (
      weight.to(.float64) * factor.reshaped([-1, 1, 1, 1]),
      shift.to(.float64) - factor * mean.to(.float64)
    )
  }
}
