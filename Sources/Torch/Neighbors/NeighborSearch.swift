import Foundation

/// The nearest neighbors of examples among themselves by cosine, of which duplicates count as one: exact where there are
/// few, and where there are many by clustered lists, whose recall is chosen and measured.
///
/// *Clustered lists*: the vectors are divided into some thousand lists of similar ones (``SphericalClusters``), and
/// each looks for its neighbors in a few of the lists nearest to it. How many, a sample says: its true neighbors are
/// looked up among all, and as many lists are searched as hold the wished share of them. Of N examples that takes about
/// N^1.4 operations instead of N². It needs the memory of a few thousand vectors and of the outcome, `N · k` numbers of
/// 4 bytes, which lies in a file where there is a ``NeighborStore``. The outcome is the same for any number of threads.
package struct NeighborSearch: Sendable {
  /// Neighbors of each.
  package var k: Int
  /// The share of the true neighbors that is to be found.
  package var recall = Self.usualRecall
  /// Of fewer groups than this all are compared with all.
  package var exactBelow = 50_000
  package var seed: UInt64 = 0
  /// A GPU compares all with all, however many there are, and finds every neighbor.
  package var device = Device.cpu
  /// Vectors that search together, and are kept together.
  var block = 4096

  /// More is not worth its time: judgements change no more (docs/scale.md).
  package static let usualRecall = 0.95
  /// Vectors with a higher cosine are the same but for rounding; in few dimensions different ones come as near.
  package static func sameCosine(dimension: Int) -> Float { dimension < 8 ? .infinity : 0.99999 }
  /// Examples on which recall is measured.
  static let sample = 2000
  /// Lists for a set of vectors: comparing with their centroids and with their content takes about as long.
  static func lists(_ count: Int) -> Int { max(1, Int(3 * Double(count).squareRoot())) }

  package init(k: Int) { self.k = k }

  /// Bytes of a GPU's memory that the search of this many vectors takes.
  package static func gpuBytes(_ count: Int, dimension: Int) -> Int {
    GPUNeighbors.byteCount(count, dimension: dimension)
  }

  /// - Parameters:
  ///   - features: `[N, d]`, of any length; rows are read several times, in order.
  ///   - store: May hold the neighbors of an earlier search, whole or in part, and are kept.
  ///   - progress: Called from any thread with the share of the work done.
  package func callAsFunction(
    _ features: some FeatureSource, store: NeighborStore? = nil, threads: Int,
    progress: (@Sendable (Double) -> Void)? = nil
  ) -> Neighborhoods {
    let vectors = UnitVectors(features, scratch: store?.folder, threads: threads)
    progress?(0.05)
    let key = key(vectors)
    let kept = store?.open(key: key, k: k, count: features.count, block: block)
    if let complete = kept?.complete { return complete }
    let run = Run(
      search: self, vectors: vectors, store: store, key: key, threads: threads, progress: progress)
    if let partial = kept?.partial { return run.clustered(partial) }
    let distinct = vectors.distinct
    return distinct.count < exactBelow || device != .cpu
      ? run.exact(features, distinct) : run.clustered(run.divided(distinct))
  }

  /// A key of everything that the outcome depends on.
  private func key(_ vectors: UnitVectors) -> String {
    let settings: [UInt64] = [
      1, UInt64(k), recall.bitPattern, UInt64(device == .cpu ? exactBelow : .max), seed, UInt64(block),
      UInt64(vectors.rows.count),
      UInt64(vectors.rows.dimension),
    ]
    let values = settings.withUnsafeBytes { settings in
      vectors.digests.withUnsafeBytes { MappedBytes.digest($0, from: MappedBytes.digest(settings)) }
    }
    return String(values, radix: 16)
  }
}

/// The examples' directions in half precision, in their order, and which of them are the same.
struct UnitVectors: Sendable {
  let rows: HalfRows
  let digests: [UInt64]
  /// For each row the first with the same bytes.
  let firsts: [Int32]

  private static let chunk = 4096

