import Foundation
import Testing

@testable import Images

@Suite struct BatchTests {
  /// Good and bad images in turn, some slow and some fast.
  private let sources: [ImageSource] = (0..<53).map { index in
    let names = [
      "small.png", "photo.jpg", "truncated.jpg", "orientation6.png", "text.jpg", "small.webp", "none",
      "half.jpg",
    ]
    return .file(fixture(names[index % names.count]))
  }

  private let decoder = ImageDecoder(ImagePreparation(size: 32))

  /// Everything a batch says.
  private func record(_ batch: ImageBatch) -> [String] {
    let pixels = batch.withUnsafePixels { Array($0) }
    return batch.indices.enumerated().map { row, index in
      "\(index): \(pixels[row * 3072..<(row + 1) * 3072].hashValue)"
    } + batch.problems.map { "\($0.index): \($0.problem)" }
  }

  @Test func aBatchHoldsTheGoodImagesWithoutGaps() throws {
    let batch = decoder.decodeBatch(sources[..<7], indices: 100..<107)
    #expect(batch.indices == [100, 101, 103, 105])
    #expect(batch.problems.map(\.index) == [102, 104, 106])
    #expect(batch.problems.map(\.problem.kind) == [.truncated, .notAnImage, .missing])
    let pixels = batch.withUnsafePixels { Array($0) }
    #expect(pixels.count == 4 * 32 * 32 * 3)
    for (row, slot) in [0, 1, 3, 5].enumerated() {
      #expect(
        try pixels[row * 3072..<(row + 1) * 3072].elementsEqual(prepare(sources[slot], decoder.preparation)))
    }
  }

  @Test func anEmptyBatch() {
    let batch = decoder.decodeBatch([])
    #expect(batch.count == 0 && batch.problems.isEmpty)
    #expect(batch.withUnsafePixels { $0.count } == 0)
  }

  @Test(arguments: [1, 2, 5], [1, 2, 4])
  func batchesDoNotDependOnThreads(threads: Int, ahead: Int) {
    let loader = BatchLoader(sources, decoder: decoder, batchSize: 8, threads: threads, ahead: ahead)
    let loaded = loader.map(record)
    let expected = stride(from: 0, to: sources.count, by: 8).map { start in
      let range = start..<min(start + 8, sources.count)
      return record(decoder.decodeBatch(sources[range], indices: range))
    }
    #expect(loaded == expected)
    #expect(loader.next() == nil)
  }

  @Test func noImages() {
    #expect(BatchLoader([], decoder: decoder, batchSize: 8, threads: 2).next() == nil)
  }

  /// A collection that remembers how far it was read.
  private struct Watched: RandomAccessCollection, Sendable {
    final class Reach: @unchecked Sendable {
      // Safe: only touched under the lock.
      private var value = -1
      private let lock = NSLock()
      func note(_ index: Int) { lock.withLock { value = Swift.max(value, index) } }
      var furthest: Int { lock.withLock { value } }
    }

    let reach = Reach()
    let startIndex = 0
    let endIndex: Int
    subscript(index: Int) -> ImageSource {
      reach.note(index)
      return .pixels(RawPixels(width: 1, height: 1, bands: 1, bytes: [UInt8(truncatingIfNeeded: index)]))
    }
  }

  @Test func decodingStaysAFewBatchesAhead() {
    let images = Watched(endIndex: 1_000)
    let loader = BatchLoader(images, decoder: decoder, batchSize: 4, threads: 3, ahead: 2)
    for taken in 1...50 {
      let batch = loader.next()
      #expect(batch?.indices == Array((taken - 1) * 4..<taken * 4))
      #expect(images.reach.furthest < (taken + 2) * 4)
    }
    loader.cancel()
    #expect(loader.next() == nil)
    #expect(images.reach.furthest < 52 * 4)
  }

  @Test func severalThreadsMayTakeBatches() {
    let images = Watched(endIndex: 400)
    let loader = BatchLoader(images, decoder: decoder, batchSize: 7, threads: 2)
    let seen = Seen()
    DispatchQueue.concurrentPerform(iterations: 3) { _ in
      while let batch = loader.next() { seen.add(batch.indices) }
    }
    #expect(seen.all == Array(0..<400))
  }

  private final class Seen: @unchecked Sendable {
    // Safe: only touched under the lock.
    private var indices: [Int] = []
    private let lock = NSLock()
    func add(_ more: [Int]) { lock.withLock { indices += more } }
    var all: [Int] { lock.withLock { indices.sorted() } }
  }
}
