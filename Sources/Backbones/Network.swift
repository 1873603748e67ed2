import Torch

/// A residual network of convolutions, each with its batch norm: the shape that EfficientNet-Lite and ResNet share.
///
/// `Unit` stands for a convolution. A network of ``Convolution`` values is a description; mapping it gives one
/// that computes: ``FoldedConvolution`` for inference, ``NormalizedConvolution`` with the batch norm apart.
struct Network<Unit> {
  var stem: Unit
  /// Whether a 3×3 maximum with stride 2 follows the stem.
  var poolsAfterStem: Bool
  var blocks: [Block<Unit>]
  /// The blocks of each stage: those between two changes of resolution or width.
  var stages: [Range<Int>]
  /// A last convolution, after the blocks.
  var head: Unit?
  /// The prefix of the classifier's tensors.
  var classifierName: String

  /// Every convolution, in the order of computation.
  var units: [Unit] { [stem] + blocks.flatMap(\.units) + (head.map { [$0] } ?? []) }

  /// The same network of other units.
  func map<Other, Failure>(_ transform: (Unit) throws(Failure) -> Other) throws(Failure) -> Network<Other> {
    let stem = try transform(stem)
    var mapped: [Block<Other>] = []
    for block in blocks { mapped.append(try block.map(transform)) }
    let head: Other? = if let head { try transform(head) } else { nil }
    return Network<Other>(
      stem: stem, poolsAfterStem: poolsAfterStem, blocks: mapped, stages: stages, head: head,
      classifierName: classifierName)
  }
}

extension Network: Sendable where Unit: Sendable {}

/// A chain of convolutions with a way around it.
struct Block<Unit> {
  var inner: [Unit]
  /// The last convolution of the chain, to whose result the shortcut is added before its activation.
  var last: Unit
  var shortcut: Shortcut<Unit>

  var units: [Unit] {
    if case .projection(let unit) = shortcut { inner + [last, unit] } else { inner + [last] }
  }

  func map<Other, Failure>(_ transform: (Unit) throws(Failure) -> Other) throws(Failure) -> Block<Other> {
    var mapped: [Other] = []
    for unit in inner { mapped.append(try transform(unit)) }
    let last = try transform(last)
    let shortcut: Shortcut<Other> =
      switch shortcut {
      case .none: .none
      case .identity: .identity
      case .projection(let unit): .projection(try transform(unit))
      }
    return Block<Other>(inner: mapped, last: last, shortcut: shortcut)
  }
}

extension Block: Sendable where Unit: Sendable {}

/// The way around a block.
enum Shortcut<Unit> {
  case none
  case identity
  /// A 1×1 convolution, where the block changes the number of channels or the resolution.
  case projection(Unit)
}

extension Shortcut: Sendable where Unit: Sendable {}

/// A convolution that computes: `activation(batchNorm(convolution(x)) + shortcut)`.
protocol ConvolutionUnit {
  /// - Parameters:
  ///   - input: `[N, C, H, W]`, H = W.
  ///   - shortcut: of the result's shape.
  func callAsFunction(_ input: Tensor, adding shortcut: Tensor?) -> Tensor
}

extension Network where Unit: ConvolutionUnit {
  /// Normalized images `[N, 3, H, W]` to the last stage's maps `[N, D, h, w]`.
  func callAsFunction(_ input: Tensor) -> Tensor {
    var x = stem(input, adding: nil)
    if poolsAfterStem { x = x.maxPool2d(kernel: 3, stride: 2, padding: 1) }
    for block in blocks { x = block(x) }
    return head.map { $0(x, adding: nil) } ?? x
  }

  /// Normalized images `[N, 3, H, W]` to features `[N, D]`, float32: the mean of each of the last stage's maps.
  func features(_ input: Tensor) -> Tensor {
    let maps = self(input)
    let count = maps.size(0)
    let channels = maps.size(1)
    return maps.permuted([0, 2, 3, 1]).reshaped([count, -1, channels]).to(.float32).mean(dim: 1)
  }
}

extension Block where Unit: ConvolutionUnit {
  func callAsFunction(_ input: Tensor) -> Tensor {
    let around: Tensor? =
      switch shortcut {
      case .none: nil
      case .identity: input
      case .projection(let unit): unit(input, adding: nil)
      }
    let x = inner.reduce(input) { x, unit in unit(x, adding: nil) }
    return last(x, adding: around)
  }
}

extension Network<Convolution> {
  /// D, the channels of the last stage.
  var outputs: Int { head?.outputs ?? blocks.last?.last.outputs ?? stem.outputs }
}
