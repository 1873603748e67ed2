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

  /// Places images on a plane, similar ones near each other. Blocks, for up to a minute.
  ///
  /// - Parameter samples: Some thousand at most.
  /// - Returns: The images that have features; nil without features.
  func places(_ samples: [Int], _ report: @escaping @Sendable (RetrainingStep) -> Void) throws -> [MapPoint]?

  /// Looks for images that show the same. Blocks, for as long as reading all images takes.
  ///
  /// - Returns: Groups of two or more.
  func copies(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws -> [[Int]]

  /// Keeps what ``judge()`` would say now in the workspace, for whoever reads it. Blocks.
  func keepScores() throws
}

extension ReviewBackend {
  package func judge() throws -> [ScoreRow]? { nil }
  package func keepScores() throws {}
  package func places(_ samples: [Int], _ report: @escaping @Sendable (RetrainingStep) -> Void) throws
    -> [MapPoint]?
  { nil }
  package func copies(_ report: @escaping @Sendable (RetrainingStep) -> Void) throws -> [[Int]] { [] }
}

/// An image's place on a map, in [0, 1].
package struct MapPoint: Sendable, Hashable {
  package var sample: Int
  package var x: Double
  package var y: Double

  package init(sample: Int, x: Double, y: Double) {
    self.sample = sample
    self.x = x
    self.y = y
  }
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
