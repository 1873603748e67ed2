import Synchronization

/// The nearest neighbours of examples among themselves. Each cosine is computed once and serves both of its examples,
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
      (self.places, self.vectors) = (places, vectors)
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
      let (first, second) = (blocks[pairs[index].0], blocks[pairs[index].1])
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
          lists.offer(place, row(place), places: second.places, except: isSame ? place : nil)
        }
      }
      guard !isSame else { return }
      second.best.withLock { lists in
        for place in 0..<first.places.count {
          lists.offer(toAll: row(place), place: first.places.lowerBound + place)
        }
      }
    }
  }
}

/// The `k` most similar so far for each of some rows, sorted: by falling cosine, of equal ones the earlier place first. The
/// outcome does not depend on the order in which they come.
struct NeighborLists: Sendable {
  let k: Int
  /// `[rows, k]`; −1 where there are fewer.
  private(set) var places: [Int32]
  private(set) var cosines: [Float]
  /// The last cosine that is kept in each row: less similar ones need no look.
  private var least: [Float]

  /// Values that are looked at together. Almost all are below what is kept, which a loop without branches finds out at
  /// several a cycle.
  private static let group = 64

  init(rows: Int, k: Int) {
    self.k = k
    places = Array(repeating: -1, count: rows * k)
    cosines = Array(repeating: -.infinity, count: rows * k)
    least = Array(repeating: -.infinity, count: rows)
  }

  /// Offers one row the examples at `places`, with their cosines, but for one of them.
  mutating func offer(
    _ row: Int, _ values: UnsafeBufferPointer<Float>, places: Range<Int>, except own: Int? = nil
  ) {
    var start = 0
    while start < values.count {
      let end = min(start + Self.group, values.count)
      let least = least[row]
      var hits: Int32 = 0
      for column in start..<end { hits &+= values[column] >= least ? 1 : 0 }
      if hits > 0 {
        for column in start..<end where values[column] >= self.least[row] && column != own {
          insert(values[column], Int32(places.lowerBound + column), row)
        }
      }
      start = end
    }
  }

  /// Offers each row the example at `place`, with its cosine to that row.
  mutating func offer(toAll values: UnsafeBufferPointer<Float>, place: Int) {
    var start = 0
    while start < values.count {
      let end = min(start + Self.group, values.count)
      let hits = least.withUnsafeBufferPointer { least in
        var hits: Int32 = 0
        for row in start..<end { hits &+= values[row] >= least[row] ? 1 : 0 }
        return hits
      }
      if hits > 0 {
        for row in start..<end where values[row] >= least[row] { insert(values[row], Int32(place), row) }
      }
      start = end
    }
  }

  /// The neighbours as examples instead of places; −1 where there are fewer.
  func neighbors(among examples: [Int]) -> [Int32] {
    places.map { $0 < 0 ? -1 : Int32(examples[Int($0)]) }
  }

  private mutating func insert(_ cosine: Float, _ place: Int32, _ row: Int) {
    let base = row * k
    func comesBefore(_ other: Int) -> Bool {
      cosine > cosines[other] || (cosine == cosines[other] && place < places[other])
    }
    var slot = base + k - 1
    guard places[slot] < 0 || comesBefore(slot) else { return }
    while slot > base, places[slot - 1] < 0 || comesBefore(slot - 1) {
      (cosines[slot], places[slot]) = (cosines[slot - 1], places[slot - 1])
      slot -= 1
    }
    (cosines[slot], places[slot]) = (cosine, place)
    least[row] = cosines[base + k - 1]
  }
}
