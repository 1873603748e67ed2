import Foundation
import Torch

/// A vision transformer (Dosovitskiy et al. 2021) from a file of weights as it was downloaded. ViT and DeiT, DINOv2
/// with and without registers, DINOv3, CLIP and SigLIP are read by the names of timm, Hugging Face, open_clip and
/// torch.hub.
///
/// Sums along the tokens' way, norms and pooling are float32; matrices and attention are computed in `dtype`.
package struct VisionTransformer: FeatureNetwork {
  package let name: String
  package let inputSize: Int
  package let dtype: DType
  package let featureDimension: Int
  /// Width and height of a patch, in pixels.
  package let patchSize: Int
  package let blockCount: Int
  let normalization: PixelNormalization
  let pooling: Pooling
  private let device: Device
  private let gpu: GPUSlices?

  /// `[D, 3, P, P]` and, if there is one, `[D]`.
  private let patchWeight: Tensor
  private let patchBias: Tensor?
  /// Class token, with its position where it has one, and registers: `[1, prefix, D]`, float32.
  private let prefix: Tensor?
  private let hasClassToken: Bool
  /// `[1, m², D]`, float32.
  private let positions: Tensor?
  private let rotary: RotaryPositions?
  private let before: LayerNormalization?
  private let blocks: [TransformerBlock]
  private let after: LayerNormalization?
  /// Of networks that pool first and normalize then.
  private let afterPooling: LayerNormalization?
  private let attentionPool: AttentionPool?

  init(
    _ reading: TransformerReading, name: String, size: Int?, pooling: Pooling, precision: Precision,
    device: Device = .cpu
  ) throws(CheckpointError) {
    let parts = try reading.parts(size: size, dtype: precision.dtype(on: device))
    self.name = name
    self.pooling = pooling
    self.device = device
    inputSize = parts.size
    gpu = GPUSlices.ifNeeded(on: device, size: parts.size)
    dtype = precision.dtype(on: device)
    patchSize = parts.patchSize
    blockCount = parts.blocks.count
    normalization = parts.normalization
    patchWeight = parts.patchWeight.to(device)
    patchBias = parts.patchBias?.to(device)
    prefix = parts.prefix?.to(device)
    hasClassToken = parts.hasClassToken
    positions = parts.positions?.to(device)
    rotary = parts.rotary?.to(device)
    before = parts.before?.to(device)
    blocks = parts.blocks.map { $0.to(device) }
    after = parts.after?.to(device)
    afterPooling = parts.afterPooling?.to(device)
    attentionPool = parts.attentionPool?.to(device)
    guard pooling != .token && pooling != .both || hasClassToken || attentionPool != nil else {
      throw CheckpointError(
        path: name, what: "the network has no class token", remedy: "Choose --pool mean")
    }
    featureDimension = parts.width * (pooling == .both ? 2 : 1)
  }

  package func features(_ pixels: Tensor) -> Tensor {
    precondition(
      pixels.size(1) == inputSize, "images are \(inputSize) pixels wide; these are \(pixels.size(1))")
    return bySlices(pixels, of: sliceCount, on: gpu) {
      pooled(tokens(normalization($0.to(device), dtype: dtype))).to(.cpu)
    }
  }

  /// How many images are computed at once: more than fit a core's caches gain nothing.
  var sliceCount: Int {
    let tokens = (inputSize / patchSize) * (inputSize / patchSize)
    return max(1, min(16, 2048 / max(1, tokens)))
  }

  /// Normalized images `[N, 3, H, W]` to tokens `[N, prefix + m², D]`, float32, before the last norm.
  func tokens(_ input: Tensor) -> Tensor {
    let maps = input.conv2d(patchWeight, bias: patchBias, stride: patchSize)
    let count = maps.size(0)
    let width = maps.size(1)
    var x = maps.permuted([0, 2, 3, 1]).reshaped([count, -1, width]).to(.float32)
    if let positions { x = x + positions }
    if let prefix { x = .concatenate([prefix.expanded([count] + prefix.shape.dropFirst()), x], dim: 1) }
    if let before { x = before(x) }
    for block in blocks { x = block(x, rotary: rotary, prefix: prefixCount) }
    return x
  }

  private var prefixCount: Int { prefix?.size(1) ?? 0 }

  private func pooled(_ tokens: Tensor) -> Tensor {
    let x = after.map { $0(tokens) } ?? tokens
    func mean() -> Tensor {
      x.narrow(dim: 1, start: prefixCount, count: x.size(1) - prefixCount).mean(dim: 1)
    }
    func token() -> Tensor { attentionPool.map { $0(x) } ?? x.select(dim: 1, index: 0) }
    let result: Tensor =
      switch pooling {
      case .auto: afterPooling == nil && (hasClassToken || attentionPool != nil) ? token() : mean()
      case .token: token()
      case .mean: mean()
      case .both: .concatenate([token(), mean()], dim: 1)
      }
    guard let afterPooling, pooling == .auto || pooling == .mean else { return result }
    return afterPooling(result)
  }
}
