import Torch

/// A convolution with its batch norm folded in, for inference: one call of the engine, the rest in place.
struct FoldedConvolution: ConvolutionUnit, Sendable {
  /// `[O, I / groups, k, k]`
  private let weight: Tensor
  /// `[O]`
  private let bias: Tensor
  private let description: Convolution
  /// Zeros on every side of an image whose size is even, or odd.
  private let evenPadding: Int
  private let oddPadding: Int

  init(_ tensors: NormalizedConvolution, dtype: DType, device: Device = .cpu) {
    description = tensors.description
    var (weight, bias) = tensors.folded()
    let half = description.kernel / 2
    if description.padding == .same && description.stride == 2 && description.kernel > 1 {
      // TensorFlow's padding of an even size lacks a zero on the left and at the top, which no convolution of the
      // engine knows. A filter larger by zeros there gives the same without a padded copy of the image: with k / 2
      // zeros around an even size it begins where it should, and with one more around an odd size.
      weight = weight.padded2d(left: 1, right: 0, top: 1, bottom: 0)
      evenPadding = half
      oddPadding = half + 1
    } else {
      evenPadding = half
      oddPadding = half
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
    let padding = input.size(-1).isMultiple(of: 2) ? evenPadding : oddPadding
    let result = input.conv2d(
      weight, bias: bias, stride: description.stride, padding: padding, groups: description.groups)
    if let shortcut { result.addInPlace(shortcut) }
    return switch description.activation {
    case .none: result
    case .relu: result.reluInPlace()
    case .relu6: result.relu6InPlace()
    }
  }
}
