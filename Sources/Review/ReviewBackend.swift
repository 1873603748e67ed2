import Torch
import Workspace

/// The services that the page needs from the stages above it: the command line hands them in.
package protocol ReviewBackend: Sendable {
  /// The images' features, one row per sample; nil if nothing was embedded yet.
  func features() throws -> (any FeatureSource)?

  /// Trains on the verdicts that there are and judges every label anew. Blocks until it is done.
  ///
  /// - Parameter report: Called from any thread, as often as it likes.
  /// - Throws: An error whose description says what is wrong and what to do.
  func retrain(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws

  /// Judges every label by the verdicts that there are now, without training. Blocks, for a second or so.
  ///
  /// - Returns: A row for each sample; nil where a training is needed first.
  func judge() throws -> [ScoreRow]?

  /// Keeps what ``judge()`` would say now in the workspace, for whoever reads it. Blocks.
  func keepScores() throws
}

extension ReviewBackend {
  package func judge() throws -> [ScoreRow]? { nil }
  package func keepScores() throws {}
}

/// How far retraining is.
package struct RetrainingStep: Sendable, Hashable, Codable {
  /// As a user reads it.
  package var name: String
  package var done: Int
  /// Nil if it is not known beforehand.
  package var total: Int?

  package init(name: String, done: Int, total: Int?) {
    self.name = name
    self.done = done
    self.total = total
  }
}
