import Evaluation
import Foundation

/// A run of a stage, as the workspace has it.
public struct HistoryEntry: Sendable, Codable {
  public var stage: String
  public var started: Date
  public var seconds: Double?
  /// `done`, `failed`, `interrupted`, or nil if it was killed.
  public var outcome: String?
  /// JSON.
  public var settings: String
}

/// What a classifier reached with different sample weights.
public struct ClassifierRun: Sendable, Codable {
  public var stage: String
  public var date: Date
  /// What images were weighed by in training.
  public var weights: String?
  public var testImages: Int?
  public var rows: [Row]
  public var curves: [Curve]

  public struct Row: Sendable, Codable {
    public var weights: String
    public var top1: Estimate
    /// Of the gain of dropping all truly wrong labels the share that is reached.
    public var gainShare: Double?
  }

  /// Values over the rounds of training.
  public struct Curve: Sendable, Codable {
    public var name: String
    public var points: [[Double]]
  }
}

/// Two runs side by side.
public struct Comparison: Sendable, Codable {
  public var about: About
  public var summary: Summary
  public var classes: [ClassRow]
  /// nil where the other's scores are not there.
  public var agreement: Agreement?

  public struct ClassRow: Sendable, Codable {
    public var name: String
    public var estimatedNoise: Double?
    public var otherNoise: Double?
    public var calledWrong: Int
    public var otherCalledWrong: Int
  }

  /// Over the images, by key, that both have judged.
  public struct Agreement: Sendable, Codable {
    public var images: Int
    public var bothRight: Int
    public var bothWrong: Int
    public var onlyHere: Int
    public var onlyThere: Int
    /// Images on which the two differ most.
    public var examples: [Example]
  }

  public struct Example: Sendable, Codable {
    public var image: Int
    public var probability: Double
    public var otherProbability: Double
  }
}
