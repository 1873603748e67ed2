/// Unit vectors in the order of lists of similar ones. Whoever looks for neighbors looks in a few lists only.
struct ClusteredLists: Sendable {
  let clusters: SphericalClusters
  /// Where each list begins among the places; one more than there are lists.
  let starts: [Int32]
  /// The key of the vector at each place, ascending within a list.
  let keys: [Int32]
  /// The vectors by place.
  let vectors: HalfRows

  /// Keys compared at a time: a list may be long where many vectors are alike.
  private static let columns = 8192

  var count: Int { keys.count }
  var listCount: Int { starts.count - 1 }

  func list(_ list: Int32) -> Range<Int> { Int(starts[Int(list)])..<Int(starts[Int(list) + 1]) }

  /// The list in which a place lies.
  func list(at place: Int) -> Int {
    // The last list that begins at or before the place: empty ones are skipped.
    var low = 0
    var high = listCount
    while high - low > 1 {
      let middle = (low + high) / 2
      if Int(starts[middle]) <= place { low = middle } else { high = middle }
    }
    return low
  }

  // MARK: Which lists

  /// How many lists are searched for each vector, and among which they are chosen.
  struct Probing: Sendable {
    /// Lists searched.
    let probes: Int
    /// Lists looked at: the nearest of the vector's own list.
    let looked: Int
    /// For each list the lists that are looked at, `[L, looked]`.
    let near: [Int32]
  }

  func probing(_ probes: Int, looked: Int, threads: Int) -> Probing {
    let looked = min(listCount, looked)
    return Probing(
      probes: min(probes, looked), looked: looked, near: clusters.nearestCentroids(looked, threads: threads))
  }

  /// The nearest lists of vectors that lie in one list, the nearest first: `[n, probes]`.
  func probes(_ vectors: Tensor, in list: Int, _ probing: Probing) -> [Int32] {
    let near = probing.near[list * probing.looked..<(list + 1) * probing.looked]
    let centroids = clusters.centroids.indexSelect(Tensor(near.map { Int($0) }))
    let order = vectors.matmul(centroids.transposed()).topK(probing.probes).indices.ints()
    return order.map { near[near.startIndex + $0] }
  }

  // MARK: The search

  /// The nearest of the vectors at consecutive places, with keys.
  ///
  /// For each list there is one product with all the vectors that search it.
  func search(_ places: Range<Int>, k: Int, _ probing: Probing) -> NeighborLists {
    withoutGradients {
      let queries = vectors.rows(places)
      var found = NeighborLists(rows: places.count, k: k)
      for (list, rows) in searchers(places, queries, probing) {
        let own = rows.count == places.count ? queries : queries.indexSelect(Tensor(rows))
        let range = self.list(list)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.columns) {
          let columns = start..<min(start + Self.columns, range.upperBound)
          offer(own, rows: rows, first: places.lowerBound, columns, to: &found)
        }
      }
      return found
    }
  }

  private func offer(
    _ queries: Tensor, rows: [Int], first: Int, _ columns: Range<Int>, to found: inout NeighborLists
  ) {
    let cosines = queries.matmul(vectors.rows(columns).transposed()).contiguous()
    cosines.withUnsafeBytes { bytes in
      let values = bytes.bindMemory(to: Float.self)
      keys.withUnsafeBufferPointer { keys in
        let own = UnsafeBufferPointer(rebasing: keys[columns])
        for (place, row) in rows.enumerated() {
          found.offer(
            row, UnsafeBufferPointer(rebasing: values[place * columns.count..<(place + 1) * columns.count]),
            keys: own, except: keys[first + row])
        }
      }
    }
  }

  /// The lists that any of the vectors searches, with the rows of these vectors. Lists with many of them come first,
  /// because the vectors lie there themselves: later lists are mostly less similar.
  private func searchers(
    _ places: Range<Int>, _ queries: Tensor, _ probing: Probing
  ) -> [(list: Int32, rows: [Int])] {
    var rows: [Int32: [Int]] = [:]
    var start = places.lowerBound
    while start < places.upperBound {
      let list = list(at: start)
      let end = min(places.upperBound, Int(starts[list + 1]))
      let local = start - places.lowerBound..<end - places.lowerBound
      let probes = probes(queries[local], in: list, probing)
      for (place, probed) in probes.enumerated() {
        rows[probed, default: []].append(local.lowerBound + place / probing.probes)
      }
      start = end
    }
    return rows.map { (list: $0.key, rows: $0.value) }
      .sorted { ($1.rows.count, $0.list) < ($0.rows.count, $1.list) }
  }

  /// The exact nearest of some places, with keys: all vectors are looked at.
  func exact(_ places: [Int32], k: Int, threads: Int) -> NeighborLists {
    let queries = withoutGradients { vectors.rows(places) }
    let own = places.map { keys[Int($0)] }
    // A fixed number of parts, each with lists of its own, which are merged.
    let parts = min(32, max(1, count / Self.columns))
    let found = concurrentMap(over: parts, threads: threads, engineThreads: 1) { part in
      var lists = NeighborLists(rows: places.count, k: k)
      for start in stride(from: part * count / parts, to: (part + 1) * count / parts, by: Self.columns) {
        let columns = start..<min(start + Self.columns, (part + 1) * count / parts)
        withoutGradients {
          let cosines = queries.matmul(vectors.rows(columns).transposed()).contiguous()
          cosines.withUnsafeBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            keys.withUnsafeBufferPointer { keys in
              for row in places.indices {
                lists.offer(
                  row, UnsafeBufferPointer(rebasing: values[row * columns.count..<(row + 1) * columns.count]),
                  keys: UnsafeBufferPointer(rebasing: keys[columns]), except: own[row])
              }
            }
          }
        }
      }
      return lists
    }
    return found.dropFirst().reduce(into: found[0]) { $0.merge($1) }
  }
}
