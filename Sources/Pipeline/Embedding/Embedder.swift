import Backbones
import Datasets
import Files
import Foundation
import Images
import Synchronization
import Torch
import Workspace

/// Looks at the files that images lie in, without reading them. For one thread.
struct ImageProbe {
  private var last: (path: String, identity: ImageIdentity?)?

  /// Size and time of the file that an image lies in; nil if it cannot be reached.
  mutating func look(_ location: ImageLocation) -> ImageIdentity? {
    guard let path = location.file else { return nil }
    if let last, last.path == path { return last.identity }
    let identity = ImageIdentity(ofFile: path)
    last = (path, identity)
    return identity
  }
}

extension ImageLocation {
  /// A digest of the image's own bytes as they lie in the file.
  ///
  /// - Parameter source: The image to decode, if its bytes are in memory already.
  func digest(_ source: ImageSource) throws(FileError) -> UInt64 {
    if let digest = try contentDigest() { return digest }
    guard case .pixels(let pixels) = source else { return 0 }
    return pixels.bytes.withUnsafeBytes { ContentDigest.of($0).word }
  }
}

extension ImageProblem {
  /// Whether trying again may help while the image's bytes stay what they are.
  var isPassing: Bool {
    switch kind {
    case .missing, .notPermitted, .notAFile, .unreadable, .unsupported: true
    case .empty, .notAnImage, .truncated, .damaged, .tooLarge: false
    }
  }
}

/// Which samples are to be embedded.
struct EmbeddingPlan {
  /// In rising order.
  private(set) var todo: [Int] = []
  /// Samples that have what they need.
  private(set) var present = 0

  /// Compares what is kept of each row with the file that it was made of.
  ///
  /// An image that cannot be reached keeps the row that it has. Rows in files that are gone or damaged are made again.
  init(_ workspace: Workspace, _ set: FeatureSet, count: Int, progress: some ProgressReporter) throws {
    var probe = ImageProbe()
    for range in (0..<count).blocks(of: FeatureSet.rowsPerShard) {
      let rows = try workspace.rows(of: set, in: range)
      let shard = range.lowerBound / FeatureSet.rowsPerShard
      let stored = try workspace.soundRows(of: set, shard: shard, samples: count)
      if stored == nil { progress.warn("\(set.folder): shard \(shard) is damaged and is computed again") }
      let end = range.lowerBound + (stored ?? 0)
      try workspace.forEachSample(in: range) { sample in
        if let row = rows[sample.id], sample.id < end, Self.holds(row, &probe, sample.location) {
          present += 1
        } else {
          todo.append(sample.id)
        }
      }
    }
  }

  private static func holds(_ row: FeatureRow, _ probe: inout ImageProbe, _ location: ImageLocation) -> Bool {
    guard row.state != .unreachable else { return false }
    guard let now = probe.look(location) else { return row.state == .embedded }
    return row.image.map(now.looksLike) ?? true
  }

  /// The samples to be embedded in pieces that lie in one shard each.
  func blocks(of size: Int) -> [ArraySlice<Int>] {
    var blocks: [ArraySlice<Int>] = []
    var start = 0
    while start < todo.count {
      let shard = todo[start] / FeatureSet.rowsPerShard
      var end = start
      while end < todo.count, end - start < size, todo[end] / FeatureSet.rowsPerShard == shard { end += 1 }
      blocks.append(todo[start..<end])
      start = end
    }
    return blocks
  }
}

/// Embeds images on all threads: what the threads share.
struct Embedder: Sendable {
  let worker: EmbedWorker
  let threads: Int

  /// The outcome for some samples.
  struct Result: Sendable {
    var rows: [FeatureRow] = []
    /// The rows' places in the block, where there are features or will be none.
    var places: [Int] = []
    var problems: [SampleProblem] = []
    /// Rows whose image is what it was, though its file has another time.
    var same: [FeatureRow] = []
    /// Samples whose image has become another.
    var changed: [Int] = []
    /// Images that could not be reached.
    var unreachable = 0

