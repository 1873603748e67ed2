import ArgumentParser
import Artefacts
import Foundation
import Pipeline
import Report
import Torch
import Workspace

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Write a page that shows the faults of the data set.",
    discussion: """
      Writes one HTML file that opens in any browser without a network. It shows how noisy the labels are, class by \
      class, and the most suspicious images beside their nearest references. It shows confused classes, the effect of \
      other thresholds, duplicates (also across splits), unreadable and odd images, and a map of the features. Beside \
      it lie report.json with every number of the page, and suspicious.csv and duplicates.csv with all images. For \
      large data sets the page shows samples, and says so.

        cleannet report
        cleannet report --out before/ && … && cleannet report --compare before/
      """)

  @Option(help: "The report's folder (default: report in the workspace).", completion: .directory)
  var out: String?
  @Option(help: "The column with the true labels, to measure how good the judgements are.")
  var truth: String?
  @Option(
    help: "Another workspace, or an earlier report's folder, to compare with.", completion: .directory)
  var compare: String?
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    memory.apply()
    try compute.prepareEngine()
    let store = try workspace.open()
    // The page that `run` made and knows by its digests is no more.
    if out == nil { try store.forget(ReportStage.folder) }
    let outcome = try Self.write(
      store, to: out, truth: truth, comparison: compare, compute: compute,
      progress: workspace.output.progress)
    if workspace.output.json {
      print(String(decoding: try outcome.data.json(), as: UTF8.self))
    } else {
      print(outcome.text)
    }
  }

  /// Makes the report of a workspace in its own folder, unless the one that is there was made of the same.
  static func writeIfOutdated(
    _ store: Workspace, truth: String? = nil, compute: ComputeOptions, progress: ConsoleProgress
  ) throws {
    let stage = ReportStage(truth: truth, seed: compute.seed)
    // `report` leaves pages of its own there, and forgets this one.
    let isThere = try store.notedFiles().contains { $0.hasPrefix("\(ReportStage.folder)/") }
    _ = try StageRunner(store).run(stage, again: !isThere) { inputs, _, _ in
      try store.forget(ReportStage.folder)
      let outcome = try write(
        inputs.snapshot, to: "\(store.path)/\(ReportStage.folder)", truth: truth, compute: compute,
        progress: progress)
      return ReportStage.Outcome(bytes: outcome.bytes)
    }
  }

  static func write(
    _ store: Workspace, to folder: String? = nil, truth: String? = nil, comparison: String? = nil,
    compute: ComputeOptions, progress: ConsoleProgress
  ) throws -> Report.Outcome {
    let features = try StageProducts.features(store)
    let inputs = ReportInputs(
      features: features?.source, featuresAbout: features?.about ?? [:],
      model: try StageProducts.model(store), isStale: try StageProducts.scoresAreStale(store),
      truth: try truth.map { try StageProducts.truth(store, column: $0) }, truthName: truth)
    var report = Report()
    report.threads = compute.threads
    report.seed = compute.seed
    report.comparison = comparison
    let page = folder ?? "\(store.path)/\(ReportStage.folder)"
    return try report.write(store, inputs: inputs, to: page) { event in
      switch event {
      case .began(let stage, let total, let unit): progress.begin(stage, total: total, unit: unit)
      case .reached(let done): progress.update(done)
      case .ended(let note): progress.end(note)
      }
    }
  }
}

/// The report in the workspace's own folder.
private struct ReportStage: Stage {
  static let folder = "report"

  struct Inputs: StageInputs {
    let snapshot: Workspace
    let digests: [String: String]
  }

  struct Settings: Codable {
    var truth: String?
    var seed: UInt64
  }

  struct Outcome: Codable {
    /// The page's size.
    var bytes: Int
  }

  let name = "report"
  let truth: String?
  let seed: UInt64

  func inputs(_ snapshot: Workspace) throws -> Inputs {
    // The page tells of everything that was done.
    let runs = try snapshot.runs().filter { $0.outcome == .done && $0.stage != name }
    let keys = Set(runs.map { "\($0.stage) \($0.key)" }).sorted()
    return Inputs(
      snapshot: snapshot,
      digests: [
        InputName.images: try snapshot.fingerprint(of: .images),
        InputName.labels: try snapshot.fingerprint(of: .labels),
        InputName.verdicts: try snapshot.fingerprint(of: .verifications),
        InputName.scores: try snapshot.finishedRun(stage: "score")?.key ?? "",
        InputName.history: StableHash.of(keys.joined(separator: "\n")),
      ])
  }

  func settings(_ inputs: Inputs) -> Settings { Settings(truth: truth, seed: seed) }

  func files(key: String) -> [String] { [Self.folder] }
}

extension Report.Outcome {
  var text: String {
    let summary = data.summary
    let noise = summary.estimatedNoise.map { ", estimated noise \($0.percent)" } ?? ""
    return
      "\(summary.images) images, \(summary.calledWrong) labels called wrong\(noise).\nThe report: \(page)"
  }
}
