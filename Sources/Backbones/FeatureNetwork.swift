import Torch

/// A network that turns images into features: one of the built-in kinds, or one that was read from a file.
///
/// An image's features do not depend on the other images of the batch: to the bit for the built-in kinds, and for
/// others in bfloat16. In float32 the last bits of matrix products may differ with an image's place in the batch.
package protocol FeatureNetwork: Sendable {
  /// The name that users know: `efficientnet-lite2`, or the name of its file.
  var name: String { get }
  /// D, the number of features of an image.
  var featureDimension: Int { get }
  /// Width and height, in pixels, of the images that the network was made for.
  var inputSize: Int { get }
  /// The number type that the network computes with: float32 or bfloat16.
  var dtype: DType { get }
  /// The features of images.
  ///
  /// - Parameter pixels: `[N, H, W, 3]`, uint8, red, green, blue; H = W.
  /// - Returns: `[N, D]`, float32.
  func features(_ pixels: Tensor) -> Tensor
}

extension FeatureNetwork {
  /// Features computed by slices of one size: the engine picks its algorithms by the size of a batch, so that a smaller
  /// last one would give other bits. It is filled up with black images.
  ///
  /// - Parameters:
  ///   - slice: Images of a slice on the CPU.
  ///   - gpu: Decides how many they are on a GPU; nil: the network runs on the CPU.
  func bySlices(
    _ pixels: Tensor, of slice: @autoclosure () -> Int, on gpu: GPUSlices?, _ compute: (Tensor) -> Tensor
  ) -> Tensor {
    precondition(
      pixels.rank == 4 && pixels.size(3) == 3 && pixels.size(1) == pixels.size(2) && pixels.dtype == .uint8,
      "images are uint8 [N, size, size, 3]; these are \(pixels.dtype) \(pixels.shape)")
    let count = pixels.size(0)
    guard count > 0 else { return .empty([0, featureDimension]) }
    return withoutGradients {
      var parts: [Tensor] = []
      var start = 0
      while start < count {
        let slice = gpu?.count ?? slice()
        let images = pixels[start..<min(start + slice, count)]
        let missing = slice - images.size(0)
        let filled =
          missing == 0
          ? images : .concatenate([images, .zeros([missing] + images.shape.dropFirst(), dtype: .uint8)])
        guard let part = gpu.map({ $0.compute(filled, compute) }) ?? compute(filled) else { continue }
        parts.append(part[0..<images.size(0)])
        start += images.size(0)
      }
      return parts.count == 1 ? parts[0].contiguous() : .concatenate(parts)
    }
  }
}

extension Backbone: FeatureNetwork {
  package var name: String { kind.rawValue }
  package var inputSize: Int { kind.inputSize }
}