    mutating func add(_ other: Result) {
      rows += other.rows
      places += other.places
      problems += other.problems
      same += other.same
      changed += other.changed
      unreachable += other.unreachable
    }
  }

  /// Embeds a block of samples.
  ///
  /// - Parameters:
  ///   - parts: Ranges of the samples that no batch crosses, one after the other; nil: one of all.
  ///   - known: The kept facts about their rows.
  /// - Returns: The block's rows of features, NaN where there are none, and what became of each sample.
  func embed(
    _ samples: [StoredSample], parts: [Range<Int>]? = nil, known: [Int: FeatureRow], dimension: Int,
    report: @escaping @Sendable (Int) -> Void
  ) -> (values: Tensor, Result) {
    let values = Tensor.full([samples.count, dimension], .nan)
    let result = Mutex(Result())
    let done = Mutex(0)
    let batches = (parts ?? [0..<samples.count]).flatMap { part in
      stride(from: part.lowerBound, to: part.upperBound, by: worker.batchSize).map {
        $0..<min($0 + worker.batchSize, part.upperBound)
      }
    }
    // One engine thread for each of ours: sums do not depend on how many there are, or on how many batches.
    concurrently(over: batches.count, threads: threads, engineThreads: 1) { index in
      let batch = batches[index]
      let found = embed(samples[batch], known: known, into: values[batch])
      result.withLock { $0.add(found) }
      report(
        done.withLock {
          $0 += batch.count
          return $0
        })
    }
    return (values, result.withLock { $0 })
  }

  private func embed(
    _ samples: ArraySlice<StoredSample>, known: [Int: FeatureRow], into values: Tensor
  ) -> Result {
    var result = Result()
    var sources: [ImageSource] = []
    var opened: [(index: Int, image: ImageIdentity?)] = []
    func note(_ index: Int, _ state: FeatureRow.State, _ image: ImageIdentity?, _ why: String?) {
      let id = samples[index].id
      result.rows.append(FeatureRow(sample: id, state: state, image: image))
      result.places.append(index)
      if let why { result.problems.append(SampleProblem(sample: id, stage: EmbedStage.stage, what: why)) }
      guard let old = known[id], old.state == .embedded else { return }
      if state != .unreachable, old.image?.digest != image?.digest { result.changed.append(id) }
    }
    for (index, sample) in zip(samples.indices, samples) {
      do throws(ImageProblem) {
        let source = try worker.access.source(sample.location, key: sample.key)
        var image = sample.location.file.flatMap(ImageIdentity.init(ofFile:))
        // Where the bytes cannot be read, decoding says why.
        image?.digest = try? sample.location.digest(source)
        if let old = known[sample.id], old.state == .embedded, let image, let digest = image.digest,
          digest == old.image?.digest
        {
          result.same.append(FeatureRow(sample: sample.id, state: .embedded, image: image))
          continue
        }
        sources.append(source)
        opened.append((index, image))
      } catch {
        result.unreachable += 1
        note(index, .unreachable, nil, error.explanation)
      }
    }
    let places = opened.map { $0.index - samples.startIndex }
    let problems = worker.embed(sources, at: places, into: values)
    for (place, (index, image)) in opened.enumerated() {
      if let problem = problems[place] {
        if problem.isPassing, problem.kind != .unsupported { result.unreachable += 1 }
        note(index, problem.isPassing ? .unreachable : .undecodable, image, problem.explanation)
      } else if !Self.isStill(image, samples[index].location) {
        result.unreachable += 1
        note(index, .unreachable, nil, "The image was changed while it was read; run embed again.")
      } else {
        note(index, .embedded, image, nil)
      }
    }
    return result
  }

  /// Whether an image's file is what it was before it was read.
  private static func isStill(_ image: ImageIdentity?, _ location: ImageLocation) -> Bool {
    guard let path = location.file, let image, image.digest != nil else { return false }
    return ImageIdentity(ofFile: path)?.looksLike(image) ?? false
  }
}
