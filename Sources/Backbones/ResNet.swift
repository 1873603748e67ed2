/// ResNet (He et al. 2016, table 1) as torchvision has it: in a bottleneck the 3×3 convolution has the stride
/// ("v1.5"), shortcuts are projected where the shape changes, and the weights have torchvision's names.
enum ResNet {
  enum BlockKind {
    /// Two 3×3 convolutions.
    case basic
    /// 1×1, 3×3 and 1×1, the last four times wider.
    case bottleneck

    var expansion: Int { self == .basic ? 1 : 4 }
  }

  /// Channels inside the blocks of the four stages.
  static let widths = [64, 128, 256, 512]

  static func network(_ kind: BlockKind, repeats: [Int]) -> Network<Convolution> {
    var blocks: [Block<Convolution>] = []
    var ranges: [Range<Int>] = []
    var inputs = 64
    for (stage, (width, count)) in zip(widths, repeats).enumerated() {
      for place in 0..<count {
        let stride = stage > 0 && place == 0 ? 2 : 1
        let prefix = "layer\(stage + 1).\(place)."
        blocks.append(block(kind, prefix: prefix, inputs: inputs, width: width, stride: stride))
        inputs = width * kind.expansion
      }
      ranges.append((blocks.count - count)..<blocks.count)
    }
    return Network(
      stem: convolution("conv1", "bn1", 3, 64, kernel: 7, stride: 2), poolsAfterStem: true, blocks: blocks,
      stages: ranges, head: nil, classifierName: "fc")
  }

  private static func block(
    _ kind: BlockKind, prefix: String, inputs: Int, width: Int, stride: Int
  ) -> Block<Convolution> {
    let outputs = width * kind.expansion
    let chain =
      switch kind {
      case .basic:
        [
          convolution("conv1", "bn1", inputs, width, kernel: 3, stride: stride),
          convolution("conv2", "bn2", width, outputs, kernel: 3),
        ]
      case .bottleneck:
        [
          convolution("conv1", "bn1", inputs, width, kernel: 1),
          convolution("conv2", "bn2", width, width, kernel: 3, stride: stride),
          convolution("conv3", "bn3", width, outputs, kernel: 1),
        ]
      }
    let named = chain.map { $0.prefixed(prefix) }
    let projection = convolution(
      "downsample.0", "downsample.1", inputs, outputs, kernel: 1, stride: stride, activation: .none)
    return Block(
      inner: named.dropLast(), last: named[named.count - 1],
      shortcut: stride == 1 && inputs == outputs ? .identity : .projection(projection.prefixed(prefix)))
  }

  private static func convolution(
    _ name: String, _ norm: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    activation: Activation = .relu
  ) -> Convolution {
    Convolution(
      name: name, norm: norm, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride,
      padding: .symmetric, epsilon: 1e-5, activation: activation)
  }
}

extension Convolution {
  fileprivate func prefixed(_ prefix: String) -> Convolution {
    var result = self
    result.name = prefix + name
    result.norm = prefix + norm
    return result
  }
}
