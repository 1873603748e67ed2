import CleanNet
import Detectors
import Foundation
import Torch

/// The images that a detector is judged on: images that were not verified, in classes with verified images or in
/// classes without.
package enum JudgedPart: String, Sendable, Hashable, Codable, CaseIterable {
  case heldOut
  case verified
}

/// Runs detectors on simulated verification labels, over label columns, numbers of classes and images, and seeds.
///
/// Verified images fit detectors and choose thresholds, and are never judged. Results that depend on features alone are
/// computed once, and results that depend on noisy labels once per column.
package struct Experiment: Sendable {
  package let features: any FeatureSource
  package let classes: Int
  package var draws: [VerificationDraw]
  package var seeds: Range<UInt64>
  package var detectors: [any Detector]
  package var threads: Int

  package init(
    features: any FeatureSource, classes: Int, draws: [VerificationDraw], seeds: Range<UInt64>,
    detectors: [any Detector], threads: Int
  ) {
    self.features = features
    self.classes = classes
    self.draws = draws
    self.seeds = seeds
    self.detectors = detectors
    self.threads = threads
  }

  /// A column of noisy labels, and the known truth.
  package struct Column: Sendable {
    package var name: String
    /// Per image; negative for images that take no part.
    package var labels: [Int]
    /// Per image whether the label is right; nil where nobody knows.
    package var truth: [Bool?]

    package init(name: String, labels: [Int], truth: [Bool?]) {
      self.name = name
      self.labels = labels
      self.truth = truth
    }
  }

  /// Runs everything.
  ///
  /// - Parameter each: Called after each detector with its rows, and the share of the whole that is done.
  package func run(_ columns: [Column], each: ([ExperimentRow], Double) throws -> Void) throws {
    let total = Double(columns.count * draws.count * seeds.count * detectors.count)
    var done = 0.0
    var space: (images: [Int], FeatureSpace)?
    for column in columns {
      let problem = DetectionProblem(
        features: features, labels: column.labels, classes: classes, seed: seeds.lowerBound, threads: threads)
      for draw in draws {
        for seed in seeds {
          let drawn = draw.draw(labels: column.labels, truth: column.truth, seed: seed)
          for detector in detectors {
            var detector = detector
            var problem = problem.verified(drawn.verdicts)
            if let cleannet = detector as? CleanNetDetector {
              if cleannet.objective == .extended, space?.images != problem.images {
                space = (problem.images, CleanNetDetector.space(problem))
              }
              detector = CleanNetDetector(cleannet.objective, parts: cleannet.parts, space: space?.1)
              problem.seed = seed
            }
            let rows = try judge(detector, problem, column, draw, drawn.classes, seed)
            done += 1
            try each(rows, done / total)
          }
        }
      }
    }
  }

  private func judge(
    _ detector: any Detector, _ problem: DetectionProblem, _ column: Column, _ draw: VerificationDraw,
    _ verified: [Int], _ seed: UInt64
  ) throws -> [ExperimentRow] {
    let start = ContinuousClock.now
    let (detection, memory) = try PeakMemory.measuring { try detector.judge(problem) }
    let elapsed = (ContinuousClock.now - start).components
    let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18 + detection.reusedSeconds
    let threshold = DetectionThreshold.choose(detection, problem)
    let judged = problem.images.filter { problem.verdicts[$0] == nil }
    let guarantee = GuaranteeCheck(
      detection.decisions(threshold: threshold), labels: column.labels, truth: column.truth,
      verdicts: problem.verdicts)
    return JudgedPart.allCases.compactMap { part in
      let images = judged.filter { verified.contains(column.labels[$0]) == (part == .verified) }
      let labels = JudgedLabels(
        detection, threshold: threshold, labels: column.labels, truth: column.truth, images: images)
      guard labels.count > 0 else { return nil }
      return ExperimentRow(
        labels: column.name, verifiedClasses: verified.count, perClass: draw.perClass, seed: seed,
        detector: detector.name, part: part,
        metrics: DetectionMetrics(labels, scoresAreProbabilities: detection.scoresAreProbabilities),
        threshold: threshold.flatMap { $0.isFinite ? $0 : nil }, seconds: seconds, peakMemory: memory,
        guarantee: part == .verified ? guarantee : nil)
    }
  }
}
