import Artefacts
import Classifier
import CleanNet
import Foundation
import Images
import Workspace

/// Each image's class according to networks that were not trained on it: the images are divided into two halves, a
/// network is trained on each, and predicts the classes of the other half's images.
///
/// Features of a network that was trained on an image and its label show the label rather than the image. Two networks'
/// features cannot be compared, but their probabilities can, so these are what CleanNet weighs beside other evidence
/// (`train --evidence`).
struct OutOfFoldStage: Sendable {
  /// The training of each network; its weights are the halves' images'.
  var classifier: ClassifyTrainStage

  static let folds = 2
  static let name = "classify-out-of-fold"
  private static let leaf = "probabilities.npy"

  struct Outcome: Sendable, Codable {
    /// `[N, C]`: probabilities of all classes, a row for each sample. Rows of images that cannot be read are NaN.
    var file: String
    /// The keys of the networks that said so.
    var classifiers: [String]
    /// Images that could not be read.
    var problems: Int
  }

  func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let folds = try Self.folds(of: workspace)
    let networks = try (0..<Self.folds).map { fold in
      var stage = classifier
      stage.runName = "classify-fold-\(fold)"
      stage.leftOut = Set(folds.indices.filter { folds[$0] == fold })
      return try stage.run(workspace, progress: progress)
    }
    let declaration = Declaration(networks: networks.map(\.classifier))
    return try StageRunner(workspace).run(declaration) { inputs, _, key in
      let folder = workspace.modelFolder(key: key)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var writer = try PredictionWriter(networks.map(\.file), inputs.snapshot, in: folder)
      writer.threads = classifier.threads
      writer.device = classifier.device
      return Outcome(
        file: "\(folder)/\(Self.leaf)", classifiers: networks.map(\.classifier),
        problems: try writer.write(folds, to: "\(folder)/\(Self.leaf)", progress: progress))
    }.outcome
  }

  /// The fold of each sample, by what its features are, so that copies of an image are in one; -1 where it has no label
  /// or no features.
  private static func folds(of workspace: Workspace) throws -> [Int] {
    let data = try LabeledFeatures(try workspace.snapshot())
    let images = data.labels.indices.filter { data.labels[$0] >= 0 }
    var folds = [Int](repeating: -1, count: data.labels.count)
    for (image, identity) in zip(images, FeatureSpace.identities(data.features, images: images)) {
      folds[image] = FeatureSpace.fold(of: identity, folds: Self.folds)
    }
    return folds
  }

  private struct Inputs: StageInputs {
    let snapshot: Workspace
    let digests: [String: String]
  }

  private struct Declaration: Stage {
    typealias Outcome = OutOfFoldStage.Outcome
    let networks: [String]

    var name: String { OutOfFoldStage.name }

    func inputs(_ snapshot: Workspace) throws -> Inputs {
      Inputs(
        snapshot: snapshot,
        digests: [
          InputName.images: try snapshot.fingerprint(of: .images),
          InputName.model: networks.joined(separator: " "),
        ])
    }

    func settings(_ inputs: Inputs) throws -> [String] { [] }

    func files(key: String) -> [String] { ["models/\(key)/\(OutOfFoldStage.leaf)"] }
  }
}

/// Writes what each network says about its own half, in the order of the samples.
private struct PredictionWriter {
  private let classifiers: [ClassifierFile]
  private let snapshot: Workspace
  private let folder: String
  var threads = 2
  var device = DeviceChoice.auto

  init(_ files: [String], _ snapshot: Workspace, in folder: String) throws {
    classifiers = try files.map { try ClassifierFile(path: $0) }
    self.snapshot = snapshot
    self.folder = folder
  }

  /// - Returns: How many images could not be read.
  func write(_ folds: [Int], to path: String, progress: some ProgressReporter) throws -> Int {
    let classes = try snapshot.classNames().count
    var problems = 0
    var parts: [String] = []
    defer { for part in parts { unlink(part) } }
    progress.begin(
      "Out-of-fold predictions", total: folds.count { $0 >= 0 }, unit: "images")
    var done = 0
    for (fold, classifier) in classifiers.enumerated() {
      let samples = folds.indices.filter { folds[$0] == fold }
      let part = "\(folder)/part-\(fold).npy"
      parts.append(part)
      let output = try NpyOutput(path: part)
      problems += try predict(samples, classifier, classes: classes, to: output) {
        done += $0
        progress.update(done)
      }
      try output.finish(dimension: classes)
    }
    progress.end(problems == 0 ? nil : "\(problems) images cannot be read")
    try merge(try parts.map { try NpyMatrix(path: $0) }, folds, classes: classes, to: path)
    return problems
  }

  /// Appends a row for each of the samples.
  private func predict(
    _ samples: [Int], _ classifier: ClassifierFile, classes: Int, to output: NpyOutput,
    done: (Int) -> Void
  ) throws -> Int {
    guard !samples.isEmpty else { return 0 }
    guard let preparation = classifier.about.preparation else {
      preconditionFailure("a network that was trained on images says how they are prepared")
    }
    let network = try classifier.network(on: device)
    let images = try SampleImages(snapshot, samples: samples)
    let missing = [Float](repeating: .nan, count: classes)
    var problems = 0
    try network.forEachBatch(
      images.loader(preparation, threads: threads), batches: (samples.count + 31) / 32, threads: threads
    ) { answer in
      let values = answer.logits?.softmax(dim: 1).floats() ?? []
      var rows = Dictionary(
        uniqueKeysWithValues: answer.images.enumerated().map { place, image in
          (image, Array(values[place * classes..<(place + 1) * classes]))
        })
      for (image, _) in answer.problems { rows[image] = missing }
      for (_, row) in rows.sorted(by: { $0.key < $1.key }) {
        try row.withUnsafeBufferPointer { try output.append($0) }
      }
      problems += answer.problems.count
      done(rows.count)
    }
    return problems
  }

  /// One file in the order of the samples; rows of samples that are in no fold are NaN.
  private func merge(_ parts: [NpyMatrix], _ folds: [Int], classes: Int, to path: String) throws {
    let output = try NpyOutput(path: path)
    var next = parts.map { _ in 0 }
    var row = [Float](repeating: .nan, count: classes)
    let missing = row
    for fold in folds {
      if fold >= 0 {
        row.withUnsafeMutableBufferPointer { row in
          if let base = row.baseAddress { parts[fold].copyRows(next[fold]..<next[fold] + 1, into: base) }
        }
        next[fold] += 1
      }
      try (fold >= 0 ? row : missing).withUnsafeBufferPointer { try output.append($0) }
    }
    try output.finish(dimension: classes)
  }
}
