import Foundation
import Workspace

extension Desk {
  /// The classes worth verifying next.
  func queue(limit: Int) -> [QueueEntry] {
    let (ranking, isScored) = state.withLock { state in
      let classes = state.catalogue.classes.map { label in
        let figures = state.figures[label]
        return ClassRanking.Standing(
          label: label, name: state.catalogue.classNames[label], images: state.catalogue.members[label].count,
          verified: state.answers.tallies[label].verified, doubt: figures?.doubt,
          contradictions: figures?.contradictions, disagreement: figures?.disagreement)
      }
      return (ClassRanking(classes: classes, geometry: state.geometry), state.scores != nil)
    }
    return ranking(isScored: isScored, limit: limit)
  }

  /// The stage under which moments of the outlook are kept.
  private static let stage = "review-outlook"

  func outlook() async throws -> Outlook {
    let workspace = workspace
    let history = try await Blocking.run {
      try workspace.runs(stage: Self.stage).compactMap { run in
        run.metrics.flatMap { try? JSONDecoder().decode(Outlook.Moment.self, from: Data($0.utf8)) }
      }
    }
    let next = queue(limit: 3).map(\.name)
    let order = drawOrder
    return state.withLock { state in
      let verified = state.answers.tallies.reduce(0) { $0 + $1.verified }
      func mean(_ labels: [Int]) -> Double? {
        let doubts = labels.compactMap { state.figures[$0]?.doubt }
        return doubts.isEmpty ? nil : doubts.reduce(0, +) / Double(doubts.count)
      }
      let unverified = state.catalogue.classes.filter {
        state.answers.tallies[$0].verified < ClassRanking.minimum
      }
      return Outlook(
        measured: Self.measured(state, order), expected: mean(state.catalogue.classes),
        expectedUnverified: mean(unverified), history: history, verified: verified, next: next)
    }
  }

  /// Compares decisions with verdicts on images drawn at random.
  private static func measured(_ state: State, _ order: DrawOrder) -> Outlook.Measured? {
    guard let scores = state.scores else { return nil }
    var wrong = 0
    var count = 0
    var classes = 0
    for (label, tally) in state.answers.tallies.enumerated() where tally.verified > 0 {
      let sample = ClassSample(
        label: label, members: state.catalogue.members[label], order: order,
        answer: { state.answers.current[$0] })
      let before = count
      for image in sample.drawn {
        guard let isRight = state.answers.current[image]?.answer.isRight, let row = scores[image] else {
          continue
        }
        count += 1
        if (row.probability >= 0.5) != isRight { wrong += 1 }
      }
      if count > before { classes += 1 }
    }
    guard count > 0 else { return nil }
    let (low, high) = Outlook.wilson(wrong, of: count)
    return Outlook.Measured(
      error: Double(wrong) / Double(count), low: low, high: high, wrong: wrong, images: count,
      classes: classes)
  }

  /// Notes how good things are after a scoring, for later extrapolation.
  func noteMoment() async throws {
    let moment: Outlook.Moment? = state.withLock { state in
      let doubts = state.catalogue.classes.compactMap { state.figures[$0]?.doubt }
      guard !doubts.isEmpty else { return nil }
      return Outlook.Moment(
        verified: state.answers.tallies.reduce(0) { $0 + $1.verified },
        expected: doubts.reduce(0, +) / Double(doubts.count))
    }
    guard let moment else { return }
    let (workspace, metrics) = (workspace, String(decoding: try JSONEncoder().encode(moment), as: UTF8.self))
    try await Blocking.run {
      let run = try workspace.beginRun(stage: Self.stage, key: StableHash.of(metrics))
      try workspace.finishRun(run, .done, metrics: metrics)
    }
  }
}
