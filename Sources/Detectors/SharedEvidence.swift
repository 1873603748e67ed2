import CleanNet
import Foundation
import Torch

/// Results that several detectors or draws of verdicts need, computed once for a problem: cross-validated class
/// probabilities, nearest neighbors, and CleanNet's evidence, none of which looks at verdicts. Remembers how long each
/// took, so that every detector can account for it.
final class SharedEvidence: Sendable {
  private let probabilities = Memo<CrossValidation, ClassProbabilities>()
  private let neighbors = Memo<Int, NearestNeighbors>()
  private let evidence = Memo<EvidenceParts, LabelEvidence>()

  /// Class probabilities of all images that take part, each from a model that has not seen the image.
  func probabilities(
    _ settings: CrossValidation, _ problem: DetectionProblem, progress: DetectionProgress
  ) -> Memo<CrossValidation, ClassProbabilities>.Found {
    probabilities.value(for: settings) { settings.probabilities(problem, progress: progress) }
  }

  /// The `k` nearest neighbors, among all images that take part, of each of them.
  func neighbors(
    k: Int, _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) -> Memo<Int, NearestNeighbors>.Found {
    neighbors.value(for: k) {
      nearestNeighbors(
        problem.features, queries: problem.images, k: k, threads: problem.threads, progress: progress)
    }
  }

  /// CleanNet's evidence of features and labels, from some of its parts.
  func evidence(_ parts: EvidenceParts, make: () throws -> LabelEvidence) rethrows
    -> Memo<EvidenceParts, LabelEvidence>.Found
  {
    try evidence.value(for: parts, make: make)
  }
}

/// Values by key, each made once.
final class Memo<Key: Hashable & Sendable, Value: Sendable>: @unchecked Sendable {
  // Safe: `stored` is only touched under the lock, which is held while a value is made, so that nobody else makes it.
  private var stored: [Key: (value: Value, seconds: Double)] = [:]
  private let lock = NSLock()

  struct Found {
    let value: Value
    /// How long making it had taken, if it was there already; else 0.
    let reusedSeconds: Double
  }

  func value(for key: Key, make: () throws -> Value) rethrows -> Found {
    try lock.withLock {
      if let (value, seconds) = stored[key] { return Found(value: value, reusedSeconds: seconds) }
      let start = ContinuousClock.now
      let value = try make()
      let elapsed = ContinuousClock.now - start
      stored[key] = (
        value, Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
      )
      return Found(value: value, reusedSeconds: 0)
    }
  }
}
