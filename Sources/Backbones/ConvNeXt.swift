import Torch

/// ConvNeXt (Liu et al. 2022) and ConvNeXt V2 (Woo et al. 2023) from a file of weights, by the names of timm, Hugging Face,
/// torchvision and their authors; DINOv3's distilled ones too.
package struct ConvNeXt: FeatureNetwork {
  package let name: String
  package let inputSize: Int
  package let dtype: DType
  package let featureDimension: Int
  let normalization: PixelNormalization
  private let device: Device
  private let gpu: GPUSlices?
  private let stages: [Stage]
  private let norm: LayerNormalization

  /// A convolution that makes maps smaller, and blocks.
  struct Stage: Sendable {
    /// Before the convolution; of the first stage, the stem, after it.
    let norm: LayerNormalization
    let normComesFirst: Bool
    let weight: Tensor
    let bias: Tensor?
    let blocks: [Block]
  }

  struct Block: Sendable {
    /// `[C, 1, 7, 7]`
    let filter: Tensor
    let filterBias: Tensor?
    let norm: LayerNormalization
    let first: TransformerLinear
    /// V2's response normalization: scale and shift `[4 C]`.
    let response: (scale: Tensor, shift: Tensor)?
    let second: TransformerLinear
  }

  /// nil: the tensors are not a ConvNeXt's.
  init?(
    _ tower: Checkpoint, path: String, name: String, facts: NetworkFacts, size: Int?, precision: Precision,
    device: Device = .cpu
  ) throws(CheckpointError) {
    let renamed = RenamedTensors(tower, by: .convNeXt)
    guard renamed.tensors["stem.conv.weight"] != nil,
      renamed.tensors["stages.0.blocks.0.filter.weight"] != nil
    else {
      return nil
    }
    let tensors = try NetworkTensors(renamed, path: path, what: "a ConvNeXt")
    let dtype = precision.dtype(on: device)
    let count = (0..<16).first { !tensors.has("stages.\($0).blocks.0.filter.weight") } ?? 0
    var stages: [Stage] = []
    for index in 0..<count {
      stages.append(try Self.stage(index, tensors, dtype: dtype, device: device))
    }
    let width = tensors.shape("norm.weight")?.first ?? 0
    self.stages = stages
    self.name = name
    self.dtype = dtype
    self.device = device
    norm = try Self.norm("norm", width: width, tensors).to(device)
    featureDimension = width
    normalization = facts.normalization ?? .imageNet
    inputSize = size ?? facts.size ?? 224
    gpu = GPUSlices.ifNeeded(on: device, size: inputSize)
    guard inputSize >= 32 else {
      throw CheckpointError(
        path: path, what: "images of \(inputSize) pixels are too small", remedy: "Give --size 224")
    }
  }

  package func features(_ pixels: Tensor) -> Tensor {
    let slice = max(1, min(16, 8 * 224 * 224 / max(1, pixels.size(1) * pixels.size(2))))
    return bySlices(pixels, of: slice, on: gpu) { images in
      var x = normalization(images.to(device), dtype: dtype)
      for stage in stages { x = stage(x, dtype: dtype) }
      let count = x.size(0)
      let channels = x.size(1)
      let mean = x.permuted([0, 2, 3, 1]).reshaped([count, -1, channels]).to(.float32).mean(dim: 1)
      return norm(mean).to(.cpu)
    }
  }

  // MARK: Reading

  private static func norm(
    _ name: String, width: Int, _ tensors: NetworkTensors
  ) throws(CheckpointError) -> LayerNormalization {
    LayerNormalization(
      weight: try tensors.tensor(name + ".weight", [width]),
      bias: try tensors.tensor(name + ".bias", [width]),
      epsilon: 1e-6)
  }

  private static func stage(
    _ index: Int, _ tensors: NetworkTensors, dtype: DType, device: Device
  ) throws(CheckpointError) -> Stage {
    let prefix = index == 0 ? "stem." : "stages.\(index).down."
    try tensors.require(["conv.weight", "norm.weight", "norm.bias"].map { prefix + $0 })
    let shape = tensors.shape(prefix + "conv.weight") ?? []
    guard shape.count == 4 else {
      throw CheckpointError(
        path: tensors.path, what: "its tensor \(prefix)conv.weight has the shape \(shape)",
        remedy: NetworkFile.exportRemedy)
    }
    let depth = (0..<1024).first { !tensors.has("stages.\(index).blocks.\($0).filter.weight") } ?? 0
    var blocks: [Block] = []
    for place in 0..<depth {
      blocks.append(
        try block("stages.\(index).blocks.\(place).", width: shape[0], tensors, dtype: dtype, device: device))
    }
    return Stage(
      norm: try norm(prefix + "norm", width: index == 0 ? shape[0] : shape[1], tensors).to(device),
      normComesFirst: index > 0,
      weight: try tensors.tensor(prefix + "conv.weight", shape).to(dtype).channelsLast().to(device),
      bias: try tensors.optional(prefix + "conv.bias")?.to(dtype).to(device), blocks: blocks)
  }

  private static func block(
    _ prefix: String, width: Int, _ tensors: NetworkTensors, dtype: DType, device: Device
  ) throws(CheckpointError) -> Block {
    try tensors.require(
      ["filter.weight", "norm.weight", "norm.bias", "fc1.weight", "fc2.weight"].map { prefix + $0 })
    let kernel = tensors.shape(prefix + "filter.weight")?.last ?? 7
    let inner = (tensors.shape(prefix + "fc1.weight") ?? [])[0]
    var second = try tensors.tensor(prefix + "fc2.weight", [width, inner])
    var secondBias = try tensors.optional(prefix + "fc2.bias")
    if let gamma = try tensors.optional(prefix + "gamma") {
      second = second * gamma.reshaped([width, 1])
      secondBias = secondBias.map { $0 * gamma.reshaped([width]) }
    }
    var response: (Tensor, Tensor)?
    if tensors.has(prefix + "grn.weight") {
      response = (
        try tensors.tensor(prefix + "grn.weight", [inner]).to(device),
        try tensors.tensor(prefix + "grn.bias", [inner]).to(device)
      )
    }
    return Block(
      filter: try tensors.tensor(prefix + "filter.weight", [width, 1, kernel, kernel]).to(dtype).to(device),
      filterBias: try tensors.optional(prefix + "filter.bias")?.to(dtype).to(device),
      norm: try norm(prefix + "norm", width: width, tensors).to(device),
      first: TransformerLinear(
        weight: try tensors.tensor(prefix + "fc1.weight", [inner, width]),
        bias: try tensors.optional(prefix + "fc1.bias"), dtype: dtype
      ).to(device),
      response: response, second: TransformerLinear(weight: second, bias: secondBias, dtype: dtype).to(device)
    )
  }
}

