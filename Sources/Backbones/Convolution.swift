import Torch

/// The description of a convolution and the batch norm and activation after it.
struct Convolution: Sendable, Hashable {
  /// The name of the convolution in the weights: `name.weight`. No convolution has a bias.
  var name: String
  /// The name of the batch norm: `norm.weight`, `.bias`, `.running_mean`, `.running_var`.
  var norm: String
  var inputs: Int
  var outputs: Int
  var kernel: Int
  var stride = 1
  /// One filter a channel, instead of filters over all channels.
  var depthwise = false
  var padding: Padding
  /// The number that batch norm adds to a variance.
  var epsilon: Double
  var activation: Activation

  /// `[O, I / groups, k, k]`
  var weightShape: [Int] { [outputs, depthwise ? 1 : inputs, kernel, kernel] }

  var groups: Int { depthwise ? inputs : 1 }
}

/// Zeros around an image before a convolution of kernel size k and stride s.
enum Padding: Sendable, Hashable {
  /// k / 2 on every side, as PyTorch's networks have it.
  case symmetric
  /// As few as give ⌈size / s⌉ results, the odd one on the right and at the bottom: TensorFlow's `SAME`.
  case same

  /// The zeros before and after a row of `size` pixels.
  func amounts(size: Int, kernel: Int, stride: Int) -> (before: Int, after: Int) {
    switch self {
    case .symmetric: return (kernel / 2, kernel / 2)
    case .same:
      let results = (size + stride - 1) / stride
      let total = max((results - 1) * stride + kernel - size, 0)
      return (total / 2, total - total / 2)
    }
  }
}

enum Activation: Sendable, Hashable {
  case none
  case relu
  case relu6
}
