import Hummingbird
import Workspace

/// An image to be looked at.
struct ImageItem: Sendable, Codable {
  var image: Int
  var label: Int
  /// The image's path, for a tooltip.
  var path: String
  /// That the label is right; nil before scoring, and where the image is to be judged without the model's opinion.
  var probability: Float?
  /// The class that fits better; nil likewise.
  var suggestion: Int?
}

struct ImageBatch: ResponseEncodable, Sendable {
  var images: [ImageItem]
  /// How many are left in all, these included.
  var left: Int
}

struct QueueReply: ResponseEncodable, Sendable {
  var entries: [QueueEntry]
  var outlook: Outlook
}

struct Overview: ResponseEncodable, Sendable {
  struct Class: Sendable, Codable {
    var label: Int
    var name: String
    var images: Int
    var tally: Answers.Tally
    /// The expected share of wrong labels; nil before scoring.
    var noise: Double?
  }

  struct Person: Sendable, Codable {
    var name: String
    var answers: Int
    var perMinute: Double?
  }

  var workspace: String
  var classes: [Class]
  var people: [Person]
  var isScored: Bool
  /// Verdicts that the last model has not seen; nil before training.
  var sinceTraining: Int?
  var retraining: Retraining.Status
  /// Whether the images have features, without which there is nothing to train on.
  var hasFeatures: Bool
}

struct VerdictReply: ResponseEncodable, Sendable {
  struct Standing: Sendable, Codable {
    var label: Int
    var tally: Answers.Tally
  }

  /// The classes that were touched.
  var classes: [Standing]
  /// The images whose answers were taken back.
  var undone: [Int]?
  /// How many suggestions were accepted.
  var accepted: Int?
}

extension Desk {
  /// Picks as the page shows them. What the model thinks is told of suspects only: people take suggestions over (Beck,
  /// Eckman, Kern and Kreuter 2025), so that images which stand for others are judged blind, and so are those beside them.
  func items(_ picks: [Pick]) async throws -> [ImageItem] {
    let workspace = workspace
    let samples = try await Blocking.run { try workspace.samples(picks.lazy.map(\.sample)) }
    let scores = state.withLock { $0.scores }
    return zip(picks, samples).map { pick, sample in
      let known = pick.selection == .suspect ? scores : nil
      return ImageItem(
        image: sample.id, label: sample.label, path: sample.path,
        probability: known?[sample.id]?.probability,
        suggestion: known?.suggestion(sample.id, label: sample.label))
    }
  }

  /// How the classes of some samples stand.
  func standings(of labels: Set<Int>) -> [VerdictReply.Standing] {
    state.withLock { state in
      labels.sorted().map { VerdictReply.Standing(label: $0, tally: state.answers.tallies[$0]) }
    }
  }
}