extension ConvNeXt.Stage {
  /// Maps `[N, C, H, W]`.
  func callAsFunction(_ input: Tensor, dtype: DType) -> Tensor {
    func normalized(_ x: Tensor) -> Tensor {
      norm(x.permuted([0, 2, 3, 1])).to(dtype).permuted([0, 3, 1, 2])
    }
    let stride = weight.size(2)
    var x =
      normComesFirst
      ? normalized(input).conv2d(weight, bias: bias, stride: stride)
      : normalized(input.conv2d(weight, bias: bias, stride: stride))
    for block in blocks { x = block(x) }
    return x
  }
}

extension ConvNeXt.Block {
  /// Maps `[N, C, H, W]`.
  func callAsFunction(_ input: Tensor) -> Tensor {
    let filtered = input.conv2d(
      filter, bias: filterBias, stride: 1, padding: filter.size(-1) / 2, groups: filter.size(0))
    var x = first(norm(filtered.permuted([0, 2, 3, 1]))).gelu()
    if let response {
      // [N, H, W, C]: each channel's length over the image, beside the mean of all channels'.
      let values = x.to(.float32)
      let lengths = values.squared().sum(dim: 1, keepDim: true).sum(dim: 2, keepDim: true).squareRoot()
      let relative = lengths / (lengths.mean(dim: 3, keepDim: true) + 1e-6)
      x = values + response.shift + response.scale * (values * relative)
    }
    return input + second(x).permuted([0, 3, 1, 2])
  }
}
