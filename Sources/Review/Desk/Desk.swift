import Foundation
import Synchronization
import Torch
import Workspace

/// Hands out images, takes in verdicts and knows how things stand: the page's mind, without its looks.
///
/// Everything that it holds in memory follows from the workspace, so that the server may be killed at any moment.
final class Desk: Sendable {
  struct State: Sendable {
    var catalogue: Catalogue
    /// Tells these images from all others: it is part of their addresses, under which browsers keep them.
    var pictures: String
    var scores: Scores?
    /// By class.
    var figures: [ClassFigures?]
    /// Samples whose labels look wrong, the most suspicious first.
    var suspects: [Int]
    /// All judged samples, the most doubtful first.
    var doubtful: [Int]
    var answers: Answers
    /// How many trials each person has been given.
    var trials: [String: Int]
    var geometry: ClassGeometry?
    var leases = Leases()
    var pace = Pace()
  }

  /// An image to be shown, and why.
  struct Pick: Sendable, Hashable {
    var sample: Int
    var selection: VerificationRecord.Selection
    /// The class that is asked about, where it is not the image's label.
    var label: Int?
  }

  let workspace: Workspace
  let orders: ImageOrders
  /// The order in which the images of each class are drawn at random.
  let drawOrder: DrawOrder
  private let backend: any ReviewBackend
  private let writer: VerdictWriter
  let state: Mutex<State>

  /// Reads what there is. Blocks.
  init(_ workspace: Workspace, backend: any ReviewBackend, seed: UInt64) throws {
    self.workspace = workspace
    self.backend = backend
    writer = VerdictWriter(workspace)
    drawOrder = try workspace.chooseDrawOrder(seed: seed)
    orders = ImageOrders(backend, drawOrder: drawOrder)
    state = Mutex(try Self.read(workspace, backend))
  }

  private static func read(_ workspace: Workspace, _ backend: any ReviewBackend) throws -> State {
    let catalogue = try Catalogue(workspace)
    let scores = try Scores(workspace)
    var answers = Answers(classes: catalogue.classNames.count)
    answers.apply(try workspace.answerChanges(after: nil))
    return State(
      catalogue: catalogue,
      pictures: String(
        StableHash.of(try workspace.identity(), try workspace.fingerprint(of: .images)).prefix(16)),
      scores: scores,
      figures: scores.map { ClassFigures.all($0, catalogue) }
        ?? Array(repeating: nil, count: catalogue.classNames.count),
      suspects: scores.map { suspects($0, catalogue) } ?? [],
      doubtful: scores.map { doubtful($0, catalogue) } ?? [], answers: answers,
      trials: try workspace.reviewerQuality().mapValues(\.trials),
      geometry: try backend.features().map { ClassGeometry($0, members: catalogue.members) })
  }

  private static func suspects(_ scores: Scores, _ catalogue: Catalogue) -> [Int] {
    catalogue.labels.indices.lazy.filter { catalogue.labels[$0] >= 0 }
      .compactMap { sample in scores[sample].map { (sample: sample, probability: $0.probability) } }
      .filter { $0.probability < 0.5 }
      .sorted { ($0.probability, $0.sample) < ($1.probability, $1.sample) }.map(\.sample)
  }

  private static func doubtful(_ scores: Scores, _ catalogue: Catalogue) -> [Int] {
    catalogue.labels.indices.lazy.filter { catalogue.labels[$0] >= 0 }
      .compactMap { sample in scores.doubt(sample).map { (sample: sample, doubt: $0) } }
      .sorted { ($0.doubt, $1.sample) > ($1.doubt, $0.sample) }.map(\.sample)
  }

  /// Reads everything again: there are new scores.
  func reload() async throws {
    let workspace = workspace
    let backend = backend
    let fresh = try await Blocking.run { try Self.read(workspace, backend) }
    state.withLock { state in
      var fresh = fresh
      fresh.leases = state.leases
      fresh.pace = state.pace
      state = fresh
    }
    await orders.reset()
  }

  /// Takes in what is thought of the labels now.
  func take(_ scores: Scores) async {
    let catalogue = state.withLock { $0.catalogue }
    let figures = ClassFigures.all(scores, catalogue)
    let suspects = Self.suspects(scores, catalogue)
    let doubtful = Self.doubtful(scores, catalogue)
    state.withLock { state in
      state.scores = scores
      state.figures = figures
      state.suspects = suspects
      state.doubtful = doubtful
    }
    await orders.reset()
  }

  /// Takes in what was answered since, here or by other programs.
  func refresh() async throws {
    let workspace = workspace
    let last = state.withLock { $0.answers.last }
    let changes = try await Blocking.run { try workspace.answerChanges(after: last) }
    state.withLock { $0.answers.apply(changes) }
  }

  var pictures: String { state.withLock { $0.pictures } }

  // MARK: Handing out

