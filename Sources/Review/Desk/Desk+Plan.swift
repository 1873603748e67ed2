import Foundation
import Workspace

/// A plan that somebody has begun, with what it said, to be compared with what happened.
struct BegunPlan: Sendable, Codable {
  /// A label in doubt that the plan is about, and what the model thought of it.
  struct Candidate: Sendable, Hashable, Codable {
    var sample: Int
    var isRight: Bool
  }

  var plan: ReviewPlan
  var person: String
  var date: Date
  var candidates: [Candidate]
}

/// How far a plan has come.
struct PlanStanding: Sendable, Codable {
  var plan: ReviewPlan
  /// Seconds since 1970.
  var begun: Double
  /// Images looked at since, and mistaken decisions among the planned ones that were set right.
  var looked: Int
  var mended: Int
  /// The bound on wrong labels now; nil where there is none.
  var upper: Double?
  var text: String
}

extension Desk {
  /// The stage under which plans are kept.
  private static let planStage = "review-plan"
  /// Seconds for an image before a person has shown others.
  private static let usualSeconds = 1.0

  /// The inputs of a plan.
  func planFacts(for person: String) -> ReviewPlan.Facts {
    let state = state.withLock { $0 }
    return Self.planFacts(state, drawOrder, person: person)
  }

  private static func planFacts(_ state: State, _ order: DrawOrder, person: String) -> ReviewPlan.Facts {
    var facts = ReviewPlan.Facts(isScored: state.scores != nil)
    facts.open = state.catalogue.classes.reduce(0) { sum, label in
      let tally = state.answers.tallies[label]
      return sum + state.catalogue.members[label].count - tally.verified - tally.unsure
    }
    if let pace = state.pace.perMinute(of: person), pace > 0 {
      facts.seconds = 60 / pace
    } else {
      facts.seconds = usualSeconds
    }
    guard let scores = state.scores else { return facts }
    let sample = randomSample(state, order)
    let drawn = Set(sample.map(\.sample))
    let contradicted = contradicted(state)
    facts.contradicted = contradicted.map(\.certainty)
    facts.contradictedWrong = contradicted.count { one in
      drawn.contains(one.sample) && state.answers.current[one.sample]?.answer == .wrong
    }
    facts.doubts = doubtful(state, open: person).map { scores.doubt($0) ?? 0 }
    if let kept = kept(sample, scores, labels: state.catalogue.labels) {
      facts.sample = kept.sample
      facts.wrong = kept.wrong
    }
    var (judged, kept, wrong) = (0, 0, 0.0)
    for sample in state.catalogue.labels.indices where state.catalogue.labels[sample] >= 0 {
      guard let row = scores[sample] else { continue }
      judged += 1
      guard row.probability >= 0.5 else { continue }
      kept += 1
      wrong += 1 - Double(row.probability)
    }
    facts.kept = Double(kept) / Double(max(1, judged))
    facts.expectedWrong = wrong / Double(max(1, kept))
    return facts
  }

  /// Begins a plan: what it says is kept, so that it can be compared with what happens.
  func begin(_ plan: ReviewPlan, by person: String) async throws {
    let state = state.withLock { $0 }
    let wished = plan.steps.first { $0.kind == .mend }?.images ?? 0
    let candidates =
      Self.contradicted(state).map(\.sample) + Self.doubtful(state, open: person).prefix(wished)
    let begun = BegunPlan(
      plan: plan, person: person, date: .now,
      candidates: candidates.compactMap { sample in
        state.scores?[sample].map { BegunPlan.Candidate(sample: sample, isRight: $0.probability >= 0.5) }
      })
    let text = String(decoding: try JSONEncoder().encode(begun), as: UTF8.self)
    let workspace = workspace
    try await Blocking.run {
      let run = try workspace.beginRun(stage: Self.planStage, key: StableHash.of(text))
      try workspace.finishRun(run, .done, metrics: text)
    }
  }

  /// How far the last plan of a person has come; nil if there is none of the last day.
  func planStanding(of person: String) async throws -> PlanStanding? {
    let workspace = workspace
    let begun = try await Blocking.run {
      try workspace.runs(stage: Self.planStage).lazy.reversed().compactMap { run in
        run.metrics.flatMap { try? JSONDecoder().decode(BegunPlan.self, from: Data($0.utf8)) }
      }.first { $0.person == person }
    }
    guard let begun, begun.date.timeIntervalSinceNow > -86_400 else { return nil }
    let looked = try await Blocking.run {
      try workspace.answersGiven(by: person, since: begun.date.timeIntervalSince1970)
    }
    let state = state.withLock { $0 }
    let mended = begun.candidates.count { candidate in
      guard let answer = state.answers.current[candidate.sample], answer.origin != .accepted,
        let isRight = answer.answer.isRight
      else { return false }
      return isRight != candidate.isRight
    }
    let upper = state.scores.flatMap { scores in
      Self.kept(Self.randomSample(state, drawOrder), scores, labels: state.catalogue.labels)?.upper
    }
    return PlanStanding(
      plan: begun.plan, begun: begun.date.timeIntervalSince1970, looked: looked, mended: mended, upper: upper,
      text: Self.text(begun.plan, looked: looked, mended: mended, upper: upper))
  }

  private static func text(_ plan: ReviewPlan, looked: Int, mended: Int, upper: Double?) -> String {
    let isDone = looked >= plan.images
    var text =
      isDone ? "Your plan is done: \(looked) images" : "Your plan: \(looked) of \(plan.images) images"
    if plan.mended >= 0.5 {
      text += ", \(mended) mistaken decisions set right (\(Int(plan.mended.rounded())) were expected)"
    }
    text += "."
    if let upper {
      text += " Now at most \(upper.percent) of the labels that look right are wrong"
      text += plan.upper.map { " (the plan said \($0.percent))." } ?? "."
    }
    return text
  }
}
