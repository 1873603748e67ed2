import Torch
import Workspace

/// Images of several classes, for the view that mends: grouped, so that many are judged at a glance.
struct MendPage: Sendable, Hashable {
  enum Kind: String, Sendable, Codable {
    /// Earlier verdicts, to be looked at again.
    case again
    /// Every tenth image that somebody else has answered: a second opinion, so that agreement can be measured.
    case shared
    /// Labels that the model is least sure of.
    case doubtful
  }

  struct Group: Sendable, Hashable {
    /// The class that is asked about.
    var label: Int
    /// The class that fits better, where it is told.
    var suggestion: Int?
    var picks: [Desk.Pick]
  }

  var kind: Kind
  var groups: [Group]
  /// Verdicts to be looked at again, images that wait for a second opinion, and labels that are in doubt, in all.
  var again: Int
  var shared: Int
  var doubtful: Int
}

extension Desk {
  /// The model contradicts a verdict if it is at least so sure of the opposite.
  static let contradiction = 0.8
  /// A label is in doubt if the decision on it is mistaken with at least this probability.
  static let inDoubt = 0.05
  /// Of the verdicts looked at again, one in this many is one that the model agrees with, so that a second look is a look.
  static let mixed = 4

  /// The most useful second looks: first verdicts that the model contradicts, then the labels it is least sure of, of all
  /// classes.
  ///
  /// - Parameter looksAgain: Whether earlier verdicts are shown, too.
  func mend(count: Int, session: String, person: String, looksAgain: Bool = true) -> MendPage {
    state.withLock { state in
      let contradicted = Self.contradicted(state).map(\.sample)
      let shared = looksAgain ? Self.shared(state, open: person) : []
      let free = contradicted.filter { looksAgain && !state.leases.isElsewhere($0, than: session) }
      let doubtful = Self.doubtful(state, open: person)
      let others = shared.filter { !state.leases.isElsewhere($0, than: session) }
      let kind: MendPage.Kind = !free.isEmpty ? .again : !others.isEmpty ? .shared : .doubtful
      let groups =
        switch kind {
        case .again: Self.mixed(state, Array(free.prefix(count)))
        case .shared: Self.byLabel(state, Array(others.prefix(count)))
        case .doubtful:
          Self.grouped(
            state, doubtful.filter { !state.leases.isElsewhere($0, than: session) }, count: count)
        }
      state.leases.take(groups.flatMap(\.picks), for: session)
      return MendPage(
        kind: kind, groups: groups, again: contradicted.count, shared: shared.count,
        doubtful: doubtful.count)
    }
  }

  /// The images that wait for the person's opinion because one other person has answered them, as every tenth does.
  static func shared(_ state: State, open person: String) -> [Int] {
    state.answers.current.values.lazy
      .filter { $0.origin == .reviewed && $0.answer.isRight != nil }.map(\.sample)
      .filter { state.catalogue.labels[$0] >= 0 && state.answers.isOpen($0, to: person) }.sorted()
  }

  private static func byLabel(_ state: State, _ samples: [Int]) -> [MendPage.Group] {
    Dictionary(grouping: samples) { state.catalogue.labels[$0] }.sorted { $0.key < $1.key }
      .map { label, samples in
        MendPage.Group(
          label: label, suggestion: nil, picks: samples.map { Pick(sample: $0, selection: .wished) })
      }
  }

  /// Images whose verdicts the model contradicts and that were not looked at again, the surest contradiction first.
  static func contradicted(_ state: State) -> [(sample: Int, certainty: Double)] {
    guard let scores = state.scores else { return [] }
    let found = state.answers.current.values.compactMap { answer -> (sample: Int, certainty: Double)? in
      guard answer.origin != .accepted, answer.origin != .settled, answer.selection != .again,
        !answer.isDisputed, let isRight = answer.answer.isRight, let row = scores[answer.sample]
      else { return nil }
      let against = isRight ? 1 - Double(row.probability) : Double(row.probability)
      return against >= contradiction ? (answer.sample, against) : nil
    }
    return found.sorted { ($0.certainty, $1.sample) > ($1.certainty, $0.sample) }
  }

  /// Mixes contradicted verdicts with others on the same classes, in an order that does not tell which is which.
  private static func mixed(_ state: State, _ contradicted: [Int]) -> [MendPage.Group] {
    var random = SplitMix64(seed: UInt64(state.answers.last ?? 0))
    var chosen = Set(contradicted)
    let labels = Set(contradicted.map { state.catalogue.labels[$0] })
    let others = state.answers.current.values
      .filter { answer in
        labels.contains(answer.label) && !chosen.contains(answer.sample) && answer.selection != .again
          && answer.origin == .reviewed && answer.answer.isRight != nil && !answer.isDisputed
      }
      .map(\.sample).sorted().shuffled(using: &random)
    chosen.formUnion(others.prefix(max(1, contradicted.count / mixed)))
    let byLabel = Dictionary(grouping: chosen.sorted()) { state.catalogue.labels[$0] }
    return byLabel.sorted { $0.key < $1.key }.map { label, samples in
      MendPage.Group(
        label: label, suggestion: nil,
        picks: samples.shuffled(using: &random).map { Pick(sample: $0, selection: .again) })
    }
  }

  /// The images in doubt that the person may be asked about, the most doubtful first.
  static func doubtful(_ state: State, open person: String) -> [Int] {
    guard let scores = state.scores else { return [] }
    return state.doubtful.prefix { (scores.doubt($0) ?? 0) >= inDoubt }.filter { sample in
      state.catalogue.labels[sample] >= 0 && state.answers.current[sample] == nil
        && state.answers.isOpen(sample, to: person)
    }
  }

  /// A number of the most doubtful ones, by label and suggestion: from somewhat more of them, the pairs that come up
  /// most often.
  private static func grouped(_ state: State, _ doubtful: [Int], count: Int) -> [MendPage.Group] {
    struct Pair: Hashable {
      var label: Int
      var suggestion: Int?
    }
    let pairs = Dictionary(grouping: doubtful.prefix(count * 2)) { sample in
      let label = state.catalogue.labels[sample]
      return Pair(label: label, suggestion: state.scores?.suggestion(sample, label: label))
    }
    var groups: [MendPage.Group] = []
    var left = count
    let ranked = pairs.sorted { ($0.value.count, $1.value[0]) > ($1.value.count, $0.value[0]) }
    for (pair, samples) in ranked where left > 0 {
      let shown = samples.prefix(left)
      left -= shown.count
      groups.append(
        MendPage.Group(
          label: pair.label, suggestion: pair.suggestion,
          picks: shown.map { Pick(sample: $0, selection: .informative) }))
    }
    return groups
  }

  // MARK: Trials

  /// Of every this many images that a person answers, one is a trial.
  static let trialShare = 48

  /// An image of another class that people found right there, if the person is due for a trial.
  static func trial(_ state: State, in label: Int, person: String) -> Pick? {
    guard state.answers.answered(by: person) / trialShare > state.trials[person] ?? 0 else { return nil }
    let right = state.answers.current.values.filter { answer in
      answer.label != label && answer.answer == .right && answer.origin != .accepted && !answer.isDisputed
        && (state.scores?[answer.sample]?.probability ?? 1) > 0.9
        && state.catalogue.labels[answer.sample] >= 0
    }
    var random = SplitMix64(seed: UInt64(state.answers.last ?? 0))
    return right.map(\.sample).sorted().randomElement(using: &random)
      .map { Pick(sample: $0, selection: .trial, label: label) }
  }
}