  init(_ features: some FeatureSource, scratch: String?, threads: Int) {
    let count = features.count
    let dimension = features.dimension
    let rows = HalfRows(
      MappedBytes.passing(HalfRows.byteCount(count, dimension: dimension), in: scratch), count: count,
      dimension: dimension)
    digests = concurrentMap(over: (count + Self.chunk - 1) / Self.chunk, threads: threads, engineThreads: 1) {
      chunk in
      let range = chunk * Self.chunk..<min((chunk + 1) * Self.chunk, count)
      withoutGradients { rows.set(from: range.lowerBound, features.rows(range).normalized()) }
      return range.map { MappedBytes.digest(rows.bytes($0)) }
    }.flatMap { $0 }
    self.rows = rows
    firsts = rows.firstEqualRows(digests: digests)
  }

  /// The rows that are the same as no earlier one, ascending.
  var distinct: [Int32] { firsts.indices.lazy.filter { firsts[$0] == $0 }.map { Int32($0) } }
}

extension NeighborSearch {
  /// One search: what all its steps need.
  struct Run: Sendable {
    let search: NeighborSearch
    let vectors: UnitVectors
    let store: NeighborStore?
    let key: String
    let threads: Int
    let progress: (@Sendable (Double) -> Void)?

    // MARK: All with all

    func exact(_ features: some FeatureSource, _ distinct: [Int32]) -> Neighborhoods {
      var firsts = distinct.map { Int($0) }
      var found = allWithAll(features, firsts)
      var groups = Groups(vectors.firsts)
      let same = NeighborSearch.sameCosine(dimension: features.dimension)
      for (place, cosine) in found.similarities.enumerated() where cosine >= same {
        groups.join(firsts[place / found.k], Int(found.indices[place]))
      }
      if groups.count < firsts.count {
        firsts = groups.firsts.map { Int($0) }
        found = allWithAll(features, firsts)
      }
      let division = Division(groups: groups, k: found.k)
      let table =
        store?.table(groups: firsts.count, k: found.k) ?? MappedBytes(count: found.indices.count * 4)
      found.indices.withUnsafeBytes { table.bytes.copyMemory(from: $0) }
      let quality = NeighborQuality.exact(
        wanted: search.recall, duplicates: vectors.firsts.count - firsts.count)
      store?.keep(division, table: table, key: key, quality: quality, block: search.block)
      return Neighborhoods(
        k: found.k, quality: quality, places: division.places, firsts: division.firsts, table: table)
    }

    private func allWithAll(_ features: some FeatureSource, _ rows: [Int]) -> NearestNeighbors {
      guard search.device == .cpu else {
        return GPUNeighbors(
          vectors.rows, examples: rows.map { Int32($0) }, k: search.k, device: search.device
        ).find(threads: threads, progress: progress)
      }
      return nearestNeighbors(features, queries: rows, k: search.k, threads: threads, progress: progress)
    }

    // MARK: By lists

    /// Divides distinct vectors into lists, each with one vector for a group of duplicates.
    func divided(_ distinct: [Int32]) -> Division {
      let clusters = SphericalClusters(
        vectors.rows, among: distinct, clusters: NeighborSearch.lists(distinct.count), seed: search.seed,
        threads: threads)
      progress?(0.1)
      let nearest = clusters.nearest(vectors.rows, distinct, threads: threads)
      var lists = [[Int32]](repeating: [], count: clusters.count)
      for (place, list) in nearest.enumerated() { lists[Int(list)].append(distinct[place]) }
      progress?(0.2)
      let members = lists
      let pairs = concurrentMap(over: members.count, threads: threads, engineThreads: 1) {
        samePairs(members[$0])
      }
      var groups = Groups(vectors.firsts)
      for (first, second) in pairs.joined() { groups.join(Int(first), Int(second)) }
      return Division(lists: lists, groups: groups, clusters: clusters, k: search.k)
    }

    /// Pairs of rows that are the same but for rounding.
    private func samePairs(_ rows: [Int32]) -> [(Int32, Int32)] {
      var pairs: [(Int32, Int32)] = []
      let least = NeighborSearch.sameCosine(dimension: vectors.rows.dimension)
      guard least <= 1 else { return [] }
      for start in stride(from: 0, to: rows.count, by: search.block) {
        let columns = rows[start..<min(start + search.block, rows.count)]
        for other in stride(from: 0, through: start, by: search.block) {
          let own = rows[other..<min(other + search.block, rows.count)]
          withoutGradients {
            let cosines = vectors.rows.rows(own).matmul(vectors.rows.rows(columns).transposed())
            let same = (cosines .>= Double(least)).nonZero().ints()
            for place in stride(from: 0, to: same.count, by: 2) {
              let first = own[other + same[place]]
              let second = columns[start + same[place + 1]]
              if first < second { pairs.append((first, second)) }
            }
          }
        }
      }
      return pairs
    }

