/// All cosines between two lists of examples, block by block, so that no matrix of all pairs is ever held.
///
/// The keys are read once and kept as unit vectors (in `storage`: bfloat16 halves their memory and moves a cosine by
/// about 1e-4; products are always float32). Queries are read one block at a time. Cost: `2 · queries · keys · D`
/// operations, as matrix products, one block of queries a thread.
package struct SimilarityBlocks: Sendable {
  /// The examples whose rows the blocks have.
  package let queries: [Int]
  /// The examples whose columns the blocks have.
  package let keys: [Int]
  private let features: any FeatureSource
  private let pieces: [Piece]

  /// Queries whose cosines are at hand at a time, on a thread.
  static let queryBlock = 512
  /// Keys that they are compared with at a time.
  static let keyBlock = 4096

  private struct Piece: Sendable {
    let keys: Range<Int>
    let vectors: Tensor
  }

  package init(
    _ features: any FeatureSource, queries: [Int], keys: [Int], storage: DType = .float32
  ) {
    self.features = features
    self.queries = queries
    self.keys = keys
    pieces = withoutGradients {
      stride(from: 0, to: keys.count, by: Self.keyBlock).map { start in
        let range = start..<min(start + Self.keyBlock, keys.count)
        let vectors = features.rows(Array(keys[range])).normalized().to(storage).contiguous()
        return Piece(keys: range, vectors: vectors)
      }
    }
  }

  /// Visits all blocks.
  ///
  /// - Parameters:
  ///   - begin: Makes what is gathered for a block of queries (a range of places in ``queries``).
  ///   - visit: Gathers from the cosines `[queries, keys]`, C order, of a block of queries with a block of keys (a
  ///     range of places in ``keys``); the key blocks come in order.
  ///   - progress: Called from any thread with the share of the work done.
  /// - Returns: The gathered values, in the order of the queries.
  package func gather<Gathered: Sendable>(
    threads: Int, progress: (@Sendable (Double) -> Void)? = nil,
    begin: @escaping @Sendable (Range<Int>) -> Gathered,
    visit:
      @escaping @Sendable (
        inout Gathered, _ queries: Range<Int>, _ keys: Range<Int>, _ cosines: UnsafeBufferPointer<Float>
      ) -> Void
  ) -> [Gathered] {
    let blocks = (queries.count + Self.queryBlock - 1) / Self.queryBlock
    let done = Counter()
    return concurrentMap(over: blocks, threads: threads) { block in
      let range = (block * Self.queryBlock)..<min((block + 1) * Self.queryBlock, queries.count)
      var gathered = begin(range)
      withoutGradients {
        let vectors = features.rows(Array(queries[range])).normalized()
        for piece in pieces {
          let cosines = vectors.matmul(piece.vectors.to(.float32).transposed()).contiguous()
          cosines.withUnsafeBytes { visit(&gathered, range, piece.keys, $0.bindMemory(to: Float.self)) }
        }
      }
      progress?(Double(done.take() + 1) / Double(blocks))
      return gathered
    }
  }
}
