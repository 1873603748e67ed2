import Hummingbird

/// A class that is worth verifying next, and why.
struct QueueEntry: ResponseEncodable, Sendable, Hashable {
  enum Reason: String, Sendable, Codable {
    /// Some images were verified, too few to learn from.
    case begun
    /// The first of all: most like all the others.
    case typical
    /// Unlike all classes verified so far.
    case diverse
    /// Many decisions in it are close.
    case doubtful
    /// The networks disagree on many of its images.
    case disagreeing
    /// The decision and the best-fitting class contradict each other.
    case contradictory
  }

  var label: Int
  var name: String
  var images: Int
  var verified: Int
  /// So many verdicts are worth giving now.
  var target: Int
  var reason: Reason
  /// The reason with its figure, as a user reads it.
  var why: String
}
