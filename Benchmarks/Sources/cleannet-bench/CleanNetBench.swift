import ArgumentParser
import CleanNet
import Foundation
import Torch

/// The size of the authors' release: 101 classes, K = 32, D = 2048, 32 verified and 32 unverified images per batch.
struct ReleaseSize: ParsableArguments {
  @Option(help: "Classes.") var classes = 101
  @Option(help: "Features' dimension, D.") var dimension = 2048
  @Option(help: "Images per class.") var perClass = 100
  @Option(help: "References per class, K.") var references = 32

  func trainingSet() -> TrainingSet {
    let count = classes * perClass
    var random = SplitMix64(seed: 1)
    let labels = (0..<count).map { $0 % classes }
    let verified = (0..<count).filter { $0 / classes < 20 }.map {
      VerificationLabel(image: $0, isRight: Bool.random(using: &random))
    }
    let features = clusteredFeatures(count: count, dimension: dimension, clusters: classes, seed: 0)
    return TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: classes, verifications: verified)
  }

  func randomReferences() -> ReferenceSets {
    ReferenceSets(
      references: Generator(seed: 2).uniform([classes, references, dimension]),
      mask: .full([classes, references], 1).to(.bool))
  }
}

struct TrainBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Training steps per second, at the release's size.")
  @OptionGroup var common: BenchOptions
  @OptionGroup var size: ReleaseSize
  @Option(help: "Steps that are timed.") var steps = 200
  @Option(help: "paper or extended.") var objective = "paper"

  func run() throws {
    try common.prepare()
    guard let objective = Objective(rawValue: objective) else { throw ValidationError("no such objective") }
    // The extended objective's networks see no more than 512 components.
    var size = size
    if objective == .extended { size.dimension = min(size.dimension, 512) }
    var configuration = Configuration.of(objective, dimension: size.dimension)
    configuration.training.validationInterval = .max
    let trainer = Trainer(
      size.trainingSet(), references: size.randomReferences(), configuration: configuration)
    for _ in 0..<10 { trainer.advance() }
    let time = seconds { for _ in 0..<steps { trainer.advance() } }
    report("train.\(objective.rawValue)", Double(steps) / time, "steps/s")
  }
}

struct ScoreBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score", abstract: "Images scored a second, at the release's size.")
  @OptionGroup var common: BenchOptions
  @OptionGroup var size: ReleaseSize

  func run() throws {
    try common.prepare()
    let configuration = Configuration.paper(dimension: size.dimension)
    let network = Network(configuration.architecture, bfloat16: true, seed: 0)
    let data = size.trainingSet()
    let scorer = Scorer(network, size.randomReferences(), normalization: .logPlusOne)
    let time = seconds { _ = scorer.score(data.features, labels: data.labels) }
    report("score", Double(data.labels.count) / time, "images/s")
  }
}

struct KMeansBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kmeans", abstract: "Reference sets of 101 classes of 1,000 images each.")
  @OptionGroup var common: BenchOptions
  @Option(help: "Classes.") var classes = 101
  @Option(help: "Images per class.") var perClass = 1000
  @Option(help: "Features' dimension, D.") var dimension = 2048
  @Option(help: "Clusters, K.") var clusters = 32
  @Option(help: "Restarts.") var restarts = 10
  @Option(help: "Writes the vectors to this file (.npy, float32), for other programs to cluster.")
  var dump: String?

  func run() throws {
    try common.prepare()
    // Each class has its own clusters, so that there is something to find.
    let pieces = (0..<classes).map {
      clusteredFeatures(count: perClass, dimension: dimension, clusters: 3 * clusters, seed: UInt64($0))
    }
    let features = Tensor.concatenate(pieces)
    if let dump { try write(features, to: dump) }
    let members = (0..<classes).map { Array(($0 * perClass)..<(($0 + 1) * perClass)) }
    var inertia = 0.0
    let time = seconds {
      inertia =
        ReferenceSets.clustering(
          DenseFeatures(features), members: members, normalization: .none,
          kMeans: KMeans(clusters: clusters, restarts: restarts), seed: 0, threads: common.threads
        ).inertia
    }
    report("kmeans", time, "s")
    report("kmeans.inertia", inertia, "")
  }

  private func write(_ features: Tensor, to path: String) throws {
    var header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (\(features.size(0)), \(features.size(1))), }"
    header += String(repeating: " ", count: 127 - 10 - header.utf8.count % 128 & 127) + "\n"
    while (header.utf8.count + 10) % 64 != 0 { header.insert(" ", at: header.index(before: header.endIndex)) }
    var data = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0])
    data += withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { Data($0) }
    data += Data(header.utf8)
    data += features.contiguous().withUnsafeBytes { Data($0) }
    try data.write(to: URL(fileURLWithPath: path))
  }
}
