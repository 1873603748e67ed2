import CleanNet
import Detectors
import Evaluation
import Foundation
import Torch
import Workspace

/// Compares detectors with known truth, on the verification labels that the workspace has.
///
/// Images that were verified are never judged: they fit detectors and choose thresholds. The others are judged apart:
/// images of verified classes, and images of classes that nobody verified.
package struct EvaluateStage: Sendable {
  /// The attribute that holds the true labels.
  package var truth: String
  /// Names of detectors; `cleannet` is what `score` left.
  package var detectors: [String]
  package var seed: UInt64 = 0
  package var threads = 2
  /// Writes each detector's metrics, over all classes and class by class, to this file (CSV, TSV or JSON lines).
  package var rowsFile: String?
  /// Writes ROC and precision–recall curves to this folder, as SVG.
  package var plotsFolder: String?

  /// The detectors that are compared by default.
  package static let usualDetectors = ["cleannet", "average-baseline", "knn", "self-confidence", "naive"]

  /// All that can be compared.
  package static var allDetectors: [String] {
    DetectorRegistry.all.map(\.name)
  }

  package init(truth: String, detectors: [String] = usualDetectors) {
    self.truth = truth
    self.detectors = detectors
  }

  package struct Outcome: Sendable, Encodable {
    package var truth: String
    /// The share of wrong labels among the images judged.
    package var noiseRate: Double
    package var verified: Int
    package var verifiedClasses: [String]
    package var detectors: [Row]
  }

  /// One detector on one part of the images.
  package struct Row: Sendable, Encodable {
    package var name: String
    package var split: JudgedPart
    package var metrics: DetectionMetrics
    /// On the scale of the detector's scores; nil where it decides by a rule of its own, or calls all labels right.
    package var threshold: Double?
    package var seconds: Double
    /// By how many bytes the process grew at most meanwhile; nil where that cannot be measured, or what `score` left
    /// was read.
    package var peakMemory: Int?
    /// The metrics of each class by itself, by name.
    package var classes: [String: DetectionMetrics]

    private enum Key: String, CodingKey { case name, split, threshold, seconds, peakMemory, classes }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(name, forKey: .name)
      try container.encode(split, forKey: .split)
      try container.encode(threshold.flatMap { $0.isFinite ? $0 : nil }, forKey: .threshold)
      try container.encode(seconds, forKey: .seconds)
      try container.encodeIfPresent(peakMemory, forKey: .peakMemory)
      try container.encode(classes, forKey: .classes)
      try metrics.encode(to: encoder)
    }
  }

  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let chosen = try detectors.map(Self.detector)
    let truth = try TruthColumn(workspace, named: truth)
    let data = try LabeledFeatures(workspace)
    let problem = DetectionProblem(
      features: data.features, labels: data.labels, classes: data.classNames.count, verdicts: data.verdicts,
      seed: seed, threads: threads)
    let verifiedClasses = Set(data.verdicts.keys.map { data.labels[$0] })
    let judged = problem.images.filter { data.verdicts[$0] == nil && truth.isRight[$0] != nil }
    guard !judged.isEmpty else {
      throw PipelineError(
        .badInput, "No image is left to judge: all with a value in \"\(self.truth)\" were verified",
        remedy: "Verify fewer, or name another column")
    }
    let parts: [(split: JudgedPart, images: [Int])] = [
      (.heldOut, judged.filter { !verifiedClasses.contains(data.labels[$0]) }),
      (.verified, judged.filter { verifiedClasses.contains(data.labels[$0]) }),
    ]
    var rows: [Row] = []
    var plots = DetectionCurves()
    for detector in chosen {
      progress.begin("Detector \(detector.name)", total: 100, unit: "%")
      let start = ContinuousClock.now
      let detection: Detection
      let seconds: Double
      var (ownThreshold, memory): (Double?, Int?)
      if detector.name == "cleannet" {
        (detection, ownThreshold, seconds) = try stored(workspace)
      } else {
        (detection, memory) = try PeakMemory.measuring {
          try detector.judge(problem) { progress.update(Int($0 * 100)) }
        }
        seconds = (ContinuousClock.now - start).inSeconds + detection.reusedSeconds
      }
      progress.end(nil)
      let threshold = ownThreshold ?? DetectionThreshold.choose(detection, problem)
      for (split, images) in parts {
        let labels = JudgedLabels(
          detection, threshold: threshold, labels: data.labels, truth: truth.isRight, images: images)
        guard labels.count > 0 else { continue }
        let classes = DetectionMetrics.perClass(
          labels, scoresAreProbabilities: detection.scoresAreProbabilities)
        rows.append(
          Row(
            name: detector.name, split: split,
            metrics: DetectionMetrics(labels, scoresAreProbabilities: detection.scoresAreProbabilities),
            threshold: threshold, seconds: seconds, peakMemory: memory,
            classes: Dictionary(uniqueKeysWithValues: classes.map { (data.classNames[$0], $1) })))
        plots.add(detector.name, split, Ranking(labels))
      }
    }
    if let rowsFile { try write(rows, to: rowsFile) }
    if let plotsFolder { try plots.write(to: plotsFolder) }
    let wrong = judged.count { truth.isRight[$0] == false }
    return Outcome(
      truth: self.truth, noiseRate: Double(wrong) / Double(judged.count), verified: data.verdicts.count,
      verifiedClasses: verifiedClasses.sorted().map { data.classNames[$0] }, detectors: rows)
  }

  private func write(_ rows: [Row], to path: String) throws {
    let table = try TableOutput(
      path,
      columns: ["detector", "split", "class"] + DetectionMetrics.columns + [
        "threshold", "seconds", "peak_memory",
      ])
    for row in rows {
      let name: [TableOutput.Cell] = [.text(row.name), .text(row.split.rawValue)]
      try table.write(
        name + [.empty] + row.metrics.cells + [
          .float(row.threshold), .float(row.seconds), .integer(row.peakMemory),
        ])
      for (label, metrics) in row.classes.sorted(by: { $0.key < $1.key }) {
        try table.write(name + [.text(label)] + metrics.cells + [.float(row.threshold), .empty, .empty])
      }
    }
    try table.finish()
  }

  static func detector(_ name: String) throws(PipelineError) -> any Detector {
    guard let found = DetectorRegistry.named(name) else {
      throw PipelineError(
        .badInput, "There is no detector \"\(name)\"",
        remedy: "Detectors are: \(allDetectors.joined(separator: ", "))")
    }
    do throws(VectorMachineLibraryError) {
      try found.loadLibraries()
    } catch {
      throw PipelineError(
        .missingComponent, "The detector \(name) cannot run: \(error.what)", remedy: error.remedy)
    }
    return found
  }

  /// The results of `score`, with their threshold, and how long training and scoring took.
  private func stored(
    _ workspace: Workspace
  ) throws -> (Detection, threshold: Double?, seconds: Double) {
    guard let run = try workspace.finishedRun(stage: "score"), let scores = try workspace.scores(key: run.key)
    else {
      throw PipelineError(
        .missingInput, "There are no scores to evaluate", remedy: "Run: cleannet train, then cleannet score")
    }
    let decoder = JSONDecoder()
    func outcome<Value: Decodable>(_ type: Value.Type, _ run: StageRun?) -> Value? {
      (run?.metrics).flatMap { try? decoder.decode(type, from: Data($0.utf8)) }
    }
    let scoring = outcome(ScoreStage.Outcome.self, run)
    let training = outcome(
      TrainStage.Outcome.self,
      try scoring.flatMap { try workspace.finishedRun(stage: "train", key: $0.model) })
    let detection = Detection(
      scores: scores.map(\.probability), verdicts: scores.map { $0.verdict != .wrong },
      scoresAreProbabilities: true)
    let threshold = scores.lazy.map(\.threshold).first { $0.isFinite }
    return (detection, threshold.map(Double.init), (scoring?.seconds ?? 0) + (training?.seconds ?? 0))
  }
}
