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
        measured: Self.measured(state), expected: mean(state.catalogue.classes),
        expectedUnverified: mean(unverified), history: history, verified: verified, next: next)
    }
  }

  /// Compares decisions with verdicts on images drawn at random.
  private static func measured(_ state: State) -> Outlook.Measured? {
    guard let scores = state.scores else { return nil }
    var byClass: [Int: (wrong: Int, count: Int)] = [:]
    for (sample, answer) in state.answers.current
    where answer.isRepresentative && answer.origin != .accepted {
      guard let isRight = answer.answer.isRight, let row = scores[sample] else { continue }
      let isMistaken = (row.probability >= 0.5) != isRight
      byClass[answer.label, default: (0, 0)].wrong += isMistaken ? 1 : 0
      byClass[answer.label, default: (0, 0)].count += 1
    }
    guard !byClass.isEmpty else { return nil }
    let error = byClass.values.reduce(0) { $0 + Double($1.wrong) / Double($1.count) } / Double(byClass.count)
    let (wrong, count) = byClass.values.reduce((0, 0)) { ($0.0 + $1.wrong, $0.1 + $1.count) }
    let (low, high) = Outlook.wilson(wrong, of: count)
    return Outlook.Measured(error: error, low: low, high: high, images: count, classes: byClass.count)
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
