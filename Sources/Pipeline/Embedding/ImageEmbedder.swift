import Images
import Synchronization
import Torch

/// Embeds images that lie in no workspace, on all threads.
struct ImageEmbedder: Sendable {
  let worker: EmbedWorker
  let threads: Int

  /// Fills in the rows of some images, rounded as feature sets keep them.
  ///
  /// Batches are the same whatever the number of threads, so that rows are, too.
  ///
  /// - Parameters:
  ///   - sources: Images, and the row of each.
  ///   - rows: `[N, D]`
  /// - Returns: The faults of images that get no row, by row.
  func embed(
    _ sources: [(source: ImageSource, place: Int)], into rows: Tensor
  ) -> [Int: ImageProblem] {
    let problems = Mutex<[Int: ImageProblem]>([:])
    let size = worker.batchSize
    concurrently(over: (sources.count + size - 1) / size, threads: threads, engineThreads: 1) { batch in
      let some = sources[batch * size..<min((batch + 1) * size, sources.count)]
      let values = Tensor.full([some.count, worker.dimension], .nan)
      let found = worker.embed(some.map(\.source), at: Array(0..<some.count), into: values)
      let kept = values.to(.float16).to(.float32)
      rows.indexCopyInPlace(dim: 0, index: Tensor(some.map(\.place)), kept)
      problems.withLock { problems in
        for (index, problem) in found { problems[some[some.startIndex + index].place] = problem }
      }
    }
    return problems.withLock { $0 }
  }
}
