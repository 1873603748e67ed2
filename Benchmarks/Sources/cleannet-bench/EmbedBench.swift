import ArgumentParser
import Backbones
import Datasets
import Foundation
import Images
import Pipeline
import Torch
import Workspace

/// From JPEG files to features, beside what decoding and the network take by themselves.
struct EmbedBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Images embedded a second, files to features, at 224 px.")
  @OptionGroup var common: BenchOptions
  @Option(help: "JPEG files, about 500×375 pixels each.") var images = 5000
  @Option(help: "A tar file of photos to make them from; by default they are made up.") var photos: String?
  @Option(help: "Where to put files; removed afterwards.") var scratch =
    NSTemporaryDirectory() + "cleannet-bench"

  func run() throws {
    try common.prepare()
    let folder = scratch + "/photos"
    try? FileManager.default.removeItem(atPath: scratch)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let files = try makeFiles(in: folder)
    let decoder = ImageDecoder(ImagePreparation(size: 224))
    let sample = files.prefix(512).map { ImageSource.file($0) }
    let batches = stride(from: 0, to: sample.count, by: 32).map {
      Array(sample[$0..<min($0 + 32, sample.count)])
    }
    let threads = common.threads
    let decoding = seconds {
      concurrently(over: batches.count, threads: threads) { _ = decoder.decodeBatch(batches[$0]) }
    }
    let decodeRate = Double(sample.count) / decoding
    report("embed.decoding alone", decodeRate, "images/s")
    let weights = try BackboneWeights.path(.efficientNetLite0, named: nil)
    let backbone = try Backbone(.efficientNetLite0, weights: weights)
    _ = backbone.measureSpeed(images: 64, threads: threads)
    let network = backbone.measureSpeed(images: 1024, threads: threads).imagesPerSecond
    report("embed.network alone", network, "images/s")
    let bound = 1 / (1 / decodeRate + 1 / network)
    report("embed.bound by CPU time", bound, "images/s")

    let workspace = try Workspace(path: scratch + "/w", create: true)
    try workspace.importSamples(
      from: DatasetReader.open(source: folder), source: DatasetSource(path: folder))
    var stage = EmbedStage()
    stage.threads = threads
    let outcome = try stage.run(workspace, progress: SilentProgress())
    let rate = Double(outcome.embedded) / outcome.seconds
    report("embed", rate, "images/s")
    report("embed.share of the bound", 100 * rate / bound, "%")
    report("embed.peak memory", peakMegabytes(), "MB")
  }

  /// Photos scaled to about 500×375, or coloured noise that JPEG finds about as hard.
  private func makeFiles(in folder: String) throws -> [String] {
    var sources: [ImageLocation] = []
    if let photos {
      try DatasetReader.open(
        source: photos,
        options: {
          var o = DatasetOptions(); o.format = "tar"; return o
        }()
      )
      .read { sources.append($0.location) }
    }
    let (sources_, count) = (sources, images)
    try FileManager.default.createDirectory(atPath: folder + "/a", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: folder + "/b", withIntermediateDirectories: true)
    concurrently(over: count, threads: common.threads) { index in
      let name = "\(folder)/\(index % 2 == 0 ? "a" : "b")/\(index).jpg"
      let pixels: RawPixels
      if case .archiveMember(let archive, let offset, let length)? = sources_.isEmpty
        ? nil : sources_[index % sources_.count]
      {
        pixels =
          Self.enlarged(.bytes(file: archive, offset: offset, length: length)) ?? Self.noise(seed: index)
      } else {
        pixels = Self.noise(seed: index)
      }
      if let jpeg = try? thumbnailJPEG(.pixels(pixels), maximumSide: 500, quality: 90) {
        try? Data(jpeg).write(to: URL(fileURLWithPath: name))
      }
    }
    return (0..<count).map { "\(folder)/\($0 % 2 == 0 ? "a" : "b")/\($0).jpg" }
  }

  /// A photo at 500 × 500, of which 375 rows are taken.
  private static func enlarged(_ source: ImageSource) -> RawPixels? {
    let batch = ImageDecoder(ImagePreparation(size: 500, fit: .stretch)).decodeBatch([source])
    guard batch.count == 1 else { return nil }
    let bytes = batch.withUnsafePixels { Array($0) }
    return RawPixels(width: 500, height: 375, bands: 3, bytes: bytes[0..<(500 * 375 * 3)])
  }

  private static func noise(seed: Int) -> RawPixels {
    var random = SplitMix64(seed: UInt64(seed))
    var bytes = [UInt8](repeating: 0, count: 500 * 375 * 3)
    var value = 128.0
    for place in bytes.indices {
      value += Double.random(in: -14...14, using: &random) + (128 - value) * 0.02
      bytes[place] = UInt8(max(0, min(255, value)))
    }
    return RawPixels(width: 500, height: 375, bands: 3, bytes: bytes[...])
  }
}
