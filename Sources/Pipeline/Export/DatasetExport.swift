import Datasets
import Foundation
import Workspace

/// The cleaned data set, for training programs: the wrong labels dropped, replaced, or kept with a weight.
package struct DatasetExport: Sendable {
  /// The treatment of images whose label is wrong: as a person said, else as scoring found.
  package enum Wrong: String, Sendable, CaseIterable {
    /// They are left out.
    case drop
    /// They get the label that a person says is right, else the one that fits best, and are left out where none fits
    /// better.
    case relabel
    /// They stay as they are.
    case keep
  }

  /// One of `DatasetReader.writableFormats`, or `source`: the format in which the data set was imported.
  package var format: String
  package var wrong = Wrong.drop
  package var images = ImageTransfer.symlink
  /// Adds a column `weight`, in formats that have columns.
  package var weights: WeightKind?
  /// Images in a shard of WebDataset.
  package var shardSize = 5000
  /// The images to leave out among equal-looking ones.
  package var without: Set<Without> = []
  /// The groups of images that show the same, by number; only for `without`.
  package var copies: [[Int]] = []

  package static let sourceFormat = "source"
  /// The column that holds the label as it was, of relabelled images.
  package static let givenLabel = "given_label"
  package static let weight = "weight"
  /// Formats that hold further columns.
  private static let withColumns: Set<String> = [
    Manifest.name, URLList.name, HuggingFaceFolder.name, WebDataset.name, Parquet.name,
  ]

  package init(format: String) { self.format = format }

  package struct Outcome: Sendable, Codable {
    package var format: String
    package var written: Int
    package var dropped: Int
    package var relabelled: Int
    /// Images whose label is neither verified nor scored; they are kept.
    package var unknown: Int
    /// Images left out since another shows the same; they are among the dropped.
    package var copies = 0
    package var notices: [String]
  }

  /// Writes the data set. Images of the split `test` are written as they are.
  ///
  /// - Throws: `DatasetProblems` naming every image that could not be written; then nothing is left.
  package func write(_ workspace: Workspace, to path: String, progress: (Int) -> Void = { _ in }) throws
    -> Outcome
  {
    let format = try resolvedFormat(workspace)
    if weights != nil, !Self.withColumns.contains(format) {
      throw PipelineError(
        .badInput, "The format \(format) cannot store weights",
        remedy: "Export them as an array (--format npy), or the data set as "
          + Self.withColumns.sorted().joined(separator: ", "))
    }
    try workspace.refuseChangedContainers()
    let knownLabels = try KnownLabels(workspace, needsScores: wrong != .keep || weights != nil)
    let names = knownLabels.classNames
    var output = DatasetOutput(
      path: path, classNames: names,
      splits: try workspace.status().splits.filter { $0.samples > 0 }.map(\.name))
    output.attributeNames = try workspace.attributeNames()
    for (name, isWanted) in [(Self.givenLabel, wrong == .relabel), (Self.weight, weights != nil)]
    where isWanted && !output.attributeNames.contains(name) {
      output.attributeNames.append(name)
    }
    output.images = images
    output.shardSize = shardSize
    let writer = try DatasetReader.writer(format: format, output)
    let features = format == CleanNetTable.name ? try FeatureRows(workspace) : nil
    let decided = Set(try workspace.copies().keys)
    let undecided = copies.map { $0.filter { !decided.contains($0) } }.filter { $0.count > 1 }
    let gone = try CopyChoice.leftOut(undecided, without, workspace, knownLabels).union(decided)
    var outcome = Outcome(format: format, written: 0, dropped: 0, relabelled: 0, unknown: 0, notices: [])
    var seen = 0
    try workspace.forEachSample { stored in
      seen += 1
      if seen % 1024 == 0 { progress(seen) }
      // Test data are written as they are, but for leaks.
      if gone.contains(stored.id), stored.split != "test" || !decided.contains(stored.id) {
        outcome.copies += 1
        outcome.dropped += 1
        return
      }
      let known = knownLabels[stored]
      guard let sample = cleaned(stored, known, knownLabels, &outcome) else { return }
      if let features, let table = writer as? CleanNetTableWriter {
        guard let row = features.row(stored.id) else {
          outcome.dropped += 1
          return
        }
        try table.add(sample, features: row)
      } else {
        try writer.add(sample)
      }
      outcome.written += 1
    }
    outcome.written -= writer.leftOut
    outcome.dropped += writer.leftOut
    outcome.notices = try writer.finish()
    progress(seen)
    return outcome
  }

  /// The sample as it is written; nil if it is left out.
  private func cleaned(
    _ stored: StoredSample, _ known: KnownLabel, _ knownLabels: KnownLabels,
    _ outcome: inout Outcome
  ) -> Sample? {
    let names = knownLabels.classNames
    var sample = Sample(
      key: stored.key, path: stored.path, location: stored.location, label: names[stored.label],
      split: stored.split, verification: knownLabels.verdict(stored),
      attributes: stored.attributes)
    var isRelabelled = false
    if stored.split != "test" {
      if known.isWrong == nil { outcome.unknown += 1 }
      if known.isLeftOut {
        outcome.dropped += 1
        return nil
      }
      if known.isWrong == true, wrong != .keep {
        guard wrong == .relabel, let suggestion = known.suggestion else {
          outcome.dropped += 1
          return nil
        }
        // A person's verdict on the old label says nothing about the new one, unless it is the person's own.
        sample.verification = knownLabels.isCorrected(stored) ? true : nil
        sample.set(Self.givenLabel, sample.label)
        sample.label = names[suggestion]
        isRelabelled = true
        outcome.relabelled += 1
      }
    }
    if let weights {
      // A label that was replaced was not judged; it weighs as one that is right.
      let weight = isRelabelled ? 1 : WeightExport.weight(weights, stored, known)
      sample.set(Self.weight, String(format: "%.6g", weight))
    }
    return sample
  }

  private func resolvedFormat(_ workspace: Workspace) throws -> String {
    guard format == Self.sourceFormat else { return format }
    let formats = Set(try workspace.sources().map(\.format))
    guard let only = formats.first, formats.count == 1 else {
      throw PipelineError(
        .badInput,
        "The workspace holds data sets of several formats: \(formats.sorted().joined(separator: ", "))",
        remedy: "Name one of them with --format")
    }
    return only
  }
}

extension Sample {
  /// Sets an attribute, replacing one of that name.
  fileprivate mutating func set(_ name: String, _ value: String) {
    attributes.removeAll { $0.name == name }
    attributes.append(SampleAttribute(name: name, value: value))
  }
}

/// Features one row at a time.
private struct FeatureRows {
  private let matrix: FeatureMatrix

  init(_ workspace: Workspace) throws {
    matrix = try workspace.featureMatrix(LabeledFeatures.currentFeatures(workspace))
  }

  /// Nil for an image without features.
  func row(_ sample: Int) -> [Float]? {
    var row = [Float](repeating: 0, count: matrix.dimension)
    row.withUnsafeMutableBufferPointer { matrix.copyRows(sample..<(sample + 1), into: $0) }
    return row.contains { !$0.isFinite } ? nil : row
  }
}
