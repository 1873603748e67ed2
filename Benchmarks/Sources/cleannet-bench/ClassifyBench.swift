import ArgumentParser
import Backbones
import Classifier
import Foundation
import Images
import Torch

/// Training from JPEG files on: decoding, random crops, both ways through the network, the optimizer.
/// `Benchmarks/Rivals/classify.py` does the same on the same files in PyTorch.
struct ClassifyBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify", abstract: "Images trained on a second, 224 px, batch 32, loader included.")
  @OptionGroup var common: BenchOptions
  @Option(help: "Which network: efficientnet-lite0, resnet18 …") var backbone = "efficientnet-lite0"
  @Option(help: "f32 or bf16.") var precision = "bf16"
  @Option(help: "Width and height.") var size = 224
  @Option(help: "Images a batch.") var batch = 32
  @Option(help: "Steps measured, after two that are not.") var steps = 8
  @Option(help: "A folder of JPEG files; by default 400 are made up there.") var folder =
    NSTemporaryDirectory() + "cleannet-bench-classify"
  @Option(help: "A tar file of photos to make them from.") var photos: String?

  func run() throws {
    try common.prepare()
    guard let kind = BackboneKind(rawValue: backbone), let precision = Precision(rawValue: precision) else {
      throw ValidationError("No such network or precision.")
    }
    if !FileManager.default.fileExists(atPath: folder) {
      _ = try BenchPhotos(count: 400, photos: photos).write(to: folder, threads: common.threads)
    }
    let files = ["a", "b"].flatMap { part in
      ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []).sorted()
        .map { "\(folder)/\(part)/\($0)" }
    }
    let images = (0..<((steps + 2) * batch)).map { files[$0 % files.count] }
    let preparation = ImagePreparation(size: size)
    let decoder = ImageDecoder(preparation)
    var recipe = FineTuningRecipe()
    recipe.epochs = 1
    recipe.batchSize = batch
    recipe.precision = precision
    let data = FineTuningData(
      labels: images.map { $0.contains("/a/") ? 0 : 1 }, weights: .equal(images.count), classes: 2,
      validation: [],
      preparation: preparation
    ) { (place, pixels, augmentation, seed) throws(ImageProblem) in
      if let augmentation {
        var random = SplitMix64(seed: seed)
        try decoder.decode(
          .file(images[place]), into: pixels, augmentation: augmentation, using: &random)
      } else {
        try decoder.decode(.file(images[place]), into: pixels)
      }
    }
    let network = ImageClassifier(TrainableBackbone(kind, seed: 0, precision: precision), classes: 2)
    let tuning = FineTuning(network, recipe: recipe, data: data, threads: common.threads)
    let clock = ContinuousClock()
    let processor = ProcessorTime()
    var start = clock.now
    var startProcessor = 0.0
    try tuning.run { step in
      if step == 2 {
        start = clock.now
        startProcessor = processor.seconds
      }
    }
    let elapsed = (clock.now - start) / .seconds(1)
    let count = Double(steps * batch)
    report("classify.\(kind) \(precision.rawValue)", count / elapsed, "images/s")
    report("classify.\(kind) CPU time", 1000 * (processor.seconds - startProcessor) / count, "ms/image")
    report("classify.peak memory", peakMegabytes(), "MB")
  }
}

/// CPU time of this process so far, user and system: what other programs on the machine hardly change.
private struct ProcessorTime {
  var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
