import Foundation
import Synchronization
import Torch
import Workspace

/// How fast images are embedded here, measured on some of them before the rest begins.
struct EmbedPace {
  /// Images embedded a second, on all threads.
  var imagesPerSecond: Double

  /// Fewer images than these are embedded without a forecast.
  static let least = 1000
  /// Images that are measured.
  static let images = 128
  private static let batch = 16

  /// Embeds some of the samples: a batch on each thread that is not counted, then one that is.
  init(_ worker: EmbedWorker, _ samples: [StoredSample], threads: Int) {
    func pass(_ offset: Int) {
      concurrently(over: threads, threads: threads) { thread in
        let start = ((thread + offset) * Self.batch) % max(1, samples.count - Self.batch)
        let some = samples[start..<min(start + Self.batch, samples.count)]
        let sources = some.compactMap { try? worker.access.source($0.location, key: $0.key) }
        let rows = Tensor.empty([max(1, sources.count), worker.dimension])
        _ = worker.embed(sources, at: Array(sources.indices), into: rows)
      }
    }
    pass(0)
    let start = ContinuousClock.now
    pass(threads)
    imagesPerSecond = Double(threads * Self.batch) / max(1e-9, (ContinuousClock.now - start).inSeconds)
  }

  /// "15,000 images with efficientnet-lite2 at 260 px on 2 threads: about 4 minutes (63 images/s)."
  func forecast(images: Int, settings: EmbedStage.Settings, threads: Int) -> String {
    let seconds = Double(images) / imagesPerSecond
    var text =
      "\(images) images with \(settings.title) on \(threads) threads: about \(Self.duration(seconds)), "
      + "\(Int(imagesPerSecond.rounded())) images/s."
    if seconds > 120, settings.parts.contains(where: { $0.backbone == .efficientNetLite2 }) {
      text +=
        settings.parts.count == 1
        ? " With --quality fast: about half of that."
        : " With --quality good: about two thirds of that, fast: a third."
    }
    return text
  }

  /// "40 seconds", "4 minutes", "2.5 hours".
  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<90: "\(max(1, Int(seconds.rounded()))) seconds"
    case ..<5400: "\(Int((seconds / 60).rounded())) minutes"
    default: String(format: "%.1f hours", seconds / 3600)
    }
  }
}