    /// Searches what was not searched yet.
    func clustered(_ division: Division) -> Neighborhoods {
      let count = division.firsts.count
      let k = division.k
      guard let clusters = division.clusters else { preconditionFailure("a division without lists") }
      let dimension = vectors.rows.dimension
      let bytes = HalfRows.byteCount(count, dimension: dimension)
      let ordered = HalfRows(
        store?.vectors(bytes) ?? MappedBytes(count: bytes), count: count, dimension: dimension)
      for (place, row) in division.firsts.enumerated() { ordered.set(place, from: vectors.rows, Int(row)) }
      let lists = ClusteredLists(
        clusters: clusters, starts: division.starts, keys: division.firsts, vectors: ordered)
      progress?(0.25)

      var random = SplitMix64(seed: search.seed &+ 0x5A3)
      let sample = SphericalClusters.drawn(NeighborSearch.sample, of: count, &random).map { Int32($0) }
      let truth = lists.exact(sample, k: k, threads: threads)
      let probing = probing(lists, division, sample, truth)
      progress?(0.35)

      let table = store?.table(groups: count, k: k) ?? MappedBytes(count: count * k * 4)
      let journal = NeighborJournal(table, rows: count, width: k * 4, block: search.block, store: store)
      store?.begin(division, key: key)
      let pending = journal.pending
      let done = Counter()
      concurrently(over: pending.count, threads: threads, engineThreads: 1) { index in
        let rows = journal.rows(of: pending[index])
        journal.write(pending[index], lists.search(rows, k: k, probing).keys)
        progress?(0.35 + 0.65 * Double(done.take() + 1) / Double(pending.count))
      }
      let quality = NeighborQuality(
        wanted: search.recall, reached: recall(table, sample, truth), sample: sample.count,
        lists: lists.listCount, probes: probing.probes, duplicates: vectors.firsts.count - count)
      store?.keep(division, table: table, key: key, quality: quality, block: search.block)
      return Neighborhoods(
        k: k, quality: quality, places: division.places, firsts: division.firsts, table: table)
    }

    /// As many lists as hold the wished share of the sample's true neighbors.
    private func probing(
      _ lists: ClusteredLists, _ division: Division, _ sample: [Int32], _ truth: NeighborLists
    ) -> ClusteredLists.Probing {
      var looked = min(64, lists.listCount)
      while true {
        let all = lists.probing(looked, looked: looked, threads: threads)
        var counts = [Int](repeating: 0, count: looked)
        for (row, place) in sample.enumerated() {
          let vector = withoutGradients { lists.vectors.rows(CollectionOfOne(place)) }
          let order = lists.probes(vector, in: lists.list(at: Int(place)), all)
          let ranks = Dictionary(uniqueKeysWithValues: zip(order, 0...))
          for key in truth.keys[row * truth.k..<(row + 1) * truth.k] where key >= 0 {
            let list = lists.list(at: Int(division.places[Int(key)]))
            if let rank = ranks[Int32(list)] { counts[rank] += 1 }
          }
        }
        let needed = search.recall * Double(truth.keys.count { $0 >= 0 })
        var found = 0
        let probes = counts.firstIndex {
          found += $0
          return Double(found) >= needed
        }
        // The lists that are looked at must reach well beyond the ones that are searched.
        if let probes, 2 * (probes + 1) <= looked || looked == lists.listCount {
          return ClusteredLists.Probing(probes: probes + 1, looked: looked, near: all.near)
        }
        if looked == lists.listCount { return all }
        looked = min(2 * looked, lists.listCount)
      }
    }

    /// The share of the sample's true neighbors that the table has.
    private func recall(_ table: MappedBytes, _ sample: [Int32], _ truth: NeighborLists) -> Double {
      let found = table.bytes.bindMemory(to: Int32.self)
      var hits = 0
      var all = 0
      for (row, place) in sample.enumerated() {
        let own = Set(truth.keys[row * truth.k..<(row + 1) * truth.k].filter { $0 >= 0 })
        let start = Int(place) * truth.k
        hits += found[start..<start + truth.k].count { own.contains($0) }
        all += own.count
      }
      return all > 0 ? Double(hits) / Double(all) : 1
    }
  }
}
