import Workspace

/// The current answers on all labels, kept up to date in memory.
struct Answers: Sendable {
  /// How many of a class's images have which answer.
  struct Tally: Sendable, Hashable, Codable {
    var right = 0
    var wrong = 0
    var unsure = 0
    /// Suggestions accepted unseen.
    var accepted = 0
    var disputed = 0

    var verified: Int { right + wrong }

    fileprivate mutating func count(_ answer: CurrentAnswer, _ change: Int) {
      switch answer.answer {
      case _ where answer.origin == .accepted: accepted += change
      case .right: right += change
      case .wrong: wrong += change
      case .unsure, .withdrawn: unsure += change
      }
      if answer.isDisputed { disputed += change }
    }
  }

  /// The number of the last answer taken into account; nil: none was read yet.
  private(set) var last: Int?
  private(set) var current: [Int: CurrentAnswer] = [:]
  /// By class.
  private(set) var tallies: [Tally]
  /// By person, the samples that the person has looked at and answered.
  private var seen: [String: Set<Int>] = [:]
  /// By sample, how many people have answered; samples that one person answered are left out.
  private var manyEyes: [Int: Int] = [:]
  /// One in this many images is shown to a second reviewer, so that one learns how far they agree.
  static let sharedShare = 10

  init(classes: Int) { tallies = Array(repeating: Tally(), count: classes) }

  /// Applies what has changed; older changes are passed over.
  mutating func apply(_ changes: Workspace.AnswerChanges) {
    guard last.map({ changes.last > $0 }) ?? true else { return }
    last = changes.last
    for voice in changes.voices {
      if let old = current.removeValue(forKey: voice.sample) { tallies[old.label].count(old, -1) }
      if voice.answer == .withdrawn || voice.origin == .accepted {
        seen[voice.person]?.remove(voice.sample)
      } else {
        seen[voice.person, default: []].insert(voice.sample)
      }
    }
    for sample in Set(changes.voices.lazy.map(\.sample)) {
      let eyes = seen.values.count { $0.contains(sample) }
      manyEyes[sample] = eyes > 1 ? eyes : nil
    }
    for answer in changes.answers {
      current[answer.sample] = answer
      tallies[answer.label].count(answer, 1)
    }
  }

  /// Whether a person's verdict on the image is still wanted.
  func isOpen(_ sample: Int, to person: String) -> Bool {
    if seen[person]?.contains(sample) == true { return false }
    guard let answer = current[sample] else { return true }
    if answer.answer == .unsure || answer.origin == .accepted { return true }
    return answer.origin == .reviewed && manyEyes[sample] == nil && sample % Self.sharedShare == 0
  }

  /// How many images a person has answered.
  func answered(by person: String) -> Int { seen[person]?.count ?? 0 }

  /// How many images each person has answered.
  var people: [(name: String, answers: Int)] {
    seen.filter { !$0.value.isEmpty }.map { ($0.key, $0.value.count) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
  }
}
