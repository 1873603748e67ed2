import Torch

/// The map from pixels, 0 to 255, to a network's input: `(x − mean) / deviation`, each channel (red, green, blue) with
/// its own.
package struct PixelNormalization: Sendable, Hashable {
  package let mean: [Double]
  package let deviation: [Double]

  /// EfficientNet-Lite's, `(x − 127) / 128` (tensorflow/tpu, `efficientnet/lite`).
  package static let efficientNetLite = PixelNormalization(
    mean: [127, 127, 127], deviation: [128, 128, 128])

  /// The means and deviations of ImageNet's pixels that torchvision's weights were trained with.
  package static let imageNet = PixelNormalization(
    mean: [0.485, 0.456, 0.406].map { 255 * $0 }, deviation: [0.229, 0.224, 0.225].map { 255 * $0 })

  /// The means and deviations that OpenAI's CLIP and its successors were trained with.
  package static let clip = PixelNormalization(
    mean: [0.48145466, 0.4578275, 0.40821073].map { 255 * $0 },
    deviation: [0.26862954, 0.26130258, 0.27577711].map { 255 * $0 })

  /// Pixels from −1 to 1: what Google's vision transformers and SigLIP were trained with.
  package static let centered = PixelNormalization(
    mean: [127.5, 127.5, 127.5], deviation: [127.5, 127.5, 127.5])

  /// The factors and offsets of the map `x · scale + offset`, by channel: `[3]` each.
  var scale: Tensor { Tensor(deviation.map { Float(1 / $0) }) }
  var offset: Tensor { Tensor(zip(mean, deviation).map { Float(-$0 / $1) }) }

  /// Pixels `[N, H, W, 3]`, uint8, as a network's input `[N, 3, H, W]` in channels-last order.
  func callAsFunction(_ pixels: Tensor, dtype: DType) -> Tensor {
    let normalized: Tensor
    let scale = scale.to(pixels.device)
    let offset = offset.to(pixels.device)
    if Set(mean).count == 1, Set(deviation).count == 1 {
      // Exact in bfloat16 too for EfficientNet-Lite: 8 bits hold integers up to 256.
      normalized = (pixels.to(dtype) - mean[0]) / deviation[0]
    } else {
      normalized = (pixels.to(.float32) * scale + offset).to(dtype)
    }
    return normalized.permuted([0, 3, 1, 2])
  }
}
