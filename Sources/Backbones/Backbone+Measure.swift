import Foundation
import Torch

/// How fast a network is on this machine.
package struct BackboneSpeed: Sendable, Hashable {
  /// Images of the measured run.
  package var images: Int
  /// Wall time, seconds.
  package var elapsed: Double
  /// CPU time of the whole process meanwhile, seconds: what other programs on the machine hardly change.
  package var processorTime: Double

  package var imagesPerSecond: Double { Double(images) / elapsed }
}

extension Backbone {
  /// Measures the network alone, from pixels to features: made-up images, at least `images` of them, on `threads`
  /// threads that each take one slice at a time, after a first slice each that is not counted.
  package func measureSpeed(images: Int = 64, size: Int? = nil, threads: Int = 1) -> BackboneSpeed {
    let size = size ?? kind.inputSize
    let slice = sliceCount(height: size, width: size)
    // A pattern of all pixel values: what is multiplied does not change how long it takes.
    let pixels = Tensor.arange(slice * size * size * 3).reshaped([slice, size, size, 3]).to(.uint8)
    let slices = max(threads, (images + slice - 1) / slice)
    concurrently(over: threads, threads: threads) { _ in _ = features(pixels) }
    let processorBefore = Backbone.processorTime()
    let start = ContinuousClock.now
    concurrently(over: slices, threads: threads) { _ in _ = features(pixels) }
    let elapsed = (ContinuousClock.now - start) / .seconds(1)
    return BackboneSpeed(
      images: slices * slice, elapsed: elapsed, processorTime: Backbone.processorTime() - processorBefore)
  }

  /// CPU time of this process so far, user and system, seconds.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
