/// Sets of examples that are the same; the first of each stands for it (Tarjan 1975).
struct Groups: Sendable {
  private var parents: [Int32]
  private(set) var count: Int

  /// - Parameter firsts: For each example the first that is known to be the same.
  init(_ firsts: [Int32]) {
    parents = firsts
    count = firsts.indices.count { firsts[$0] == $0 }
  }

  func first(of example: Int) -> Int {
    var example = example
    while parents[example] != example { example = Int(parents[example]) }
    return example
  }

  /// The smaller first stays, so that the outcome does not depend on the order of pairs.
  mutating func join(_ one: Int, _ other: Int) {
    let a = first(of: one)
    let b = first(of: other)
    guard a != b else { return }
    parents[max(a, b)] = Int32(min(a, b))
    parents[one] = Int32(min(a, b))
    parents[other] = Int32(min(a, b))
    count -= 1
  }

  /// The first of each group, ascending.
  var firsts: [Int32] { parents.indices.lazy.filter { parents[$0] == $0 }.map { Int32($0) } }

  var examples: Int { parents.count }
}

/// How examples are divided into lists of groups.
struct Division: Sendable {
  /// Neighbors of each.
  let k: Int
  /// Per example the place of its group.
  let places: [Int32]
  /// Per place the group's first example: in the order of the lists, ascending within each.
  let firsts: [Int32]
  /// Where each list begins, and the end; empty where there are no lists.
  let starts: [Int32]
  let clusters: SphericalClusters?

  init(k: Int, places: [Int32], firsts: [Int32], starts: [Int32], clusters: SphericalClusters?) {
    self.k = k
    self.places = places
    self.firsts = firsts
    self.starts = starts
    self.clusters = clusters
  }

  /// Without lists: places in the order of the examples.
  init(groups: Groups, k: Int) {
    self.init(groups: groups, firsts: groups.firsts, starts: [], clusters: nil, k: k)
  }

  /// - Parameter lists: The examples of each list that are the first of some; of each group one stays.
  init(lists: [[Int32]], groups: Groups, clusters: SphericalClusters, k: Int) {
    var firsts = [Int32]()
    var starts = [Int32(0)]
    for list in lists {
      firsts += list.filter { groups.first(of: Int($0)) == $0 }
      starts.append(Int32(firsts.count))
    }
    self.init(
      groups: groups, firsts: firsts, starts: starts, clusters: clusters, k: min(k, max(0, firsts.count - 1)))
  }

  private init(groups: Groups, firsts: [Int32], starts: [Int32], clusters: SphericalClusters?, k: Int) {
    var placeOfFirst = [Int32](repeating: -1, count: groups.examples)
    for (place, first) in firsts.enumerated() { placeOfFirst[Int(first)] = Int32(place) }
    self.init(
      k: k, places: (0..<groups.examples).map { placeOfFirst[groups.first(of: $0)] }, firsts: firsts,
      starts: starts, clusters: clusters)
  }
}
