import ArgumentParser
import Evaluation
import Foundation
import Pipeline

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Compare detectors, given the true labels.",
    discussion: """
      Verified images are used to fit detectors and to choose thresholds, and are left out of the results. Classes \
      without verified images (held-out classes) have a table of their own. The average error rate is the share of misjudged labels, averaged \
      over classes. Detectors: \(EvaluateStage.allDetectors.joined(separator: ", ")).
      """)

  @Option(help: "The column with the true labels.")
  var truth: String
  @Option(help: "Which detectors, comma-separated, or all.")
  var detectors = EvaluateStage.usualDetectors.joined(separator: ",")
  @Option(
    help: ArgumentHelp(
      "Write all metrics to this file (.csv, .tsv or .jsonl).",
      discussion: "One row per detector and class; in an experiment one row per run, as soon as it is done."),
    completion: .file())
  var rows: String?
  @Option(
    help: ArgumentHelp(
      "Write plots to this folder, as SVG.",
      discussion: "ROC and precision-recall curves; in an experiment the error by number of verified images."),
    completion: .directory)
  var plots: String?
  @OptionGroup(title: "Experiments on simulated verification labels") var experiment: ExperimentOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  private var names: [String] {
    detectors == "all" ? EvaluateStage.allDetectors : detectors.split(separator: ",").map(String.init)
  }

  func run() throws {
    memory.apply()
    try compute.prepareEngine()
    let store = try workspace.open()
    let progress = workspace.output.progress
    if experiment.isWanted {
      var stage = ExperimentStage(truth: truth, detectors: names)
      stage.threads = compute.threads
      stage.rowsFile = rows
      stage.plotsFolder = plots
      try experiment.apply(to: &stage, seed: compute.seed)
      let outcome = try stage.run(store, progress: progress)
      try workspace.output.print(outcome) { outcome.text }
    } else {
      var stage = EvaluateStage(truth: truth, detectors: names)
      stage.seed = compute.seed
      stage.threads = compute.threads
      stage.rowsFile = rows
      stage.plotsFolder = plots
      let outcome = try stage.run(store, progress: progress)
      try workspace.output.print(outcome) { outcome.text }
    }
  }
}

/// How verification labels are simulated. Any of them makes `evaluate` an experiment.
struct ExperimentOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Shares of classes to hold out, comma-separated, or a file in Food-101N's layout.",
      discussion: "Each line of the file: a class, a tab, and 0 if it is held out, else 1."))
  var heldOut: String?
  @Option(
    help: "Instead: number of verified classes (2,3,5), or their names, joined by + (cat+dog,cat+ship).")
  var verifiedClasses: String?
  @Option(help: "Verified images per class; several numbers, comma-separated, are all tried.")
  var perClass: String?
  @Option(
    help: "Number of repetitions with other images and classes; results become means with 95 % intervals.")
  var seeds: Int?
  @Option(help: "Columns of noisy labels to compare (default: label, the imported one).")
  var labels: String?

  var isWanted: Bool {
    heldOut != nil || verifiedClasses != nil || perClass != nil || seeds != nil || labels != nil
  }

  func validate() throws {
    guard heldOut == nil || verifiedClasses == nil else {
      throw ValidationError("Give --held-out or --verified-classes, not both.")
    }
    guard seeds.map({ $0 > 0 }) ?? true else { throw ValidationError("--seeds must be at least 1.") }
    if let perClass, Self.numbers(perClass) == nil {
      throw ValidationError("--per-class takes whole numbers above 0, comma-separated.")
    }
  }

  func apply(to stage: inout ExperimentStage, seed: UInt64) throws {
    if let heldOut { stage.verifiedClasses = try Self.heldOut(heldOut) }
    if let verifiedClasses {
      stage.verifiedClasses = verifiedClasses.split(separator: ",").map { item in
        Int(item).map { .count($0) } ?? .named(item.split(separator: "+").map(String.init))
      }
    }
    if let perClass, let numbers = Self.numbers(perClass) { stage.perClass = numbers }
    stage.seeds = seed..<(seed + UInt64(seeds ?? 1))
    stage.labelColumns = labels?.split(separator: ",").map(String.init) ?? []
  }

  private static func numbers(_ text: String) -> [Int]? {
    let numbers = text.split(separator: ",").map { Int($0) ?? 0 }
    return numbers.isEmpty || numbers.contains { $0 < 1 } ? nil : numbers
  }

  private static func heldOut(_ text: String) throws -> [ExperimentStage.VerifiedClasses] {
    let shares = text.split(separator: ",").map { Double($0) }
    if shares.allSatisfy({ $0 != nil }) {
      guard shares.allSatisfy({ (0..<1).contains($0 ?? 1) }) else {
        throw ValidationError("--held-out takes shares of at least 0 and below 1.")
      }
      return shares.compactMap { $0.map { .heldOut($0) } }
    }
    guard let lines = try? String(contentsOfFile: text, encoding: .utf8) else {
      throw PipelineError(
        .missingInput, "\(text) is neither a list of shares nor a file that can be read",
        remedy: "Write --held-out 0.5, or name a file with a class, a tab and 0 or 1 on each line")
    }
    var verified: [String] = []
    for (number, line) in lines.split(whereSeparator: \.isNewline).enumerated() {
      let fields = line.split(separator: "\t")
      guard fields.count == 2, fields[1] == "0" || fields[1] == "1" else {
        // Some copies have a header.
        if number == 0 { continue }
        throw PipelineError(
          .badInput, "\(text), line \(number + 1) is not a class, a tab and 0 or 1",
          remedy: "Correct the line")
      }
      if fields[1] == "1" { verified.append(String(fields[0])) }
    }
    return [.named(verified)]
  }
}

