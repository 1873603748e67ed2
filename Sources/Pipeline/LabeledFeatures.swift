import Artefacts
import CleanNet
import Foundation
import Torch
import Workspace

/// The data that training and scoring read from a workspace: features, labels, verdicts.
///
/// All of one state of the catalogue, if the workspace is a snapshot.
struct LabeledFeatures: Sendable, StageInputs {
  /// By what `status` calls them.
  let digests: [String: String]
  let features: MappedFeatures
  let featureSet: FeatureSet
  /// Per sample its class; −1 for images without features and those of the split `test`.
  let labels: [Int]
  let classNames: [String]
  let verdicts: [Int: Bool]
  /// Of images that were drawn at random: what bounds on other images may follow from. "Not sure" counts as wrong.
  let randomVerdicts: [Int: Bool]
  /// How many of those are "not sure".
  let randomUnsure: Int
  /// How often whoever gave each verdict is mistaken, by sample.
  let slipRates: [Int: Double]
  /// The probabilities by other models.
  private(set) var given: [GivenEvidence] = []

  /// - Parameter objective: That of a training, which may follow from less; nil: all counts.
  init(_ workspace: Workspace, for objective: Objective? = nil) throws {
    // Several reads: from here on all of one state.
    let workspace = try workspace.snapshot()
    featureSet = try Self.currentFeatures(workspace)
    digests = try StageContent(workspace).digests(for: objective)
    features = MappedFeatures(try workspace.featureMatrix(featureSet))
    classNames = try workspace.classNames()
    var labels = try workspace.trainLabels()
    for image in Self.withoutFeatures(features) { labels[image] = -1 }
    self.labels = labels
    verdicts = Dictionary(
      uniqueKeysWithValues: try workspace.verifications().filter { labels[$0.sample] >= 0 }.map {
        ($0.sample, $0.isRight)
      })
    slipRates = try workspace.slipRates()
    let drawn = try workspace.randomSampleAnswers().filter { labels[$0.sample] >= 0 }
    randomVerdicts = Dictionary(uniqueKeysWithValues: drawn.map { ($0.sample, $0.isKnownRight) })
    randomUnsure = drawn.count { !$0.isSure }
    guard Set(labels.lazy.filter { $0 >= 0 }).count >= 2 else {
      let unreachable = try workspace.rowCounts(of: featureSet)[.unreachable, default: 0]
      throw PipelineError(
        .badInput, "Fewer than two classes have images with features",
        remedy: unreachable > 0
          ? "\(unreachable) images could not be reached: mount the drive, or give their new place (cleannet relocate "
            + "OLD NEW), then: cleannet embed"
          : "Import more classes, and see `cleannet status --problems` for images that could not be read")
    }
  }

  var trainingSet: TrainingSet {
    TrainingSet(
      sound: features, labels: labels, classes: classNames.count,
      verifications: VerificationLabel.list(verdicts, slipRates: slipRates),
      evidence: given.map(\.probabilities))
  }

  /// With what other models say, from files.
  func with(evidence files: [String], of workspace: Workspace) throws -> LabeledFeatures {
    var data = self
    data.given = try files.map { try GivenEvidence($0, of: workspace) }
    return data
  }

  /// The features that were imported, or made last.
  static func currentFeatures(_ workspace: Workspace) throws -> FeatureSet {
    if let imported = try workspace.featureSet(key: FeatureSet.imported) { return imported }
    guard let run = try workspace.finishedRun(stage: "embed"),
      let set = try workspace.featureSet(key: run.key)
    else {
      throw PipelineError(
        .missingInput, "The workspace \(workspace.path) has no features yet", remedy: "Run: cleannet embed")
    }
    return set
  }

  /// Images whose row is not a vector of numbers: images that could not be read.
  private static func withoutFeatures(_ features: MappedFeatures) -> [Int] {
    let chunk = 4096
    return stride(from: 0, to: features.count, by: chunk).flatMap { start -> [Int] in
      let rows = features.rows(start..<min(start + chunk, features.count))
      // A sum is finite only if all its terms are; features are far from float32's limits.
      return rows.sum(dim: 1).floats().enumerated().filter { !$0.element.isFinite }.map { start + $0.offset }
    }
  }
}

extension VerificationLabel {
  /// Verdicts by image, with how often whoever gave them is mistaken.
  static func list(_ verdicts: [Int: Bool], slipRates: [Int: Double]) -> [VerificationLabel] {
    verdicts.sorted { $0.key < $1.key }.map {
      VerificationLabel(image: $0.key, isRight: $0.value, slipRate: slipRates[$0.key] ?? 0)
    }
  }
}
