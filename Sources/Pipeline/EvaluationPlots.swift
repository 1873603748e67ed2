import CleanNet
import Evaluation
import Foundation

/// The curves of several detectors on the parts of the images, to be drawn.
struct DetectionCurves {
  private var rankings: [JudgedPart: [(name: String, ranking: Ranking)]] = [:]

  mutating func add(_ detector: String, _ part: JudgedPart, _ ranking: Ranking) {
    rankings[part, default: []].append((detector, ranking))
  }

  /// `roc-held-out.svg`, `precision-recall-held-out.svg` and the same for verified classes.
  func write(to folder: String) throws {
    let folder = try PlotFolder(folder)
    for (part, rankings) in rankings {
      let name = part == .heldOut ? "held-out" : "verified"
      let classes = part == .heldOut ? "classes that nobody verified" : "verified classes"
      try folder.write(.roc(rankings, title: "ROC, \(classes)"), as: "roc-\(name)")
      try folder.write(
        .precisionRecall(rankings, title: "Precision and recall, \(classes)"), as: "precision-recall-\(name)")
    }
  }
}

/// How the error falls as more is verified: for each label column a plot over the number of verified classes, and one
/// over the images verified of each. Held-out classes where there are some.
struct ErrorCurves {
  private let summaries: [ExperimentSummary]

  init(_ summaries: [ExperimentSummary]) {
    let heldOut = summaries.filter { $0.part == .heldOut }
    self.summaries = heldOut.isEmpty ? summaries : heldOut
  }

  func write(to folder: String) throws {
    let folder = try PlotFolder(folder)
    for (labels, rows) in Dictionary(grouping: summaries, by: \.labels) {
      try write(
        rows, over: \.verifiedClasses, named: "verified classes", apart: \.perClass,
        "images verified of each", as: "error-\(labels)-by-classes", to: folder)
      try write(
        rows, over: \.perClass, named: "images verified of each class", apart: \.verifiedClasses,
        "classes verified", as: "error-\(labels)-by-images", to: folder)
    }
  }

  /// A plot over `x`, at the largest value of the settings that are kept apart; nothing where `x` does not vary.
  private func write(
    _ rows: [ExperimentSummary], over x: KeyPath<ExperimentSummary, Int>, named xLabel: String,
    apart: KeyPath<ExperimentSummary, Int>, _ apartLabel: String, as file: String, to folder: PlotFolder
  ) throws {
    guard let fixed = rows.map({ $0[keyPath: apart] }).max() else { return }
    let shown = rows.filter { $0[keyPath: apart] == fixed }.sorted { $0[keyPath: x] < $1[keyPath: x] }
    guard Set(shown.map { $0[keyPath: x] }).count > 1 else { return }
    var order: [String] = []
    for row in rows where !order.contains(row.detector) { order.append(row.detector) }
    let series = order.map { name in
      (
        name: name,
        errors: shown.filter { $0.detector == name }.compactMap { row in
          row.averageErrorRate.map { (verified: Double(row[keyPath: x]), error: $0) }
        }
      )
    }
    try folder.write(
      .error(series, over: xLabel, title: "Average error rate, \(fixed) \(apartLabel)"), as: file)
  }
}

/// A folder for plots, made where it is missing.
private struct PlotFolder {
  let url: URL

  init(_ path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw PipelineError(
        .badInput, "The folder \(path) cannot be made: \(error.localizedDescription)",
        remedy: "Name another folder with --plots")
    }
  }

  func write(_ plot: LinePlot, as name: String) throws {
    let safe = name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : "-" }
    let file = url.appendingPathComponent("\(String(safe)).svg")
    try Data(plot.svg().utf8).write(to: file, options: .atomic)
  }
}