  /// The next images of a class for a reviewer, who has them for some minutes.
  ///
  /// - Parameter without: Images that the reviewer has on the screen.
  /// - Returns: Those, in an order that does not tell why each was chosen, and how many are left in all.
  func pick(
    _ label: Int, count: Int, without: Set<Int>, session: String, person: String
  ) async throws -> (picks: [Pick], left: Int) {
    let (samples, scores) = state.withLock { ($0.catalogue.members[label], $0.scores) }
    let order = try await orders.order(of: label, samples, scores)
    return state.withLock { state in
      var picks: [Pick] = []
      var left = 0
      for entry in order.entries where state.answers.isOpen(entry.sample, to: person) {
        left += 1
        guard picks.count < count, !without.contains(entry.sample),
          !state.leases.isElsewhere(entry.sample, than: session)
        else { continue }
        picks.append(Pick(sample: entry.sample, selection: entry.selection))
      }
      if picks.count >= Self.trialPage, let trial = Self.trial(state, in: label, person: person),
        !without.contains(trial.sample)
      {
        picks.append(trial)
      }
      state.leases.take(picks, for: session)
      return (picks.sorted { Self.shuffle.rank(of: $0.sample) < Self.shuffle.rank(of: $1.sample) }, left)
    }
  }

  /// Pages of at least this many images may hold a trial.
  private static let trialPage = 12

  /// Mixes the images of a page.
  private static let shuffle = DrawOrder(seed: 1 << 32)

  /// The first images of a class that nobody has answered, without handing them out.
  func peek(_ label: Int, count: Int) async throws -> [Int] {
    let (samples, scores) = state.withLock { ($0.catalogue.members[label], $0.scores) }
    let order = try await orders.order(of: label, samples, scores)
    let answers = state.withLock { $0.answers.current }
    return Array(order.entries.lazy.map(\.sample).filter { answers[$0] == nil }.prefix(count))
  }

  /// The most suspicious images, of one class or of all.
  ///
  /// - Parameter suggestion: Only images that look like this class.
  func suspects(
    of label: Int?, suggestion: Int? = nil, count: Int, without: Set<Int>, session: String, person: String
  ) -> (picks: [Pick], left: Int) {
    state.withLock { state in
      var picks: [Pick] = []
      var left = 0
      for sample in state.suspects where label == nil || state.catalogue.labels[sample] == label {
        guard state.answers.current[sample]?.origin != .accepted, state.answers.isOpen(sample, to: person),
          suggestion == nil
            || state.scores?.suggestion(sample, label: state.catalogue.labels[sample]) == suggestion
        else { continue }
        left += 1
        guard picks.count < count, !without.contains(sample),
          !state.leases.isElsewhere(sample, than: session)
        else { continue }
        picks.append(Pick(sample: sample, selection: .suspect))
      }
      state.leases.take(picks, for: session)
      return (picks, left)
    }
  }

  // MARK: Taking in

  /// Keeps answers; on return they are on the disk.
  func add(_ records: [VerificationRecord], by person: String) async throws {
    try await writer.write(records)
    try await refresh()
    let looked = records.count { $0.origin != .accepted }
    let trials = records.count { $0.origin == .trial }
    // Only now: an image that is neither known to be answered nor in anybody's hands would be handed out again.
    state.withLock { state in
      state.pace.add(looked, by: person)
      state.trials[person, default: 0] += trials
      state.leases.release(records.lazy.map(\.sample))
    }
  }

  /// - Returns: The answers that were taken back.
  func undo(
    _ undone: Workspace.UndoneAnswers, by person: String
  ) async throws -> [Workspace.UndoneAnswer] {
    let workspace = workspace
    let answers = try await Blocking.run { try workspace.undoVerifications(undone, by: person) }
    try await refresh()
    return answers
  }

  /// Labels that are wrong with at least some probability, that nobody has judged, and for which a class is suggested; the
  /// most suspicious first.
  func acceptable(of label: Int?, above probability: Double) -> [(sample: Int, label: Int, suggestion: Int)] {
    state.withLock { state in
      guard let scores = state.scores else { return [] }
      return state.suspects.compactMap { sample in
        let given = state.catalogue.labels[sample]
        guard given >= 0, label == nil || given == label, state.answers.current[sample] == nil,
          let row = scores[sample], 1 - Double(row.probability) >= probability,
          let suggestion = scores.suggestion(sample, label: given)
        else { return nil }
        return (sample, given, suggestion)
      }
    }
  }

  /// Accepts the suggested classes of such labels.
  ///
  /// - Returns: How many.
  func acceptSuggestions(
    of label: Int?, above probability: Double, batch: String, by person: String
  ) async throws -> Int {
    let now = Date.now
    let records = acceptable(of: label, above: probability).map { one in
      VerificationRecord(
        sample: one.sample, label: one.label, answer: .wrong, person: person, date: now, origin: .accepted,
        client: "\(batch)-\(one.sample)", correction: one.suggestion, selection: .suspect)
    }
    try await add(records, by: person)
    return records.count
  }
}
