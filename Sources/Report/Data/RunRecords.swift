import Evaluation
import Foundation

/// A run of a stage, as the workspace has it.
package struct HistoryEntry: Sendable, Codable {
  package var stage: String
  package var started: Date
  package var seconds: Double?
  /// `done`, `failed`, `interrupted`, or nil if it was killed.
  package var outcome: String?
  /// JSON.
  package var settings: String
}

/// The accuracy of a classifier with different sample weights.
package struct ClassifierRun: Sendable, Codable {
  package var stage: String
  package var date: Date
  /// The kind of weights in training.
  package var weights: String?
  package var testImages: Int?
  package var rows: [Row]
  package var curves: [Curve]

  package struct Row: Sendable, Codable {
    package var weights: String
    package var top1: Estimate
    /// Of the gain of dropping all truly wrong labels the share that is reached.
    package var gainShare: Double?
  }

  /// Values over the rounds of training.
  package struct Curve: Sendable, Codable {
    package var name: String
    package var points: [[Double]]
  }
}

/// Two runs side by side.
package struct Comparison: Sendable, Codable {
  package var about: About
  package var summary: Summary
  package var classes: [ClassRow]
  /// nil where the other's scores are not there.
  package var agreement: Agreement?

  package struct ClassRow: Sendable, Codable {
    package var name: String
    package var estimatedNoise: Double?
    package var otherNoise: Double?
    package var calledWrong: Int
    package var otherCalledWrong: Int
  }

  /// Over the images, by key, that both have judged.
  package struct Agreement: Sendable, Codable {
    package var images: Int
    package var bothRight: Int
    package var bothWrong: Int
    package var onlyHere: Int
    package var onlyThere: Int
    /// Images on which the two differ most.
    package var examples: [Example]
  }

  package struct Example: Sendable, Codable {
    package var image: Int
    package var probability: Double
    package var otherProbability: Double
  }
}
