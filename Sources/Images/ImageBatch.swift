/// Images prepared for a network, and the faults of the others.
package final class ImageBatch: @unchecked Sendable {
  // Safe: nothing changes once the batch is made, and the pixels are freed with it.

  /// Which images these are, in rising order; row i of the pixels is image `indices[i]`.
  package let indices: [Int]
  /// The images that could not be used, in rising order.
  package let problems: [(index: Int, problem: ImageProblem)]
  package let preparation: ImagePreparation
  private let memory: UnsafeMutableRawBufferPointer

  init(
    indices: [Int], problems: [(index: Int, problem: ImageProblem)], preparation: ImagePreparation,
    memory: UnsafeMutableRawBufferPointer
  ) {
    self.indices = indices
    self.problems = problems
    self.preparation = preparation
    self.memory = memory
  }

  deinit { memory.deallocate() }

  package var count: Int { indices.count }

  /// The pixels, `[count, size, size, 3]`: RGB, 8 bits.
  package func withUnsafePixels<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(rebasing: memory[..<(count * preparation.byteCount)]))
  }
}

/// A batch while its images are being decoded, each into a slot of its own, on any threads.
final class UnfinishedBatch: @unchecked Sendable {
  // Safe: each slot is filled by one thread, and `finish` is called after all of them.

  private let indices: Range<Int>
  private let preparation: ImagePreparation
  private let memory: UnsafeMutableRawBufferPointer
  private let problems: UnsafeMutableBufferPointer<ImageProblem?>
  private var isFinished = false

  init(indices: Range<Int>, preparation: ImagePreparation) {
    self.indices = indices
    self.preparation = preparation
    memory = .allocate(byteCount: indices.count * preparation.byteCount, alignment: 64)
    problems = .allocate(capacity: indices.count)
    problems.initialize(repeating: nil)
  }

  deinit {
    problems.deinitialize()
    problems.deallocate()
    if !isFinished { memory.deallocate() }
  }

  /// - Parameter body: writes the pixels.
  func fill(_ slot: Int, _ body: (UnsafeMutableRawBufferPointer) throws(ImageProblem) -> Void) {
    let place = memory[(slot * preparation.byteCount)...].prefix(preparation.byteCount)
    do throws(ImageProblem) {
      try body(UnsafeMutableRawBufferPointer(rebasing: place))
    } catch {
      problems[slot] = error
    }
  }

  /// Closes the gaps that bad images left.
  func finish() -> ImageBatch {
    let size = preparation.byteCount
    var good: [Int] = []
    var bad: [(index: Int, problem: ImageProblem)] = []
    for (slot, index) in indices.enumerated() {
      if let problem = problems[slot] {
        bad.append((index, problem))
        continue
      }
      if good.count < slot {
        UnsafeMutableRawBufferPointer(rebasing: memory[(good.count * size)...].prefix(size))
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[(slot * size)...].prefix(size)))
      }
      good.append(index)
    }
    isFinished = true
    return ImageBatch(indices: good, problems: bad, preparation: preparation, memory: memory)
  }
}
