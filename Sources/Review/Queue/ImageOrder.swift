import Torch
import Workspace

/// In which order the images of one class are shown, and why each of them.
struct ImageOrder: Sendable {
  struct Entry: Sendable, Hashable {
    var sample: Int
    var selection: VerificationRecord.Selection
  }

  let entries: [Entry]

  /// Before anything was scored: spread over the class. Afterwards every second image comes from where verdicts help
  /// most, near the threshold; the others, spread over the class again, from a half that is kept aside, so that what
  /// is found in them is an honest estimate.
  init(_ clusters: ClassClusters, scores: Scores?, seed: UInt64) {
    guard let scores else {
      entries = SpreadOrder.of(clusters.clusters, seed: seed).map { Entry(sample: $0, selection: .spread) }
      return
    }
    let aside = SpreadOrder.of(
      clusters.clusters.map { $0.filter { Self.isKeptAside($0, seed: seed) } }, seed: seed)
    let doubtful = clusters.clusters.joined().filter { !Self.isKeptAside($0, seed: seed) }
      .map { (sample: $0, doubt: scores.doubt($0) ?? 0) }
      .sorted { ($0.doubt, $1.sample) > ($1.doubt, $0.sample) }
    var entries: [Entry] = []
    for index in 0..<max(aside.count, doubtful.count) {
      if index < aside.count { entries.append(Entry(sample: aside[index], selection: .spread)) }
      if index < doubtful.count {
        entries.append(Entry(sample: doubtful[index].sample, selection: .informative))
      }
    }
    self.entries = entries
  }

  /// Whether an image is only ever shown at random. Depends on its number alone, so that retraining changes nothing.
  static func isKeptAside(_ sample: Int, seed: UInt64) -> Bool {
    var random = SplitMix64(seed: seed ^ UInt64(bitPattern: Int64(sample)) &* 0x9E37_79B9_7F4A_7C15)
    return random.next() & 1 == 0
  }
}
