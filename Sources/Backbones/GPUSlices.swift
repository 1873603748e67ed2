import Synchronization
import Torch

/// The number of images that a network computes at once on a GPU: as many as its memory takes.
///
/// The number starts from the memory that is free. Where a computation finds too little nevertheless, since other programs
/// use the GPU, too, it is halved for good and the images are computed again. One thread computes for all that ask.
final class GPUSlices: Sendable {
  private let device: Device
  private let current: Atomic<Int>
  private let thread: DeviceThread

  /// Bytes that a pixel of the input may come to inside a network, with room to spare: EfficientNet-Lite2 takes 120 in
  /// bfloat16, a ViT-L/14 takes 90.
  private static let bytesPerPixel = 400

  /// nil for the CPU, where each network chooses its own slices.
  ///
  /// - Parameter size: Width and height of the images that the network was made for.
  static func ifNeeded(on device: Device, size: Int) -> GPUSlices? {
    device == .cpu ? nil : GPUSlices(device, size: size)
  }

  /// - Parameters:
  ///   - most: More images at once gain nothing.
  ///   - size: Width and height of the images that the network was made for.
  init(_ device: Device, most: Int = 64, size: Int) {
    self.device = device
    thread = .of(device)
    var count = most
    if let free = device.freeMemory {
      while count > 1, 2 * count * size * size * Self.bytesPerPixel > free { count /= 2 }
    }
    current = Atomic(count)
  }

  var count: Int { current.load(ordering: .relaxed) }

  /// - Returns: nil where memory was too small for this many images; next time fewer are computed at once.
  func compute(_ images: Tensor, _ body: (Tensor) -> Tensor) -> Tensor? {
    let result = thread { withoutGradients { ifMemorySuffices { body(images) } } }
    if let result { return result }
    let tried = images.size(0)
    precondition(
      tried > 1,
      "the free memory of \(device) is too small for the network and one image: give --device cpu, or end other programs"
    )
    // Another thread may have halved it already.
    _ = current.min(tried / 2, ordering: .relaxed)
    return nil
  }
}
