/// For each of some examples the `k` others that are most similar to it by cosine.
public struct NearestNeighbors: Sendable {
  /// The number of examples that neighbours were looked for.
  public let count: Int
  /// Neighbours of each; fewer than asked for where there are fewer examples.
  public let k: Int
  /// Neighbours as rows of the feature source, the most similar first: `[count, k]`, C order. Of equally similar ones
  /// the earlier key comes first.
  public let indices: [Int32]
  /// Their cosines, `[count, k]`.
  public let similarities: [Float]

  /// The neighbours of the query at `place`.
  public func neighbors(_ place: Int) -> ArraySlice<Int32> { indices[place * k..<(place + 1) * k] }
}

/// The exact nearest neighbours by cosine, searched in blocks on matrix products: see ``SimilarityBlocks`` for cost and
/// memory.
///
/// - Parameters:
///   - queries: The examples to find neighbours for.
///   - keys: The examples that can be neighbours, distinct; nil: the queries.
///   - excludingSelf: Whether an example is no neighbour of its own.
///   - storage: How the keys' vectors are kept: `float32`, or `bfloat16` for half the memory.
///   - progress: Called from any thread with the share of the work done.
public func nearestNeighbors(
  _ features: any FeatureSource, queries: [Int], among keys: [Int]? = nil, k: Int, excludingSelf: Bool = true,
  storage: DType = .float32, threads: Int, progress: (@Sendable (Double) -> Void)? = nil
) -> NearestNeighbors {
  let keys = keys ?? queries
  let available = excludingSelf ? keys.count - 1 : keys.count
  let k = max(0, min(k, available))
  guard k > 0 else { return NearestNeighbors(count: queries.count, k: 0, indices: [], similarities: []) }
  let blocks = SimilarityBlocks(features, queries: queries, keys: keys, storage: storage)
  let gathered = blocks.gather(
    threads: threads, progress: progress,
    begin: { Best(rows: $0.count, k: k) },
    visit: { best, rows, columns, cosines in
      for row in rows {
        let slice = UnsafeBufferPointer(
          rebasing: cosines[
            (row - rows.lowerBound) * columns.count..<(row - rows.lowerBound + 1) * columns.count]
        )
        best.take(
          row: row - rows.lowerBound, slice, keys: keys[columns], excluding: excludingSelf ? queries[row] : -1
        )
      }
    })
  return NearestNeighbors(
    count: queries.count, k: k, indices: gathered.flatMap(\.indices),
    similarities: gathered.flatMap(\.similarities))
}

/// The best keys so far of each row of a block, sorted.
private struct Best: Sendable {
  let k: Int
  var indices: [Int32]
  var similarities: [Float]
  private var found: [Int]

  init(rows: Int, k: Int) {
    self.k = k
    indices = Array(repeating: -1, count: rows * k)
    similarities = Array(repeating: -.infinity, count: rows * k)
    found = Array(repeating: 0, count: rows)
  }

  mutating func take(
    row: Int, _ values: UnsafeBufferPointer<Float>, keys: ArraySlice<Int>, excluding own: Int
  ) {
    let base = row * k
    let firstKey = keys.startIndex
    similarities.withUnsafeMutableBufferPointer { similarities in
      indices.withUnsafeMutableBufferPointer { indices in
        var count = found[row]
        for (column, value) in values.enumerated() {
          // Almost all values fail here: they are no better than the last that is kept.
          if count == k && !(value > similarities[base + k - 1]) { continue }
          let key = keys[firstKey + column]
          if key == own || value.isNaN { continue }
          var place = count < k ? count : k - 1
          while place > 0, value > similarities[base + place - 1] {
            similarities[base + place] = similarities[base + place - 1]
            indices[base + place] = indices[base + place - 1]
            place -= 1
          }
          similarities[base + place] = value
          indices[base + place] = Int32(key)
          if count < k { count += 1 }
        }
        found[row] = count
      }
    }
  }
}
