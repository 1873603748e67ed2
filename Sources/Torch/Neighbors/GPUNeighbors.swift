/// The exact nearest neighbors of vectors among themselves, computed on a GPU.
///
/// All vectors lie there in half precision; cosines are float32. Each block of queries is compared with all vectors, piece by
/// piece, of which the best are kept, so that no matrix of all pairs is ever held: `2 · N² · d` operations.
struct GPUNeighbors: Sendable {
  private let rows: HalfRows
  private let examples: [Int32]
  private let k: Int
  private let device: Device
  private let pieces: [Tensor]

  /// Vectors that are compared with a block of queries at a time.
  private static let piece = 65_536
  /// Queries of a block: as many cosines as take half a gigabyte.
  private static let block = 2048
  /// Blocks under way at a time: while the GPU computes one, others are read.
  private static let turns = 3

  /// Bytes of a GPU's memory that the search of this many vectors takes.
  static func byteCount(_ count: Int, dimension: Int) -> Int {
    count * dimension * 2 + 2 * turns * block * min(count, piece) * 4 + piece * dimension * 4
  }

  /// - Parameter examples: The rows to find neighbors for and among, ascending.
  init(_ rows: HalfRows, examples: [Int32], k: Int, device: Device) {
    self.rows = rows
    self.examples = examples
    self.k = max(0, min(k, examples.count - 1))
    self.device = device
    pieces = withoutGradients {
      stride(from: 0, to: examples.count, by: Self.piece).map { start in
        rows.rows(examples[start..<min(start + Self.piece, examples.count)]).to(.float16).to(device)
      }
    }
  }

  /// - Parameter progress: Called from any thread with the share of the work done.
  func find(threads: Int, progress: (@Sendable (Double) -> Void)?) -> NearestNeighbors {
    guard k > 0 else { return NearestNeighbors(count: examples.count, k: 0, indices: [], similarities: []) }
    let blocks = (examples.count + Self.block - 1) / Self.block
    let done = Counter()
    let found = concurrentMap(over: blocks, threads: min(threads, Self.turns), engineThreads: 1) { block in
      let range = block * Self.block..<min((block + 1) * Self.block, examples.count)
      let result = best(range)
      progress?(Double(done.take() + 1) / Double(blocks))
      return result
    }
    return NearestNeighbors(
      count: examples.count, k: k, indices: found.flatMap(\.keys), similarities: found.flatMap(\.cosines))
  }

  /// The best of some examples, of which fewer are computed at once where memory is too small.
  private func best(_ range: Range<Int>) -> (keys: [Int32], cosines: [Float]) {
    let found = ifMemorySuffices {
      let (values, places) = withoutGradients { candidates(range) }
      return (values.floats(), places.ints())
    }
    if let (values, places) = found { return sorted(range, values, places) }
    precondition(range.count > 1, "the free memory of \(device) is too small for the search for neighbors")
    let middle = (range.lowerBound + range.upperBound) / 2
    let first = best(range.lowerBound..<middle)
    let second = best(middle..<range.upperBound)
    return (first.keys + second.keys, first.cosines + second.cosines)
  }

  /// The k + 1 best of some examples, themselves included: cosines and places, `[n, k + 1]`.
  private func candidates(_ range: Range<Int>) -> (values: Tensor, places: Tensor) {
    let queries = rows.rows(examples[range]).to(device)
    var best: (values: Tensor, places: Tensor)?
    for (number, piece) in pieces.enumerated() {
      let cosines = queries.matmul(piece.to(.float32).transposed())
      let top = cosines.topK(min(k + 1, piece.size(0)))
      let places = top.indices + Double(number * Self.piece)
      guard let before = best else {
        best = (top.values, places)
        continue
      }
      let values = Tensor.concatenate([before.values, top.values], dim: 1)
      let both = values.topK(min(k + 1, values.size(1)))
      best = (both.values, Tensor.concatenate([before.places, places], dim: 1).gather(dim: 1, both.indices))
    }
    guard let best else { preconditionFailure("there are no vectors") }
    return best
  }

  /// Without the examples themselves, the most similar first, of equal ones the earlier.
  private func sorted(
    _ range: Range<Int>, _ values: [Float], _ places: [Int]
  ) -> (keys: [Int32], cosines: [Float]) {
    let width = values.count / range.count
    var lists = NeighborLists(rows: range.count, k: k)
    for row in 0..<range.count {
      let own = row * width..<(row + 1) * width
      let keys = places[own].map { Int32($0) }
      values.withUnsafeBufferPointer { values in
        keys.withUnsafeBufferPointer {
          lists.offer(
            row, UnsafeBufferPointer(rebasing: values[own]), keys: $0,
            except: Int32(range.lowerBound + row))
        }
      }
    }
    return (lists.keys.map { $0 < 0 ? -1 : examples[Int($0)] }, lists.cosines)
  }
}
