import Synchronization

/// The nearest neighbors of examples among themselves. Each cosine is computed once and serves both of its examples,
/// which halves the work of ``SimilarityBlocks``.
struct MutualNeighbors: Sendable {
  /// Examples whose cosines with as many others are at hand at a time, on a thread.
  static let largestBlock = 1024

  /// Some consecutive examples, and the best that was found for each.
  private final class Block: Sendable {
    let places: Range<Int>
    /// Unit vectors, `[n, D]`.
    let vectors: Tensor
    let best: Mutex<NeighborLists>

    init(places: Range<Int>, vectors: Tensor, k: Int) {
      self.places = places
      self.vectors = vectors
      best = Mutex(NeighborLists(rows: places.count, k: k))
    }
  }

  private let k: Int
  private let blocks: [Block]

  init(_ features: any FeatureSource, examples: [Int], k: Int, storage: DType, threads: Int) {
    self.k = k
    // Enough pairs of blocks for all threads.
    let size = max(1, min(Self.largestBlock, examples.count / (4 * threads)))
    blocks = withoutGradients {
      stride(from: 0, to: examples.count, by: size).map { start in
        let places = start..<min(start + size, examples.count)
        let vectors = features.rows(Array(examples[places])).normalized().to(storage).contiguous()
        return Block(places: places, vectors: vectors, k: k)
      }
    }
  }

  /// The best of consecutive examples, with places among all of them.
  func find(threads: Int, progress: (@Sendable (Double) -> Void)?) -> [NeighborLists] {
    let count = blocks.count
    // By diagonals, so that threads seldom wait for each other's blocks.
    let pairs = (0..<count).flatMap { apart in (0..<count - apart).map { ($0, $0 + apart) } }
    let done = Counter()
    concurrently(over: pairs.count, threads: threads) { index in
      let first = blocks[pairs[index].0]
      let second = blocks[pairs[index].1]
      compare(first, second)
      progress?(Double(done.take() + 1) / Double(pairs.count))
    }
    return blocks.map { block in block.best.withLock { $0 } }
  }

  private func compare(_ first: Block, _ second: Block) {
    let cosines = withoutGradients {
      first.vectors.to(.float32).matmul(second.vectors.to(.float32).transposed()).contiguous()
    }
    cosines.withUnsafeBytes { bytes in
      let values = bytes.bindMemory(to: Float.self)
      let width = second.places.count
      func row(_ row: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(rebasing: values[row * width..<(row + 1) * width])
      }
      let isSame = first === second
      first.best.withLock { lists in
        for place in 0..<first.places.count {
          lists.offer(
            place, row(place), keys: second.places, except: isSame ? second.places.lowerBound + place : nil)
        }
      }
      guard !isSame else { return }
      second.best.withLock { lists in
        for place in 0..<first.places.count {
          lists.offer(toAll: row(place), key: first.places.lowerBound + place)
        }
      }
    }
  }
}
