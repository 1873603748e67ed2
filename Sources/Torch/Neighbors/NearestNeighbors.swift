/// For each of some examples the `k` others that are most similar to it by cosine.
package struct NearestNeighbors: Sendable {
  /// The number of examples that neighbors were looked for.
  package let count: Int
  /// Neighbors of each; fewer than asked for where there are fewer examples.
  package let k: Int
  /// Neighbors as rows of the feature source, the most similar first: `[count, k]`, C order. Of equally similar ones
  /// the earlier key comes first.
  package let indices: [Int32]
  /// Their cosines, `[count, k]`.
  package let similarities: [Float]

  /// The neighbors of the query at `place`.
  package func neighbors(_ place: Int) -> ArraySlice<Int32> { indices[place * k..<(place + 1) * k] }
}

/// The exact nearest neighbors by cosine, searched in blocks on matrix products: see ``SimilarityBlocks`` for cost and
/// memory. Where queries and keys are the same, half the products do.
///
/// - Parameters:
///   - queries: The examples to find neighbors for.
///   - keys: The examples that can be neighbors, distinct; nil: the queries.
///   - excludingSelf: Whether an example is no neighbor of its own.
///   - storage: How the keys' vectors are kept: `float32`, or `bfloat16` for half the memory.
///   - progress: Called from any thread with the share of the work done.
package func nearestNeighbors(
  _ features: any FeatureSource, queries: [Int], among keys: [Int]? = nil, k: Int, excludingSelf: Bool = true,
  storage: DType = .float32, threads: Int, progress: (@Sendable (Double) -> Void)? = nil
) -> NearestNeighbors {
  let keys = keys ?? queries
  let available = excludingSelf ? keys.count - 1 : keys.count
  let k = max(0, min(k, available))
  guard k > 0 else { return NearestNeighbors(count: queries.count, k: 0, indices: [], similarities: []) }
  let lists =
    excludingSelf && keys == queries
    ? MutualNeighbors(features, examples: queries, k: k, storage: storage, threads: threads)
      .find(threads: threads, progress: progress)
    : neighborLists(
      SimilarityBlocks(features, queries: queries, keys: keys, storage: storage), k: k,
      excludingSelf: excludingSelf, threads: threads, progress: progress)
  return NearestNeighbors(
    count: queries.count, k: k, indices: lists.flatMap { $0.neighbors(among: keys) },
    similarities: lists.flatMap(\.cosines))
}

/// The best keys of consecutive queries, with places among the keys.
private func neighborLists(
  _ blocks: SimilarityBlocks, k: Int, excludingSelf: Bool, threads: Int,
  progress: (@Sendable (Double) -> Void)?
) -> [NeighborLists] {
  let queries = blocks.queries
  let keys = blocks.keys
  let own = excludingSelf ? Dictionary(zip(keys, keys.indices)) { first, _ in first } : [:]
  return blocks.gather(
    threads: threads, progress: progress,
    begin: { NeighborLists(rows: $0.count, k: k) },
    visit: { lists, rows, columns, cosines in
      for row in rows {
        let start = (row - rows.lowerBound) * columns.count
        lists.offer(
          row - rows.lowerBound, UnsafeBufferPointer(rebasing: cosines[start..<start + columns.count]),
          keys: columns, except: own[queries[row]])
      }
    })
}
