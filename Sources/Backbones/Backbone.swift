import Torch

/// A pretrained network that turns images into features.
///
/// ```swift
/// let backbone = try Backbone(.efficientNetLite0, weights: path)
/// let features = backbone.features(pixels)  // [N, H, W, 3] uint8 → [N, 1280] float32
/// ```
///
/// Batch norm is folded into the convolutions when the weights are read. Features come out the same, to the bit,
/// whatever other images are in the batch.
///
/// The fastest arrangement on a machine of several cores is one thread per core, each calling ``features(_:)`` with its
/// own batch while `Engine.threads` is 1 there (`concurrently` does so). A network of many small layers gains little
/// from sharing each among cores. Batches of a multiple of ``sliceCount(height:width:)`` are best, because the last
/// slice is filled up.
///
/// CPU time per image at 224 px, from pixels to features, on a core with AVX-512 bf16 (Zen 5, libtorch 1.13; from
/// ``measureSpeed(images:size:threads:)``). EfficientNet-Lite0 takes 3.4 ms in bfloat16 and 11 ms in float32, ResNet-18
/// 9 ms and ResNet-50 21 ms in bfloat16, 48 ms in float32. Of Lite0's 3.4 ms the 1×1 convolutions are 2, near what the
/// processor can multiply. Against the same network computed operation by operation, three things mattered: ReLU6 on
/// the bits of bfloat16 (−0.7 ms), TensorFlow's padding without a padded copy (−1.1 ms), and slices whose maps stay
/// under 32 MB. Above that the system's allocator fetches every block anew from the kernel (+2.7 ms with 16 instead of
/// 8). Matrix products in place of 1×1 convolutions were slower. In float32, libtorch 1.13's 1×1 convolutions are twice
/// as fast from 16 images on, so slices have at least 16 there.
package struct Backbone: Sendable {
  package let kind: BackboneKind
  /// The number type that the network computes with: float32 or bfloat16.
  package let dtype: DType
  let network: Network<FoldedConvolution>
  let classifier: Linear?
  private let device: Device
  private let gpu: GPUSlices?

  /// Reads the weights from a file: safetensors, or what `torch.save` wrote.
  ///
  /// - Throws: ``CheckpointError`` where the file cannot be read or holds another network's weights.
  package init(
    _ kind: BackboneKind, weights path: String, precision: Precision = .auto, device: Device = .cpu
  ) throws(CheckpointError) {
    try self.init(
      kind, checkpoint: Checkpoint.read(path: path), name: path, precision: precision, device: device)
  }

  /// Takes the weights out of a checkpoint; `name` stands for its file in errors.
  ///
  /// Names of tensors are torchvision's for ResNets, and for EfficientNet-Lite those of the published PyTorch weights
  /// (`_conv_stem` …) or of timm, whose `tf_efficientnet_lite` models are these networks. (timm's `efficientnet_lite`
  /// models pad images differently and would lose accuracy here.) A prefix `module.` is dropped. The classifier may be
  /// missing.
  ///
  /// - Throws: ``CheckpointError`` where a tensor is missing, has another shape, or has no place in the network.
  package init(
    _ kind: BackboneKind, checkpoint: Checkpoint, name: String, precision: Precision = .auto,
    device: Device = .cpu
  ) throws(CheckpointError) {
    let reader = WeightReader(checkpoint, path: name, kind: kind)
    let dtype = precision.dtype(on: device)
    self.kind = kind
    self.dtype = dtype
    self.device = device
    gpu = GPUSlices.ifNeeded(on: device, size: kind.inputSize)
    network = try reader.network().map { FoldedConvolution($0, dtype: dtype, device: device) }
    classifier = try reader.classifier()
  }

  /// D, the number of features of an image.
  package var featureDimension: Int { kind.featureDimension }

  /// The number of classes that the weights' own classifier tells apart, or nil where the file has none.
  package var classCount: Int? { classifier?.bias.size(0) }

  /// The features of images: the mean of each map of the last stage.
  ///
  /// - Parameter pixels: `[N, H, W, 3]`, uint8, red, green, blue; H = W.
  /// - Returns: `[N, D]`, float32.
  package func features(_ pixels: Tensor) -> Tensor {
    bySlices(pixels, of: sliceCount(height: pixels.size(1), width: pixels.size(2)), on: gpu) {
      network.features(kind.normalization($0.to(device), dtype: dtype)).to(.cpu)
    }
  }

  /// The output of the weights' own classifier for features `[N, D]`: `[N, K]`, unnormalized log probabilities; nil if
  /// the file has no classifier.
  package func logits(features: Tensor) -> Tensor? {
    classifier.map { layer in withoutGradients { layer(features) } }
  }

  /// How many images of a size are computed at once.
  package func sliceCount(height: Int, width: Int) -> Int {
    if let gpu { return gpu.count }
    // At 224 px in bfloat16 the largest map of 8 images takes 19 MB.
    let fitting = min(32, 8 * 224 * 224 / max(1, height * width))
    return max(dtype == .float32 ? 16 : 1, fitting)
  }
}
