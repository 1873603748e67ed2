import CImages
import Foundation

/// Decodes images on threads of its own, ahead of whoever takes the batches.
///
/// Batches come in order and are the same whatever the number of threads. At most `ahead` batches are held, begun or
/// ready, besides those already taken; the threads wait when nobody takes any. A loader that is let go stops its
/// threads.
///
///     let loader = BatchLoader(sources, decoder: ImageDecoder(ImagePreparation(size: 224)), batchSize: 16, threads: 2)
///     for batch in loader { … }
package final class BatchLoader: Sequence, IteratorProtocol, Sendable {
  private let work: LoaderWork

  /// - Parameters:
  ///   - sources: read from several threads; an array, or a collection that makes its elements when asked.
  ///   - ahead: batches in flight, at least 1.
  package convenience init(
    _ sources: some RandomAccessCollection<ImageSource> & Sendable, decoder: ImageDecoder, batchSize: Int,
    threads: Int, ahead: Int = 2
  ) {
    self.init(
      count: sources.count, preparation: decoder.preparation, batchSize: batchSize, threads: threads,
      ahead: ahead
    ) { (image, place) throws(ImageProblem) in
      try decoder.decode(sources[sources.index(sources.startIndex, offsetBy: image)], into: place)
    }
  }

  /// A loader of images that are found, and perhaps changed at random, one by one.
  ///
  /// - Parameters:
  ///   - decode: writes an image's pixels; called from several threads.
  package init(
    count: Int, preparation: ImagePreparation, batchSize: Int, threads: Int, ahead: Int = 2,
    decode: @escaping @Sendable (Int, UnsafeMutableRawBufferPointer) throws(ImageProblem) -> Void
  ) {
    precondition(batchSize > 0 && threads > 0 && ahead > 0)
    work = LoaderWork(
      count: count, preparation: preparation, batchSize: batchSize, ahead: ahead, decode: decode)
    for _ in 0..<Swift.min(threads, count) {
      Thread.detachNewThread { [work] in
        work.run()
        cimages_end_thread()
      }
    }
  }

  deinit { work.cancel() }

  /// The next batch; waits for it. `nil` after the last one, or when cancelled. Several threads may take batches.
  package func next() -> ImageBatch? { work.take() }

  /// Makes the threads stop after the image at hand, and `next` return `nil`.
  package func cancel() { work.cancel() }
}

/// The state that the threads of a loader share.
private final class LoaderWork: @unchecked Sendable {
  // Safe: the variables are only touched while `condition` is locked.

  private struct Entry {
    let batch: UnfinishedBatch
    var missing: Int
  }

  private let count: Int
  private let preparation: ImagePreparation
  private let batchSize: Int
  private let ahead: Int
  private let decode: @Sendable (Int, UnsafeMutableRawBufferPointer) throws(ImageProblem) -> Void

  private let condition = NSCondition()
  private var nextImage = 0
  private var nextBatch = 0
  private var entries: [Int: Entry] = [:]
  private var isCancelled = false

  init(
    count: Int, preparation: ImagePreparation, batchSize: Int, ahead: Int,
    decode: @escaping @Sendable (Int, UnsafeMutableRawBufferPointer) throws(ImageProblem) -> Void
  ) {
    self.count = count
    self.preparation = preparation
    self.batchSize = batchSize
    self.ahead = ahead
    self.decode = decode
  }

  /// One thread's work: images, in order, until there are none.
  func run() {
    while let (image, batch) = claim() {
      batch.fill(image % batchSize) { (place) throws(ImageProblem) in try decode(image, place) }
      condition.withLock {
        entries[image / batchSize]?.missing -= 1
        if entries[image / batchSize]?.missing == 0 { condition.broadcast() }
      }
    }
  }

  private func claim() -> (image: Int, batch: UnfinishedBatch)? {
    condition.withLock {
      while !isCancelled, nextImage < count, nextImage / batchSize >= nextBatch + ahead { condition.wait() }
      guard !isCancelled, nextImage < count else { return nil }
      let image = nextImage
      nextImage += 1
      let number = image / batchSize
      if let entry = entries[number] { return (image, entry.batch) }
      let indices = image..<min(image + batchSize, count)
      let batch = UnfinishedBatch(indices: indices, preparation: preparation)
      entries[number] = Entry(batch: batch, missing: indices.count)
      return (image, batch)
    }
  }

  func take() -> ImageBatch? {
    condition.withLock {
      guard !isCancelled, nextBatch * batchSize < count else { return nil }
      let number = nextBatch
      // Taken before it is ready, so that another caller waits for the one after it.
      nextBatch += 1
      condition.broadcast()
      while !isCancelled, entries[number]?.missing != 0 { condition.wait() }
      guard !isCancelled else { return nil }
      return entries.removeValue(forKey: number)?.batch.finish()
    }
  }

  func cancel() {
    condition.withLock {
      isCancelled = true
      entries = [:]
      condition.broadcast()
    }
  }
}
