import Torch

/// A network that turns images into features: one of the built-in kinds, or one that was read from a file.
///
/// An image's features do not depend on the other images of the batch: to the bit for the built-in kinds, and for others in
/// bfloat16; in float32 the last bits of matrix products may differ with an image's place in the batch.
package protocol FeatureNetwork: Sendable {
  /// What users call it: `efficientnet-lite2`, or the name of its file.
  var name: String { get }
  /// D, the number of features of an image.
  var featureDimension: Int { get }
  /// Width and height, in pixels, of the images that the network was made for.
  var inputSize: Int { get }
  /// What the network computes with: float32 or bfloat16.
  var dtype: DType { get }
  /// The features of images.
  ///
  /// - Parameter pixels: `[N, H, W, 3]`, uint8, red, green, blue; H = W.
  /// - Returns: `[N, D]`, float32.
  func features(_ pixels: Tensor) -> Tensor
}

extension FeatureNetwork {
  /// Features computed by slices of one size: the engine picks its algorithms by the size of a batch, so that a smaller last
  /// one would give other bits. It is filled up with black images.
  func bySlices(_ pixels: Tensor, of slice: Int, _ compute: (Tensor) -> Tensor) -> Tensor {
    precondition(
      pixels.rank == 4 && pixels.size(3) == 3 && pixels.size(1) == pixels.size(2) && pixels.dtype == .uint8,
      "images are uint8 [N, size, size, 3]; these are \(pixels.dtype) \(pixels.shape)")
    let count = pixels.size(0)
    guard count > 0 else { return .empty([0, featureDimension]) }
    return withoutGradients {
      let parts = stride(from: 0, to: count, by: slice).map { start in
        let images = pixels[start..<min(start + slice, count)]
        let missing = slice - images.size(0)
        let filled =
          missing == 0
          ? images : .concatenate([images, .zeros([missing] + images.shape.dropFirst(), dtype: .uint8)])
        return compute(filled)[0..<images.size(0)]
      }
      return parts.count == 1 ? parts[0].contiguous() : .concatenate(parts)
    }
  }
}

extension Backbone: FeatureNetwork {
  package var name: String { kind.rawValue }
  package var inputSize: Int { kind.inputSize }
}
