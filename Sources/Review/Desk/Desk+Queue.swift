import Evaluation
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
    // Counted on a copy, so that nobody waits.
    let state = state.withLock { $0 }
    let verified = state.answers.tallies.reduce(0) { $0 + $1.verified }
    func mean(_ labels: [Int]) -> Double? {
      let doubts = labels.compactMap { state.figures[$0]?.doubt }
      return doubts.isEmpty ? nil : doubts.reduce(0, +) / Double(doubts.count)
    }
    let unverified = state.catalogue.classes.filter {
      state.answers.tallies[$0].verified < ClassRanking.minimum
    }
    let sample = Self.randomSample(state, drawOrder)
    return Outlook(
      measured: state.scores.flatMap { Self.measured(sample, $0) },
      kept: state.scores.flatMap { Self.kept(sample, $0, labels: state.catalogue.labels) },
      expected: mean(state.catalogue.classes), expectedUnverified: mean(unverified), history: history,
      verified: verified, next: next)
  }

  /// The images drawn at random in each class that has begun, with what people said about them.
  static func randomSample(_ state: State, _ order: DrawOrder) -> [CurrentAnswer] {
    state.answers.tallies.indices.filter {
      state.answers.tallies[$0].verified + state.answers.tallies[$0].unsure > 0
    }.flatMap { label in
      ClassSample(
        label: label, members: state.catalogue.members[label], order: order,
        answer: { state.answers.current[$0] }
      ).drawn.compactMap { state.answers.current[$0] }
    }
  }

  /// Compares decisions with verdicts on images drawn at random.
  private static func measured(_ sample: [CurrentAnswer], _ scores: Scores) -> Outlook.Measured? {
    let judged = sample.compactMap { answer in
      answer.answer.isRight.flatMap { isRight in
        scores[answer.sample].map { (answer.label, ($0.probability >= 0.5) == isRight) }
      }
    }
    guard !judged.isEmpty else { return nil }
    return Outlook.Measured(
      wrong: judged.count { !$0.1 }, images: judged.count, classes: Set(judged.map(\.0)).count)
  }

  /// Bounds the wrong labels among the labels that look right, in classes with enough random images. "Not sure" counts
  /// as wrong.
  static func kept(_ sample: [CurrentAnswer], _ scores: Scores, labels: [Int]) -> Outlook.Kept? {
    let verdicts = Dictionary(
      uniqueKeysWithValues: sample.filter { scores[$0.sample] != nil }.map {
        ($0.sample, $0.answer.isRight ?? false)
      })
    let isKept = labels.indices.map { labels[$0] >= 0 && (scores[$0]?.probability ?? 0) >= 0.5 }
    guard
      let guarantee = NoiseGuarantee(labels: labels, isKept: isKept, verdicts: verdicts),
      guarantee.overall.kept > 0
    else { return nil }
    let bound = guarantee.overall
    return Outlook.Kept(
      upper: bound.upperAtAnyTime, labels: bound.kept, classes: guarantee.covered.count, sample: bound.sample,
      wrong: bound.wrong)
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
    let workspace = workspace
    let metrics = String(decoding: try JSONEncoder().encode(moment), as: UTF8.self)
    try await Blocking.run {
      let run = try workspace.beginRun(stage: Self.stage, key: StableHash.of(metrics))
      try workspace.finishRun(run, .done, metrics: metrics)
    }
  }
}
