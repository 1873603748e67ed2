import Hummingbird
import Workspace

/// An image to be looked at.
struct ImageItem: Sendable, Codable {
  var image: Int
  var label: Int
  /// The image's path; nil where the image is to be judged blind, as names of files may tell the class.
  var path: String?
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
  /// Images that wait for the reviewer's opinion because somebody else has answered them.
  var shared: Int
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
    /// The quality by trials and by images shared with others.
    var quality: Quality?
  }

  struct Quality: Sendable, Codable {
    var trials: Int
    var missed: Int
    var shared: Int
    var agreed: Int
    var kappa: Double?

    init(_ quality: ReviewerQuality) {
      trials = quality.trials
      missed = quality.missed
      shared = quality.shared
      agreed = quality.agreed
      kappa = quality.kappa
    }
  }

  var workspace: String
  var classes: [Class]
  var people: [Person]
  var isScored: Bool
  /// Whether verdicts count at once, so that they need no training.
  var isLive: Bool
  /// Verdicts that the last model has not seen; nil before training.
  var sinceTraining: Int?
  var retraining: Retraining.Status
  /// Whether the images have features, without which there is nothing to train on.
  var hasFeatures: Bool
  /// The beginning of the images' addresses.
  var pictures: String
  /// The least time that a person needs to look at an image, in seconds; pages saved faster are asked about.
  var glance: Double
}

struct VerdictReply: ResponseEncodable, Sendable {
  struct Undone: Sendable, Encodable {
    struct Image: Sendable, Encodable {
      var item: ImageItem
      /// The earlier answer on it.
      var answer: VerdictRoutes.Answer.Word
    }

    var count: Int
    /// As many of them as a page may show, in the order in which they were answered.
    var images: [Image]
  }

  struct Standing: Sendable, Codable {
    var label: Int
    var tally: Answers.Tally
  }

  /// The classes that were touched.
  var classes: [Standing]
  /// The answers that were taken back.
  var undone: Undone?
  /// How many suggestions were accepted.
  var accepted: Int?
}

extension Desk {
  /// Picks as the page shows them. The model's opinion is shown on suspects only: people tend to accept suggestions (Beck,
  /// Eckman, Kern and Kreuter 2025), so that images which stand for others are judged blind, and so are those beside them.
  func items(_ picks: [Pick]) async throws -> [ImageItem] {
    let workspace = workspace
    let samples = try await Blocking.run { try workspace.samples(picks.lazy.map(\.sample)) }
    let scores = state.withLock { $0.scores }
    return zip(picks, samples).map { pick, sample in
      let known = pick.selection == .suspect ? scores : nil
      return ImageItem(
        image: sample.id, label: pick.label ?? sample.label,
        path: pick.selection == .suspect ? sample.path : nil,
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

/// The answers of a reviewer, the last first.
struct History: ResponseEncodable, Sendable {
  struct Action: Sendable, Encodable {
    /// Seconds since 1970.
    var at: Double
    var answers: Int
    var right: Int
    var wrong: Int
    var unsure: Int
    var label: Int?
    var isAccepted: Bool

    init(_ action: AnswerAction) {
      at = action.moment
      answers = action.answers
      right = action.right
      wrong = action.wrong
      unsure = action.unsure
      label = action.label
      isAccepted = action.isAccepted
    }
  }

  var actions: [Action]
}

/// Suggestions that would be accepted together.
struct Acceptable: ResponseEncodable, Sendable {
  struct Image: Sendable, Encodable {
    var image: Int
    var label: Int
    var suggestion: Int
  }

  var count: Int
  /// Some of them, the least certain first.
  var images: [Image]
}
