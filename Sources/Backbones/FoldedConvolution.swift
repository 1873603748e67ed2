import Torch

/// A convolution with its batch norm folded in, for inference: one call of the engine, the rest in place.
struct FoldedConvolution: ConvolutionUnit, Sendable {
  /// `[O, I / groups, k, k]`
  private let weight: Tensor
  /// `[O]`
  private let bias: Tensor
  private let description: Convolution
  /// Zeros on every side of an image whose size is even, or odd; nil: they are laid around the image itself.
  private let zeros: (even: Int, odd: Int)?

  init(_ tensors: NormalizedConvolution, dtype: DType, device: Device = .cpu) {
    description = tensors.description
    var (weight, bias) = tensors.folded()
    let half = description.kernel / 2
    let isUneven = description.padding == .same && description.stride == 2 && description.kernel > 1
    if isUneven && device == .cpu {
      // TensorFlow's padding of an even size lacks a zero on the left and at the top, which no convolution of the
      // engine knows. A filter larger by zeros there gives the same without a padded copy of the image. With k / 2
      // zeros around an even size it begins where it should, and with one more around an odd size.
      weight = weight.padded2d(left: 1, right: 0, top: 1, bottom: 0)
      zeros = (half, half + 1)
    } else {
      // GPUs have convolutions of their own for 3 × 3 filters, and copy a padded image in no time.
      zeros = isUneven ? nil : (half, half)
    }
    self.weight = weight.to(dtype).channelsLast().to(device)
    self.bias = bias.to(dtype).to(device)
  }

  /// The tensors that it computes with, by names without dots.
  var parameters: [(name: String, tensor: Tensor)] {
    let name = description.name.replacing(".", with: "_")
    return [(name + "_weight", weight), (name + "_bias", bias)]
  }

  func callAsFunction(_ input: Tensor, adding shortcut: Tensor?) -> Tensor {
    let result: Tensor
    if let zeros {
      let padding = input.size(-1).isMultiple(of: 2) ? zeros.even : zeros.odd
      result = input.conv2d(
        weight, bias: bias, stride: description.stride, padding: padding, groups: description.groups)
    } else {
      let (before, after) = description.padding.amounts(
        size: input.size(-1), kernel: description.kernel, stride: description.stride)
      result = input.padded2d(left: before, right: after, top: before, bottom: after)
        .conv2d(weight, bias: bias, stride: description.stride, padding: 0, groups: description.groups)
    }
    if let shortcut { result.addInPlace(shortcut) }
    return switch description.activation {
    case .none: result
    case .relu: result.reluInPlace()
    case .relu6: result.relu6InPlace()
    }
  }
}
