import Workspace

/// In which order the images of one class are shown, and why each of them.
struct ImageOrder: Sendable {
  struct Entry: Sendable, Hashable {
    var sample: Int
    var selection: VerificationRecord.Selection
  }

  let entries: [Entry]

  /// Before anything was scored: as they are drawn. Afterwards every second image comes from where verdicts help most,
  /// near the threshold. Such an image keeps its place in the order of drawing: what is found in it counts for the class
  /// as soon as all images drawn before it are answered, too.
  ///
  /// - Parameter samples: All images of the class that can be shown.
  init(_ samples: [Int], drawnBy order: DrawOrder, scores: Scores?) {
    let drawn = order.sorted(samples)
    guard let scores else {
      entries = drawn.map { Entry(sample: $0, selection: .drawn) }
      return
    }
    let doubtful = samples.map { (sample: $0, doubt: scores.doubt($0) ?? 0) }
      .sorted { ($0.doubt, $1.sample) > ($1.doubt, $0.sample) }.map(\.sample)
    var entries: [Entry] = []
    var seen = Set<Int>()
    for (next, doubted) in zip(drawn, doubtful) {
      if seen.insert(next).inserted { entries.append(Entry(sample: next, selection: .drawn)) }
      if seen.insert(doubted).inserted { entries.append(Entry(sample: doubted, selection: .informative)) }
    }
    self.entries = entries
  }
}
