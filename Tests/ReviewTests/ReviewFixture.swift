import Datasets
import Foundation
import Images
import Pipeline
import Report
import Review
import Testing
import Torch
import Workspace

/// Real images for the tests: some of Fashion-MNIST as JPEG files, every fourth with a wrong label, in a workspace with
/// features (the pixels, 14×14).
final class ReviewFixture: Sendable {
  static let classes = ["Trouser", "Sneaker", "Bag"]
  private static let numbers: [UInt8: Int] = [1: 0, 7: 1, 8: 2]

  /// Read once for all tests.
  private static let source = Result {
    let path = "\(DemoDataset.folder)/t10k-"
    return (
      images: try IDXFile(path: path + "images-idx3-ubyte.gz"),
      labels: try IDXFile(path: path + "labels-idx1-ubyte.gz")
    )
  }

  let folder: URL
  let workspace: Workspace
  /// By sample, the class that is really shown.
  let truth: [Int]

  private let names: [String]

  /// - Parameters:
  ///   - count: How many images.
  ///   - naming: Gives classes other names.
  init(count: Int = 180, naming: (String) -> String = { $0 }) throws {
    names = Self.classes.map(naming)
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("review-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let (images, labels) = try Self.source.get()
    let size = images.shape[1] * images.shape[2]
    let chosen = labels.bytes.indices.lazy
      .compactMap { index in Self.numbers[labels.bytes[index]].map { (index, $0) } }.prefix(count)
    var manifest = "path,label\n"
    var truth = [Int]()
    let features = try NpyOutput(path: folder.appendingPathComponent("features.npy").path)
    for (number, (index, label)) in chosen.enumerated() {
      let pixels = images.bytes[(index * size)..<((index + 1) * size)]
      let jpeg = try thumbnailJPEG(
        .pixels(RawPixels(width: 28, height: 28, bands: 1, bytes: pixels)), maximumSide: 28, quality: 95)
      try Data(jpeg).write(to: folder.appendingPathComponent("\(number).jpg"))
      let given = number % 4 == 0 ? (label + 1) % 3 : label
      manifest += "\(number).jpg,\(names[given])\n"
      truth.append(label)
      try Self.reduced(Array(pixels)).withUnsafeBufferPointer { try features.append($0) }
    }
    try features.finish(dimension: 196)
    self.truth = truth
    let table = folder.appendingPathComponent("images.csv").path
    try Data(manifest.utf8).write(to: URL(fileURLWithPath: table))
    workspace = try Self.imported(
      table, features: folder.appendingPathComponent("features.npy").path, in: folder)
  }

  /// A workspace with one class of many images, which are a few files under many names.
  init(large count: Int) throws {
    let small = try ReviewFixture(count: 12)
    names = Self.classes
    folder = small.folder.deletingLastPathComponent().appendingPathComponent("review-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: small.folder, to: folder)
    try FileManager.default.removeItem(at: folder.appendingPathComponent("w"))
    let rows = (0..<count).map { "k\($0),\($0 % 12).jpg,Bag\n" }
    let table = folder.appendingPathComponent("many.csv").path
    try Data(("key,path,label\n" + rows.joined()).utf8).write(to: URL(fileURLWithPath: table))
    truth = []
    workspace = try Self.imported(table, features: nil, in: folder)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The same table in a new workspace under the same path.
  func importAgain() throws -> Workspace {
    try Self.imported(
      folder.appendingPathComponent("images.csv").path,
      features: folder.appendingPathComponent("features.npy").path, in: folder)
  }

  /// Scores without training: labels are right with the probability that `chance` says.
  func score(_ chance: (Int) throws -> Float) throws {
    let count = try workspace.sampleCount()
    let labels = try workspace.labels()
    let key = "by hand \(UUID().uuidString)"
    let writer = try workspace.scoreWriter(key: key, count: count)
    for sample in 0..<count {
      let probability = try chance(sample)
      let truth = Int32(try label(self.truth[sample]))
      try writer.append(
        ScoreRow(
          cosine: probability, probability: probability, threshold: 0.5,
          verdict: probability < 0.5 ? .wrong : .right, softWeight: probability, hardWeight: 1,
          suggestedLabel: probability < 0.6 && truth == labels[sample] ? (truth + 1) % 3 : truth,
          suggestedCosine: 0.9))
    }
    try writer.finish()
    let run = try workspace.beginRun(stage: "score", key: key)
    try workspace.finishRun(run, .done)
  }

  private static func imported(_ table: String, features: String?, in folder: URL) throws -> Workspace {
    let workspace = try Workspace(path: folder.appendingPathComponent("w").path, create: true)
    let options = DatasetOptions()
    _ = try workspace.importSamples(
      from: try DatasetReader.open(source: table, options: options), source: try DatasetSource(path: table),
      options: options, features: try features.map { try NpyMatrix(path: $0) }, progress: { _ in })
    return workspace
  }

  /// Every second pixel of every second row, from 0 to 1.
  private static func reduced(_ pixels: [UInt8]) -> [Float] {
    stride(from: 0, to: 28, by: 2).flatMap { row in
      stride(from: 0, to: 28, by: 2).map { Float(pixels[row * 28 + $0]) / 255 }
    }
  }

  /// Whether the sample's label is right.
  func isRight(_ sample: Int) throws -> Bool { try workspace.labels()[sample] == label(truth[sample]) }

  /// The number of a class in the workspace.
  func label(_ index: Int) throws -> Int {
    try #require(try workspace.classNames().firstIndex(of: names[index]))
  }

  func server(_ change: (inout ReviewConfiguration) -> Void = { _ in }) throws -> ReviewServer {
    var configuration = ReviewConfiguration()
    change(&configuration)
    return try ReviewServer(
      workspace, backend: ShortTraining(workspace: workspace), configuration: configuration)
  }
}

/// The real stages, with few steps.
struct ShortTraining: ReviewBackend {
  let workspace: Workspace
  private let live: LiveJudge

  init(workspace: Workspace) {
    self.workspace = workspace
    live = LiveJudge(workspace)
  }

  func features() throws -> (any FeatureSource)? { try workspace.mappedFeatures() }

  func retrain(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws {
    report(RetrainingStep(name: "Training", done: 0, total: nil))
    var train = TrainStage()
    train.steps = 30
    train.references = 8
    _ = try train.run(workspace, progress: SilentProgress())
    report(RetrainingStep(name: "Scoring", done: 0, total: nil))
    _ = try ScoreStage().run(workspace, progress: SilentProgress())
  }

  func judge() throws -> [ScoreRow]? { try live.judge() }

  func places(_ samples: [Int], _ report: @escaping @Sendable (RetrainingStep) -> Void) throws
    -> [MapPoint]?
  {
    guard let features = try workspace.mappedFeatures(),
      let found = ImagePlaces(
        features, among: samples,
        progress: { report(RetrainingStep(name: "Map", done: $0, total: ImagePlaces.steps)) })
    else { return nil }
    return zip(found.ids, found.places).map { MapPoint(sample: $0, x: $1[0], y: $1[1]) }
  }

  func copies(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws -> [[Int]] {
    try ImageCopies().groups(workspace, features: try workspace.mappedFeatures())
  }

  func keepScores() throws { _ = try ScoreStage().run(workspace, progress: SilentProgress()) }
}
