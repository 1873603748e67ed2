import Torch

/// The share of an image's nearest neighbors that belong to each class, counted by their soft labels.
///
/// Images that are the same have one vote together, the mean of their soft labels: fifty copies of a wrong label are no
/// fifty witnesses. The other copies of an image itself are one neighbor more.
struct NeighborPosterior: Sendable {
  /// A quarter of a class of usual size, within these bounds.
  static let neighbors = 10...50

  private let near: Neighborhoods
  private let copies: Copies?

  /// - Parameters:
  ///   - features: `[N, d]`; neighbors are nearest by cosine, and no image is its own.
  ///   - classes: How many classes the images are of.
  ///   - recall: The share of the true neighbors that is to be found.
  ///   - store: May hold the neighbors of an earlier search.
  ///   - device: Where cosines are computed.
  init(
    _ features: some FeatureSource, classes: Int, recall: Double = NeighborSearch.usualRecall,
    store: NeighborStore? = nil, device: Device = .cpu, threads: Int,
    progress: (@Sendable (Double) -> Void)? = nil
  ) {
    let usual = features.count / (4 * max(1, classes))
    let wished = min(Self.neighbors.upperBound, max(Self.neighbors.lowerBound, usual))
    var search = NeighborSearch(k: max(0, min(wished, features.count - 1)))
    search.recall = recall
    search.device = device
    near = search(features, store: store, threads: threads, progress: progress)
    copies = near.firstOfEach.flatMap { Copies(firsts: $0) }
  }

  var quality: NeighborQuality { near.quality }

  /// Neighbors that are looked up of each image.
  var k: Int { near.k }

  /// The images that stand for all that are the same, ascending.
  var distinct: [Int] {
    guard let firsts = near.firstOfEach else { return Array(0..<near.count) }
    return firsts.indices.filter { firsts[$0] == $0 }
  }

  /// The neighbors' votes if images have these soft labels.
  func callAsFunction(_ softLabels: ClassVotes) -> NeighborVotes {
    guard let copies else { return NeighborVotes(near: near, votes: softLabels, others: nil) }
    let told = copies.told(softLabels)
    return NeighborVotes(near: near, votes: told.votes, others: told.others)
  }

  /// The votes of one image per group of equal images, for the whole group: by ``distinct``.
  func distinctVotes(_ softLabels: ClassVotes) -> ClassVotes { self(softLabels).votes.selecting(distinct) }
}

/// The votes of the images' neighbors.
struct NeighborVotes: Sendable {
  fileprivate let near: Neighborhoods
  /// By image; the first of several that are the same speaks for all.
  fileprivate let votes: ClassVotes
  /// Of images that are the same as others: what those say together, and its place by image, −1 for others.
  fileprivate let others: (votes: ClassVotes, places: [Int32])?

  /// Logarithms of the shares, with one image of the average kind added, so that none is zero: `[rows, E]`.
  func logShares(_ rows: [Int]) -> Tensor {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: max(1, near.k)) { found in
      votes.logShares(rows.count) { row, add in
        let image = rows[row]
        near.copyNeighbors(of: image..<image + 1, into: found)
        for place in 0..<near.k where found[place] >= 0 { add(votes, found[place]) }
        guard let others, others.places[image] >= 0 else { return }
        add(others.votes, Int(others.places[image]))
      }
    }
  }
}

/// Images that are the same as others, and what they say together.
private struct Copies: Sendable {
  /// The images of each group, ascending.
  private let groups: [[Int]]

  /// - Parameter firsts: Of each image the first that is the same.
  init?(firsts: [Int]) {
    var numbers: [Int: Int] = [:]
    var groups: [[Int]] = []
    for (image, first) in firsts.enumerated() where image != first {
      if let number = numbers[first] {
        groups[number].append(image)
      } else {
        numbers[first] = groups.count
        groups.append([first, image])
      }
    }
    guard !groups.isEmpty else { return nil }
    self.groups = groups
  }

  /// Soft labels in which a group's first image has the mean of the group, and for each image of a group the mean of the
  /// others of it.
  func told(_ softLabels: ClassVotes) -> (
    votes: ClassVotes, others: (votes: ClassVotes, places: [Int32])
  ) {
    var places = [Int32](repeating: -1, count: softLabels.count)
    var others = ClassVotes.Builder()
    var means: [Int: [(Int, Float)]] = [:]
    var next: Int32 = 0
    for group in groups {
      var sums: [Int: Float] = [:]
      for image in group { _ = softLabels.forEach(image) { sums[$0, default: 0] += $1 } }
      let order = sums.keys.sorted()
      for image in group {
        var own: [Int: Float] = [:]
        _ = softLabels.forEach(image) { own[$0] = $1 }
        for state in order {
          let share = ((sums[state] ?? 0) - (own[state] ?? 0)) / Float(group.count - 1)
          if share > 1e-6 { others.append(state, share) }
        }
        others.endImage()
        places[image] = next
        next += 1
      }
      means[group[0]] = order.map { ($0, (sums[$0] ?? 0) / Float(group.count)) }
    }
    var votes = ClassVotes.Builder()
    for image in 0..<softLabels.count {
      if let mean = means[image] {
        for (state, share) in mean { votes.append(state, share) }
      } else {
        _ = softLabels.forEach(image) { votes.append($0, $1) }
      }
      votes.endImage()
    }
    return (
      ClassVotes(votes, states: softLabels.states, average: softLabels.average),
      (ClassVotes(others, states: softLabels.states, average: softLabels.average), places)
    )
  }
}