extension ExperimentStage.Outcome {
  var text: String {
    JudgedPart.allCases.compactMap { part -> String? in
      let rows = summaries.filter { $0.part == part }
      guard !rows.isEmpty else { return nil }
      var table = Table([
        "labels", "verified", "detector", "runs", "avg. error %", "95 % interval", "AUROC", "seconds", "MB",
      ])
      for row in rows {
        let error = row.averageErrorRate
        table.add([
          row.labels, "\(row.verifiedClasses) × \(row.perClass)", row.detector, "\(row.runs)",
          (error?.mean).fixed(2), error.map { String(format: "%.1f – %.1f", $0.low, $0.high) } ?? "–",
          (row.auroc?.mean).fixed(4), (row.seconds?.mean).fixed(1), row.peakMemory.megabytes,
        ])
      }
      return "\(part.title)\n\n\(table.text)"
    }.joined(separator: "\n\n")
  }
}

extension JudgedPart {
  var title: String {
    switch self {
    case .heldOut: "Classes that nobody verified"
    case .verified: "Verified classes, images that were not verified"
    }
  }
}

extension EvaluateStage.Outcome {
  var text: String {
    let parts = JudgedPart.allCases.compactMap { split -> String? in
      let rows = detectors.filter { $0.split == split }
      guard let first = rows.first else { return nil }
      var table = Table([
        "detector", "AUROC", "avg. precision", "avg. error %", "precision", "recall", "seconds", "MB",
      ])
      for row in rows.sorted(by: { $0.metrics.averageErrorRate < $1.metrics.averageErrorRate }) {
        let metrics = row.metrics
        table.add([
          row.name, metrics.auroc.fixed(3), metrics.averagePrecision.fixed(3),
          String(format: "%.1f", metrics.averageErrorRate), String(format: "%.3f", metrics.precision),
          String(format: "%.3f", metrics.recall), String(format: "%.1f", row.seconds),
          row.peakMemory.megabytes,
        ])
      }
      return
        "\(split.title) (\(first.metrics.images) images, \(first.metrics.wrong) labels wrong)\n\n\(table.text)"
    }
    return parts.joined(separator: "\n\n")
  }
}

extension Double {
  /// "12.3 %"
  var percent: String { String(format: "%.1f %%", self * 100) }
}

extension Double? {
  func fixed(_ digits: Int) -> String { map { String(format: "%.\(digits)f", $0) } ?? "–" }
}

extension Int? {
  /// Of bytes: "123".
  var megabytes: String { map { "\(($0 + 500_000) / 1_000_000)" } ?? "–" }
}
