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
    commandName: "embed", abstract: "Images embedded a second, files to features.")
  @OptionGroup var common: BenchOptions
  @Option(help: "JPEG files, about 500×375 pixels each.") var images = 5000
  @Option(help: "A tar file of photos to make them from; by default they are made up.") var photos: String?
  @Option(help: "fast, good or best.") var quality = "fast"
  @Option(help: "Where to put files; removed afterwards.") var scratch =
    NSTemporaryDirectory() + "cleannet-bench"

  func run() throws {
    try common.prepare()
    let folder = scratch + "/photos"
    try? FileManager.default.removeItem(atPath: scratch)
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let files = try BenchPhotos(count: images, photos: photos).write(to: folder, threads: common.threads)
    guard let quality = EmbedStage.Quality(rawValue: quality) else {
      throw ValidationError("--quality is fast, good or best.")
    }
    let threads = common.threads
    let sample = files.prefix(512).map { ImageSource.file($0) }
    let batches = stride(from: 0, to: sample.count, by: 32).map {
      Array(sample[$0..<min($0 + 32, sample.count)])
    }
    var secondsPerImage = 0.0
    for case .builtIn(let kind, _) in quality.networks {
      let decoder = ImageDecoder(ImagePreparation(size: kind.inputSize))
      let decoding = seconds {
        concurrently(over: batches.count, threads: threads) { _ = decoder.decodeBatch(batches[$0]) }
      }
      report("embed.\(kind).decoding alone", Double(sample.count) / decoding, "images/s")
      let backbone = try Backbone(kind, weights: BackboneWeights.path(kind, named: nil))
      _ = backbone.measureSpeed(images: 64, threads: threads)
      let network = backbone.measureSpeed(images: 1024, threads: threads).imagesPerSecond
      report("embed.\(kind).network alone", network, "images/s")
      secondsPerImage += decoding / Double(sample.count) + 1 / network
    }
    let bound = 1 / secondsPerImage
    report("embed.bound by CPU time", bound, "images/s")

    let workspace = try Workspace(path: scratch + "/w", create: true)
    try workspace.importSamples(
      from: DatasetReader.open(source: folder), source: DatasetSource(path: folder))
    var stage = EmbedStage()
    stage.networks = quality.networks
    stage.threads = threads
    let outcome = try stage.run(workspace, progress: SilentProgress())
    let rate = Double(outcome.embedded) / outcome.seconds
    report("embed", rate, "images/s")
    report("embed.share of the bound", 100 * rate / bound, "%")
    report("embed.peak memory", peakMegabytes(), "MB")
  }
}
