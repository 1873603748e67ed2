/// The data a detector learns from besides features and noisy labels.
package enum DetectorKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// From the verified images of a class; it says nothing about classes without any.
  case supervised
  /// From verified images of some classes, for all classes: its threshold is theirs.
  case weaklySupervised
  /// From nothing else. Verified images only choose its threshold, where there are some.
  case unsupervised
}

/// A method that judges for every image whether its label is right.
///
/// ```swift
/// let problem = DetectionProblem(features: features, labels: labels, classes: 10, verdicts: verified)
/// let detection = try KNNAgreement().judge(problem)
/// let threshold = DetectionThreshold.choose(detection, problem)
/// let isRight = detection.decisions(threshold: threshold)
/// ```
package protocol Detector: Sendable {
  /// Its name on the command line and in tables, `knn`.
  var name: String { get }
  var kind: DetectorKind { get }
  /// Opens what the detector needs besides Torch, so that something missing is said before work begins.
  func loadLibraries() throws(VectorMachineLibraryError)
  /// Judges all images of `problem`. The same problem gives the same detection.
  ///
  /// - Parameter progress: Called from any thread with the share of the work done, 0…1.
  /// - Throws: ``DetectionError`` where the problem's features or labels do not allow it.
  func judge(_ problem: DetectionProblem, progress: @escaping DetectionProgress) throws(DetectionError)
    -> Detection
}

/// Hears the share of the work done, 0…1, from any thread.
package typealias DetectionProgress = @Sendable (Double) -> Void

extension Detector {
  /// Most need nothing.
  package func loadLibraries() throws(VectorMachineLibraryError) {}

  /// Judges all images of `problem`, telling nobody how far it is.
  package func judge(_ problem: DetectionProblem) throws(DetectionError) -> Detection {
    try judge(problem) { _ in }
  }
}

/// Why a detector cannot judge.
package enum DetectionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Fewer than two classes have images.
  case tooFewClasses(detector: String)
  /// A library refused its input.
  case library(detector: String, reason: String)

  package var description: String {
    switch self {
    case .tooFewClasses(let detector):
      "The detector \(detector) compares classes, but fewer than two have images. Import more classes, or leave the "
        + "detector out."
    case .library(let detector, let reason): "The detector \(detector) failed: \(reason)."
    }
  }
}

/// The result of a detector.
package struct Detection: Sendable {
  /// Per image a score, higher where its label is more likely right; NaN where the detector says nothing.
  package var scores: [Float]
  /// The method's own decisions, if it has a rule of its own: true where the label is right. Meaningless where the
  /// score is NaN.
  package var verdicts: [Bool]?
  /// Whether the scores are meant as probabilities that the label is right.
  package var scoresAreProbabilities: Bool
  /// Seconds of work that another detector had done for the same problem before and that was used again. A fair
  /// account of the detector's time is its own plus these.
  package var reusedSeconds: Double

  package init(
    scores: [Float], verdicts: [Bool]? = nil, scoresAreProbabilities: Bool = false, reusedSeconds: Double = 0
  ) {
    self.scores = scores
    self.verdicts = verdicts
    self.scoresAreProbabilities = scoresAreProbabilities
    self.reusedSeconds = reusedSeconds
  }

  /// Right (true), wrong (false) or no answer for every image: by the method's own rule where it has one, else by
  /// `score ≥ threshold`; without a threshold every label counts as right.
  package func decisions(threshold: Double?) -> [Bool?] {
    let limit = threshold ?? -.infinity
    return scores.indices.map { image in
      scores[image].isNaN ? nil : verdicts.map { $0[image] } ?? (Double(scores[image]) >= limit)
    }
  }
}
