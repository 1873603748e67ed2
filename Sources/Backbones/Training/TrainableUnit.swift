import Torch

/// A convolution of a network that is being trained: frozen, or with weights that learn.
enum TrainableUnit: ConvolutionUnit {
  /// As for inference; it takes no part in learning.
  case frozen(FoldedConvolution)
  case learning(LearningConvolution)

  func callAsFunction(_ input: Tensor, adding shortcut: Tensor?) -> Tensor {
    switch self {
    case .frozen(let unit): unit(input, adding: shortcut)
    case .learning(let unit): unit(input, adding: shortcut)
    }
  }
}

/// A convolution and its batch norm with weights in float32, computed in float32 or bfloat16.
struct LearningConvolution: ConvolutionUnit {
  let tensors: NormalizedConvolution
  let dtype: DType
  /// Whether batch norm takes the batch's own statistics, and moves its running ones towards them.
  let usesBatchStatistics: Bool

  /// How far running statistics move in a step: PyTorch's default.
  static let momentum = 0.1

  func callAsFunction(_ input: Tensor, adding shortcut: Tensor?) -> Tensor {
    let description = tensors.description
    let (before, after) = description.padding.amounts(
      size: input.size(-1), kernel: description.kernel, stride: description.stride)
    return convolved(input, before: before, after: after)
      .normalized(
        adding: shortcut, activation: NormActivation(description.activation), weight: tensors.scale,
        bias: tensors.shift, mean: tensors.mean, variance: tensors.variance, training: usesBatchStatistics,
        momentum: Self.momentum, epsilon: description.epsilon)
  }

  private func convolved(_ input: Tensor, before: Int, after: Int) -> Tensor {
    let description = tensors.description
    if description.depthwise {
      return input.depthwise(tensors.weight, stride: description.stride, before: before, after: after)
    }
    let isEven = before == after
    let padded = isEven ? input : input.padded2d(left: before, right: after, top: before, bottom: after)
    return padded.conv2d(
      tensors.weight.to(dtype), stride: description.stride, padding: isEven ? before : 0)
  }
}

extension NormActivation {
  init(_ activation: Activation) {
    switch activation {
    case .none: self = .none
    case .relu: self = .relu
    case .relu6: self = .relu6
    }
  }
}

extension NormalizedConvolution {
  /// Weights of an untrained network: He et al.'s (2015) normal ones by fan out, where a filter of a depthwise
  /// convolution has one output channel; batch norm that changes nothing.
  init(_ description: Convolution, generator: Generator) {
    let fanOut = description.outputs / description.groups * description.kernel * description.kernel
    self.init(
      description: description,
      weight: generator.normal(description.weightShape, standardDeviation: (2 / Double(fanOut)).squareRoot()),
      scale: .ones([description.outputs]), shift: .zeros([description.outputs]),
      mean: .zeros([description.outputs]), variance: .ones([description.outputs]))
  }

  /// The same on a device; itself where it lies there already.
  func to(_ device: Device) -> NormalizedConvolution {
    NormalizedConvolution(
      description: description, weight: weight.to(device), scale: scale.to(device), shift: shift.to(device),
      mean: mean.to(device), variance: variance.to(device))
  }

  /// The tensors that learn, by their names in a file of weights.
  var parameters: [(name: String, tensor: Tensor)] {
    [
      (description.name + ".weight", weight), (description.norm + ".weight", scale),
      (description.norm + ".bias", shift),
    ]
  }

  /// The statistics of batch norm.
  var statistics: [(name: String, tensor: Tensor)] {
    [(description.norm + ".running_mean", mean), (description.norm + ".running_var", variance)]
  }
}
