import CleanNet
import Detectors
import Evaluation
import Foundation
import Torch
import Workspace

/// Compares detectors on simulated verification labels; see ``Experiment``. The workspace's own verdicts are not looked
/// at, and nothing is written to it.
package struct ExperimentStage: Sendable {
  /// The attribute that holds the true labels.
  package var truth: String
  package var detectors: [String]
  /// Which classes are verified.
  package enum VerifiedClasses: Sendable {
    /// So many, drawn anew by each seed.
    case count(Int)
    /// The classes that are not held out: this share of all, drawn anew by each seed.
    case heldOut(Double)
    case named([String])
  }
  package var verifiedClasses: [VerifiedClasses] = [.heldOut(0.5)]
  package var perClass = [100]
  package var seeds: Range<UInt64> = 0..<1
  /// Columns of noisy labels; empty: the labels as they were imported.
  package var labelColumns: [String] = []
  package var threads = 2
  /// Writes each row to this file as it comes (CSV, TSV or JSON lines).
  package var rowsFile: String?
  /// Writes plots of the error over verified classes and images to this folder, as SVG.
  package var plotsFolder: String?

  package init(truth: String, detectors: [String]) {
    self.truth = truth
    self.detectors = detectors
  }

  package struct Outcome: Sendable, Encodable {
    package var truth: String
    package var seeds: Int
    package var summaries: [ExperimentSummary]
    package var rows: [ExperimentRow]
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let data = try LabeledFeatures(workspace)
    let chosen = try detectors.map(EvaluateStage.detector)
    let draws = try verifiedClasses.flatMap { classes in
      try perClass.map { VerificationDraw(classes: try resolve(classes, data), perClass: $0) }
    }
    let columns = try columns(workspace, data)
    let experiment = Experiment(
      features: data.features, classes: data.classNames.count, draws: draws, seeds: seeds, detectors: chosen,
      threads: threads)
    let table = try rowsFile.map { try TableOutput($0, columns: Self.rowColumns, grows: true) }
    var rows: [ExperimentRow] = []
    progress.begin("Experiment", total: 1000, unit: "‰")
    try experiment.run(columns) { found, share in
      rows += found
      for row in found { try table?.write(Self.cells(row)) }
      progress.update(Int(share * 1000))
    }
    try table?.finish()
    progress.end("\(rows.count) rows")
    let summaries = ExperimentSummary.of(rows)
    if let plotsFolder { try ErrorCurves(summaries).write(to: plotsFolder) }
    return Outcome(truth: truth, seeds: seeds.count, summaries: summaries, rows: rows)
  }

  private func resolve(_ classes: VerifiedClasses, _ data: LabeledFeatures) throws -> VerificationDraw.Classes
  {
    let present = Set(data.labels.lazy.filter { $0 >= 0 }).count
    func checked(_ count: Int) throws -> VerificationDraw.Classes {
      guard (1...present).contains(count) else {
        throw PipelineError(
          .badInput, "\(count) of \(present) classes cannot be verified", remedy: "Choose 1 to \(present)")
      }
      return .count(count)
    }
    switch classes {
    case .count(let count): return try checked(count)
    case .heldOut(let share): return try checked(present - Int((share * Double(present)).rounded()))
    case .named(let names): return .fixed(try VerificationStages.numbers(names, in: data.classNames).sorted())
    }
  }

  private func columns(_ workspace: Workspace, _ data: LabeledFeatures) throws -> [Experiment.Column] {
    let truths = try workspace.attribute(truth)
    let numbers = Dictionary(uniqueKeysWithValues: data.classNames.enumerated().map { ($1, $0) })
    func column(_ name: String, _ labels: [Int]) -> Experiment.Column {
      let isRight = labels.indices.map { image -> Bool? in
        guard labels[image] >= 0, let truth = truths[image], !truth.isEmpty else { return nil }
        return truth == data.classNames[labels[image]]
      }
      return Experiment.Column(name: name, labels: labels, truth: isRight)
    }
    guard !labelColumns.isEmpty else { return [column(Self.importedLabels, data.labels)] }
    return try labelColumns.map { name in
      if name == Self.importedLabels { return column(name, data.labels) }
      let values = try TruthColumn.values(workspace, named: name)
      let labels = try values.enumerated().map { image, value -> Int in
        guard data.labels[image] >= 0, let value, !value.isEmpty else { return -1 }
        guard let number = numbers[value] else {
          throw PipelineError(
            .badInput, "The column \"\(name)\" holds \"\(value)\", which is not a class",
            remedy:
              "Name a column whose values are classes: \(data.classNames.prefix(20).joined(separator: ", "))")
        }
        return number
      }
      return column(name, labels)
    }
  }

  /// The name of the labels as they were imported.
  package static let importedLabels = "label"

  private static let rowColumns =
    ["labels", "verified_classes", "per_class", "seed", "detector", "part"] + DetectionMetrics.columns + [
      "threshold", "seconds", "peak_memory", "noise_bound", "noise_kept",
    ]

  private static func cells(_ row: ExperimentRow) -> [TableOutput.Cell] {
    let setting: [TableOutput.Cell] = [
      .text(row.labels), .integer(row.verifiedClasses), .integer(row.perClass), .number("\(row.seed)"),
      .text(row.detector), .text(row.part.rawValue),
    ]
    return setting + row.metrics.cells + [
      .float(row.threshold), .float(row.seconds), .integer(row.peakMemory), .float(row.guarantee?.upper),
      .float(row.guarantee?.actual),
    ]
  }
}
