import Foundation

/// Unit vectors among which the nearest of any other vector are found: what ``NeighborSearch`` does for vectors among
/// themselves, kept for vectors that come later.
///
/// The vectors lie in half precision, in the order of lists of similar ones (``SphericalClusters``). A query is compared
/// with the centroids of all lists, and with the vectors of the ``probes`` nearest lists. How many lists that are is
/// chosen when the index is built, so that sampled vectors find the wished share of their true neighbors.
package struct NeighborIndex: Sendable {
  /// The number of vectors, N.
  package var count: Int { rows.count }
  /// d
  package var dimension: Int { rows.dimension }
  /// Lists searched for each query.
  package let probes: Int
  private let rows: HalfRows
  private let centroids: Tensor
  private let starts: [Int32]

  /// Fewer vectors than these lie in one list, so that all are compared.
  static let leastForLists = 4096
  /// Vectors on which the number of probes is chosen.
  private static let sample = 256
  /// Vectors that are compared at a time.
  private static let columns = 8192

  init(rows: HalfRows, centroids: Tensor, starts: [Int32], probes: Int) {
    self.rows = rows
    self.centroids = centroids
    self.starts = starts
    self.probes = probes
  }

  /// Divides vectors into lists.
  ///
  /// - Parameters:
  ///   - features: `[N, d]`, of any length.
  ///   - k: The number of neighbors that will be asked for.
  ///   - recall: The share of the true neighbors to find.
  ///   - scratch: A folder for a file that stands behind the vectors while the index is in use; nil: memory does.
  /// - Returns: The index, and for each of its rows the row of `features`.
  package static func build(
    _ features: some FeatureSource, k: Int, recall: Double = NeighborSearch.usualRecall, seed: UInt64 = 0,
    scratch: String? = nil, threads: Int
  ) -> (index: NeighborIndex, order: [Int]) {
    let vectors = UnitVectors(features, scratch: scratch, threads: threads).rows
    let all = (0..<Int32(vectors.count)).map { $0 }
    guard vectors.count >= leastForLists else {
      let center = withoutGradients { Tensor.zeros([1, vectors.dimension]) }
      let index = NeighborIndex(
        rows: vectors, centroids: center, starts: [0, Int32(vectors.count)], probes: 1)
      return (index, Array(0..<vectors.count))
    }
    let clusters = SphericalClusters(
      vectors, among: all, clusters: NeighborSearch.lists(vectors.count), seed: seed, threads: threads)
    var lists = [[Int]](repeating: [], count: clusters.count)
    for (row, list) in clusters.nearest(vectors, all, threads: threads).enumerated() {
      lists[Int(list)].append(row)
    }
    var starts: [Int32] = [0]
    for list in lists { starts.append(starts[starts.count - 1] + Int32(list.count)) }
    let order = lists.flatMap { $0 }
    let bytes = HalfRows.byteCount(vectors.count, dimension: vectors.dimension)
    let sorted = HalfRows(
      MappedBytes.passing(bytes, in: scratch), count: vectors.count, dimension: vectors.dimension)
    for (place, row) in order.enumerated() { sorted.set(place, from: vectors, row) }
    let every = NeighborIndex(
      rows: sorted, centroids: clusters.centroids, starts: starts, probes: clusters.count)
    let probes = every.neededProbes(k: k, recall: recall, seed: seed)
    let index = NeighborIndex(rows: sorted, centroids: clusters.centroids, starts: starts, probes: probes)
    return (index, order)
  }

  /// The least number of lists that hold the wished share of the true neighbors of sampled vectors.
  private func neededProbes(k: Int, recall: Double, seed: UInt64) -> Int {
    var random = SplitMix64(seed: seed &+ 0x1DE)
    let sample = SphericalClusters.drawn(Self.sample, of: count, &random)
    return withoutGradients {
      let queries = rows.rows(sample.map { Int32($0) })
      let truth = compare(queries, k: k + 1)
      let ranked = queries.matmul(centroids.transposed()).topK(listCount).indices.ints()
      var found = [Int](repeating: 0, count: listCount)
      var all = 0
      for (row, own) in sample.enumerated() {
        let order = ranked[row * listCount..<(row + 1) * listCount]
        let ranks = Dictionary(uniqueKeysWithValues: zip(order, 0...))
        for key in truth.keys[row * truth.k..<(row + 1) * truth.k] where key >= 0 && Int(key) != own {
          found[ranks[list(of: Int(key))] ?? 0] += 1
          all += 1
        }
      }
      var sum = 0
      let needed = recall * Double(all)
      let last = found.firstIndex { count in
        sum += count
        return Double(sum) >= needed
      }
      return (last ?? listCount - 1) + 1
    }
  }

  private var listCount: Int { starts.count - 1 }

  /// The list that a row lies in.
  private func list(of row: Int) -> Int {
    var low = 0
    var high = listCount
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(starts[middle]) <= row { low = middle } else { high = middle }
    }
    return low
  }

  // MARK: Search

  /// Neighbors of some queries.
  package struct Found: Sendable {
    package let k: Int
    /// Rows of the index, `[n, k]`, the most similar first; −1 where fewer were found.
    package let rows: [Int32]
    /// Their cosines, `[n, k]`.
    package let cosines: [Float]
  }

  /// The neighbors of a query are the same whatever is asked beside it.
  ///
  /// - Parameter queries: Unit vectors, `[n, d]`.
  package func nearest(_ queries: Tensor, k: Int) -> Found {
    withoutGradients {
      let wide = k + Self.margin
      let candidates = probes >= listCount ? compare(queries, k: wide) : search(queries, k: wide)
      return ranked(candidates, for: queries, k: k)
    }
  }

  /// Candidates to look at beyond the k nearest. Products of matrices end in other bits in batches of another size, so
  /// that the k-th neighbor may change places with the next.
  private static let margin = 8

  /// The nearest of some candidates, by cosines that are computed for each query alone.
  private func ranked(_ candidates: NeighborLists, for queries: Tensor, k: Int) -> Found {
    let count = queries.size(0)
    var found = NeighborLists(rows: count, k: k)
    for row in 0..<count {
      let keys = candidates.keys[row * candidates.k..<(row + 1) * candidates.k].filter { $0 >= 0 }
      let cosines = (rows.rows(keys) * queries[row]).sum(dim: 1).contiguous()
      cosines.withUnsafeBytes { bytes in
        keys.withUnsafeBufferPointer { found.offer(row, bytes.bindMemory(to: Float.self), keys: $0) }
      }
    }
    return Found(k: k, rows: found.keys, cosines: found.cosines)
  }

  /// With all vectors.
  private func compare(_ queries: Tensor, k: Int) -> NeighborLists {
    let own = Array(0..<queries.size(0))
    var found = NeighborLists(rows: own.count, k: k)
    offer(queries, rows: own, 0..<count, to: &found)
    return found
  }

  /// For each list there is one product with all the queries that search it.
  private func search(_ queries: Tensor, k: Int) -> NeighborLists {
    let count = queries.size(0)
    var found = NeighborLists(rows: count, k: k)
    var searchers: [Int: [Int]] = [:]
    // In float64, so that the lists of a query do not depend on the others either.
    let probed = queries.to(.float64).matmul(centroids.to(.float64).transposed()).topK(probes).indices.ints()
    for (place, list) in probed.enumerated() { searchers[list, default: []].append(place / probes) }
    let order = searchers.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
    for (list, rows) in order {
      let own = rows.count == count ? queries : queries.indexSelect(Tensor(rows))
      offer(own, rows: rows, Int(starts[list])..<Int(starts[list + 1]), to: &found)
    }
    return found
  }

  private func offer(_ queries: Tensor, rows: [Int], _ range: Range<Int>, to found: inout NeighborLists) {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.columns) {
      let columns = start..<min(start + Self.columns, range.upperBound)
      let cosines = queries.matmul(self.rows.rows(columns).transposed()).contiguous()
      cosines.withUnsafeBytes { bytes in
        let values = bytes.bindMemory(to: Float.self)
        for (place, row) in rows.enumerated() {
          let own = values[place * columns.count..<(place + 1) * columns.count]
          found.offer(row, UnsafeBufferPointer(rebasing: own), keys: columns)
        }
      }
    }
  }

  // MARK: As a file's content

  private static let vectorsName = "index.vectors"
  private static let centroidsName = "index.centroids"
  private static let startsName = "index.starts"
  private static let probesName = "index.probes"

  /// The index as tensors of a file. Bytes of the vectors are not copied.
  package var stored: [(name: String, tensor: StoredTensor)] {
    let vectors = StoredTensor(dtype: .float16, shape: [count, dimension], bytes: rows.data)
    let starts = StoredTensor(
      dtype: .int32, shape: [starts.count], bytes: self.starts.withUnsafeBytes { Data($0) })
    return [
      (Self.vectorsName, vectors), (Self.centroidsName, centroids.stored), (Self.startsName, starts),
      (Self.probesName, Tensor([probes]).stored),
    ]
  }

  /// Opens what ``stored`` gave. Vectors stay in the file until they are compared.
  ///
  /// - Throws: ``ParameterError`` where something is missing or does not fit.
  package init(_ file: Checkpoint) throws(ParameterError) {
    func tensor(_ name: String) throws(ParameterError) -> StoredTensor {
      guard let found = file[name] else { throw .missing(name) }
      return found
    }
    let vectors = try tensor(Self.vectorsName)
    let centroids = Tensor(try tensor(Self.centroidsName))
    let starts = Tensor(try tensor(Self.startsName)).ints()
    let probes = Tensor(try tensor(Self.probesName)).ints().first ?? 0
    guard vectors.dtype == .float16, vectors.shape.count == 2, centroids.rank == 2,
      centroids.size(1) == vectors.shape[1]
    else { throw .shape(Self.vectorsName, found: vectors.shape, expected: centroids.shape) }
    let count = vectors.shape[0]
    let isRising = zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    guard starts.count == centroids.size(0) + 1, starts.first == 0, starts.last == count, isRising,
      (1...centroids.size(0)).contains(probes)
    else { throw .shape(Self.startsName, found: [starts.count], expected: [centroids.size(0) + 1]) }
    let memory = MappedBytes(vectors.bytes)
    self.init(
      rows: HalfRows(memory, count: count, dimension: vectors.shape[1]), centroids: centroids,
      starts: starts.map { Int32($0) }, probes: probes)
  }
}
