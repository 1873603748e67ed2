import Backbones
import Foundation
import Torch

/// How fast a network embeds on a device, and whether that device computes what the CPU does.
package struct NetworkSpeed: Sendable, Encodable {
  package var network: String
  package var device: String
  /// `f32` or `bf16`.
  package var precision: String
  /// Width and height of the images, in pixels.
  package var size: Int
  /// From decoded images to features, on all threads.
  package var imagesPerSecond: Double
  /// The least cosine between the device's features of an image and those of the CPU in float32; nil on the CPU.
  package var agreement: Double?

  /// At this cosine and above, a device computes what the CPU does: bfloat16's rounding costs less.
  package static let leastAgreement = 0.995

  /// Measures a network on random images, after a first batch on each thread that is not counted.
  ///
  /// - Throws: ``PipelineError`` or `CheckpointError` if the device or the network is not there.
  package static func measure(
    _ source: NetworkSource, on choice: DeviceChoice, precision: Precision = .auto, threads: Int
  ) throws -> NetworkSpeed {
    let device = try choice.device()
    let plan = try NetworkPlan(source, NetworkUse(precision: precision, device: device))
    let network = try plan.load()
    let size = network.inputSize
    let batch = device == .cpu ? EmbedStage.batchSize : EmbedStage.deviceBatchSize
    let pixels = Generator(seed: 0).integers(below: 256, count: batch * size * size * 3).to(.uint8)
      .reshaped([batch, size, size, 3])
    let rounds = threads * (device == .cpu ? 2 : 32)
    concurrently(over: threads, threads: threads) { _ in _ = network.features(pixels) }
    let start = ContinuousClock.now
    concurrently(over: rounds, threads: threads) { _ in _ = network.features(pixels) }
    let seconds = (ContinuousClock.now - start).inSeconds
    var agreement: Double?
    if device != .cpu {
      let some = pixels[0..<8]
      let reference = try NetworkPlan(source, NetworkUse(precision: .float32)).load().features(some)
      let cosines = (network.features(some).normalized() * reference.normalized()).sum(dim: 1)
      agreement = cosines.floats().min().map(Double.init)
    }
    return NetworkSpeed(
      network: network.name, device: "\(device)", precision: plan.settings.precision, size: size,
      imagesPerSecond: Double(rounds * batch) / seconds, agreement: agreement)
  }
}
