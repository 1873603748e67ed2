/// EfficientNet-Lite: EfficientNet (Tan & Le 2019, table 1) without squeeze-and-excitation and with ReLU6 in place of
/// Swish. It has a stem, a head and numbers of blocks in the first and last stage that do not scale (tensorflow/tpu,
/// `models/official/efficientnet/lite`).
enum EfficientNetLite {
  /// Inverted residual blocks of one kind: a 1×1 convolution widens, a depthwise one filters, a 1×1 one narrows.
  struct Stage {
    var repeats: Int
    var kernel: Int
    /// Of the stage's first block; the others have 1.
    var stride: Int
    /// How many times wider the block is inside.
    var expansion: Int
    var outputs: Int
  }

  /// EfficientNet-B0's stages 2 to 8.
  static let stages = [
    Stage(repeats: 1, kernel: 3, stride: 1, expansion: 1, outputs: 16),
    Stage(repeats: 2, kernel: 3, stride: 2, expansion: 6, outputs: 24),
    Stage(repeats: 2, kernel: 5, stride: 2, expansion: 6, outputs: 40),
    Stage(repeats: 3, kernel: 3, stride: 2, expansion: 6, outputs: 80),
    Stage(repeats: 3, kernel: 5, stride: 1, expansion: 6, outputs: 112),
    Stage(repeats: 4, kernel: 5, stride: 2, expansion: 6, outputs: 192),
    Stage(repeats: 1, kernel: 3, stride: 1, expansion: 6, outputs: 320),
  ]
  static let stemOutputs = 32
  static let headOutputs = 1280

  static func network(width: Double, depth: Double, names: WeightNames) -> Network<Convolution> {
    let stem = convolution(names.stem, 3, stemOutputs, kernel: 3, stride: 2)
    var blocks: [Block<Convolution>] = []
    var ranges: [Range<Int>] = []
    var inputs = stemOutputs
    for (index, stage) in stages.enumerated() {
      let outputs = scaled(stage.outputs, by: width)
      let fixed = index == 0 || index == stages.count - 1
      let repeats = fixed ? stage.repeats : Int((Double(stage.repeats) * depth).rounded(.up))
      for place in 0..<repeats {
        let names = names.block(blocks.count, stage: index, place: place, expands: stage.expansion > 1)
        let stride = place == 0 ? stage.stride : 1
        blocks.append(block(stage, names: names, inputs: inputs, outputs: outputs, stride: stride))
        inputs = outputs
      }
      ranges.append((blocks.count - repeats)..<blocks.count)
    }
    return Network(
      stem: stem, poolsAfterStem: false, blocks: blocks, stages: ranges,
      head: convolution(names.head, inputs, headOutputs, kernel: 1), classifierName: names.classifier)
  }

  /// A number of channels scaled and rounded to a multiple of 8 that lies at most a tenth below.
  static func scaled(_ channels: Int, by width: Double) -> Int {
    let exact = Double(channels) * width
    let rounded = max(8, Int(exact + 4) / 8 * 8)
    return Double(rounded) < 0.9 * exact ? rounded + 8 : rounded
  }

  private static func block(
    _ stage: Stage, names: WeightNames.LiteBlock, inputs: Int, outputs: Int, stride: Int
  ) -> Block<Convolution> {
    let inside = inputs * stage.expansion
    let expand = names.expand.map { convolution($0, inputs, inside, kernel: 1) }
    let filter = convolution(
      names.filter, inside, inside, kernel: stage.kernel, stride: stride, depthwise: true)
    return Block(
      inner: (expand.map { [$0] } ?? []) + [filter],
      last: convolution(names.project, inside, outputs, kernel: 1, activation: .none),
      shortcut: stride == 1 && inputs == outputs ? .identity : .none)
  }

  private static func convolution(
    _ names: (String, String), _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    depthwise: Bool = false, activation: Activation = .relu6
  ) -> Convolution {
    Convolution(
      name: names.0, norm: names.1, inputs: inputs, outputs: outputs, kernel: kernel, stride: stride,
      depthwise: depthwise, padding: .same, epsilon: 1e-3, activation: activation)
  }
}

/// Names of convolutions and their batch norms.
extension WeightNames {
  typealias Pair = (String, String)

  struct LiteBlock {
    var expand: Pair?
    var filter: Pair
    var project: Pair
  }

  var stem: Pair { self == .timm ? ("conv_stem", "bn1") : ("_conv_stem", "_bn0") }
  var head: Pair { self == .timm ? ("conv_head", "bn2") : ("_conv_head", "_bn1") }
  var classifier: String { self == .timm ? "classifier" : "_fc" }

  /// A block by its number in the network, or by its stage and its place there.
  func block(_ index: Int, stage: Int, place: Int, expands: Bool) -> LiteBlock {
    let prefix = self == .timm ? "blocks.\(stage).\(place)." : "_blocks.\(index)."
    func pair(_ name: String, _ norm: String) -> Pair { (prefix + name, prefix + norm) }
    switch (self, expands) {
    case (.published, _):
      return LiteBlock(
        expand: expands ? pair("_expand_conv", "_bn0") : nil, filter: pair("_depthwise_conv", "_bn1"),
        project: pair("_project_conv", "_bn2"))
    case (.timm, true):
      return LiteBlock(
        expand: pair("conv_pw", "bn1"), filter: pair("conv_dw", "bn2"), project: pair("conv_pwl", "bn3"))
    case (.timm, false):
      return LiteBlock(filter: pair("conv_dw", "bn1"), project: pair("conv_pw", "bn2"))
    }
  }
}
