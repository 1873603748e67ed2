import Torch

/// Finds images that occur more than once.
///
/// *Exact*: small copies have the same pixels (or, without images, the features are the same). *Near*: by the
/// difference hash or by features a pair comes into question, and then the luminance of 16 × 16 patches, mirrored or not,
/// correlates highly too.
struct DuplicateFinder {
  let table: LabelTable
  /// Places in what follows belong to these samples.
  let ids: [Int]
  let signatures: [ImageSignature?]
  /// Features of the samples in few dimensions, a row a place; nil: none.
  let features: DenseFeatures?
  let threads: Int

  /// Candidates: bits by which difference hashes may differ, and what cosine of centered features will do.
  private static let bits = 6
  private static let cosine: Float = 0.9
  /// A pair's patches correlate at least so well, and its features if there are any.
  private static let correlation = 0.985
  /// Without pictures features must be the same but for rounding.
  private static let sameFeatures: Float = 0.9999
  private static let neighbors = 4
  /// So many images that share a part of their hashes are all compared with each other.
  private static let crowd = 200
  /// Groups that the page shows, and how many images of each.
  private static let shownGroups = 48
  private static let shownImages = 6
  /// A finding that concerns a larger share of the images tells nobody anything.
  private static let mostShare = 0.5

  func find() -> (data: Duplicates, groups: [[Int]]) {
    var exact = UnionFind(ids.count)
    for members in Dictionary(
      grouping: signatures.indices.filter { signatures[$0] != nil },
      by: {
        signatures[$0]?.content ?? 0
      }
    ).values {
      for place in members.dropFirst() { exact.join(members[0], place) }
    }
    var near = exact
    for (first, second) in candidates where isNear(first, second) { near.join(first, second) }
    let groups = near.groups.map { group in
      (places: group, isExact: group.allSatisfy { exact.root($0) == exact.root(group[0]) })
    }
    var found = groups.map { group in
      let images = group.places.map { ids[$0] }
      return Duplicates.Group(
        isExact: group.isExact,
        acrossSplits: Set(images.map { table.splits[$0] }).count > 1,
        acrossLabels: Set(images.map { table.allLabels[$0] }).count > 1,
        count: images.count, images: Array(images.prefix(Self.shownImages)))
    }
    let order = found.indices.sorted { rank(found[$0]) < rank(found[$1]) }
    found = order.map { found[$0] }
    let images = groups.reduce(0) { $0 + $1.places.count }
    let share = Double(images) / Double(max(1, ids.count))
    let data = Duplicates(
      examined: ids.count, total: table.present.count, method: method,
      exactGroups: found.count(where: \.isExact), nearGroups: found.count { !$0.isExact }, images: images,
      acrossSplits: found.count(where: \.acrossSplits), acrossLabels: found.count(where: \.acrossLabels),
      hidden: share > Self.mostShare
        ? "More than half of the images look like another one, as is usual for simple pictures. So single ones are not listed."
        : nil,
      groups: share > Self.mostShare ? [] : Array(found.prefix(Self.shownGroups)))
    return (data, order.map { place in groups[place].places.map { ids[$0] } })
  }

  private var method: String {
    let hasImages = signatures.contains { $0 != nil }
    switch (hasImages, features != nil) {
    case (true, true): return "pixels, a perceptual hash and features"
    case (true, false): return "pixels and a perceptual hash"
    default: return "features"
    }
  }

  /// Leaks first, then exact ones, then large groups.
  private func rank(_ group: Duplicates.Group) -> (Int, Int, Int, Int) {
    (group.acrossSplits ? 0 : 1, group.acrossLabels ? 0 : 1, group.isExact ? 0 : 1, -group.count)
  }

  private func isNear(_ first: Int, _ second: Int) -> Bool {
    guard let a = signatures[first], let b = signatures[second] else { return true }
    return a.correlation(b) >= Self.correlation
  }

  /// Pairs that may be duplicates.
  private var candidates: [(Int, Int)] {
    var pairs: [(Int, Int)] = []
    if let features {
      let places = Array(ids.indices)
      let found = nearestNeighbors(features, queries: places, k: Self.neighbors, threads: threads)
      for place in places {
        for rank in 0..<found.k {
          let other = Int(found.indices[place * found.k + rank])
          let cosine = found.similarities[place * found.k + rank]
          guard other >= 0 else { continue }
          let hasPictures = signatures[place] != nil && signatures[other] != nil
          if cosine >= (hasPictures ? Self.cosine : Self.sameFeatures) { pairs.append((place, other)) }
        }
      }
      return pairs
    }
    // Hashes that differ in few bits agree in one of some more bands.
    let bands = Self.bits + 1
    let width = 64 / bands
    for band in 0..<bands {
      let shift = UInt64(band * width)
      let mask = (UInt64(1) << UInt64(width)) - 1
      let places = signatures.indices.filter { signatures[$0] != nil }
      let buckets = Dictionary(grouping: places) { (signatures[$0]?.hash ?? 0) >> shift & mask }
      for bucket in buckets.values {
        // In a crowd, as empty pictures are one, each is compared with those of the next brightness; groups are chains.
        let isCrowd = bucket.count > Self.crowd
        let ordered = isCrowd ? bucket.sorted { brightness($0) < brightness($1) } : bucket
        for (rank, first) in ordered.enumerated() {
          let others = ordered[(rank + 1)...].prefix(Self.crowd).lazy.filter {
            distance(first, $0) <= Self.bits && (!isCrowd || isNear(first, $0))
          }
          pairs += others.prefix(isCrowd ? Self.neighbors : Self.crowd).map { (first, $0) }
        }
      }
    }
    return pairs
  }

  private func brightness(_ place: Int) -> Double { signatures[place]?.luminance ?? 0 }

  private func distance(_ first: Int, _ second: Int) -> Int {
    ((signatures[first]?.hash ?? 0) ^ (signatures[second]?.hash ?? 0)).nonzeroBitCount
  }
}

/// Sets that grow together (Tarjan 1975).
struct UnionFind {
  private var parents: [Int]

  init(_ count: Int) { parents = Array(0..<count) }

  func root(_ place: Int) -> Int {
    var place = place
    while parents[place] != place { place = parents[place] }
    return place
  }

  /// The smaller root stays, so that the outcome does not depend on the order of pairs.
  mutating func join(_ first: Int, _ second: Int) {
    let a = root(first)
    let b = root(second)
    guard a != b else { return }
    parents[max(a, b)] = min(a, b)
    parents[first] = min(a, b)
    parents[second] = min(a, b)
  }

  /// The sets of at least two, each ascending, by their first.
  var groups: [[Int]] {
    Dictionary(grouping: parents.indices, by: root).values.filter { $0.count > 1 }
      .map { $0.sorted() }.sorted { $0[0] < $1[0] }
  }
}
