import Foundation

/// The features of all samples, mapped into memory: N rows of D numbers.
///
/// Rows are copied out as float32. Memory is the system's page cache, not the process's own. Safe to read
/// from several threads at once.
public struct FeatureMatrix: Sendable {
  public let featureSet: FeatureSet
  /// The number of samples, N.
  public let count: Int
  private let shards: [NpyMatrix]

  /// Maps the shards of the first `samples` samples.
  /// - Throws: `WorkspaceError` if a shard is missing or damaged.
  package init(_ set: FeatureSet, samples: Int) throws {
    let rows = FeatureSet.rowsPerShard
    shards = try stride(from: 0, to: samples, by: rows).map { start in
      let shard = try set.openIfThere(shard: start / rows)
      guard let shard, start + shard.count >= min(start + rows, samples) else {
        throw WorkspaceError(
          .notFound, file: set.folder, "lacks the features of \(samples - set.coverage(of: samples)) samples",
          remedy: "Run: cleannet embed")
      }
      return shard
    }
    featureSet = set
    count = samples
  }

  /// D.
  public var dimension: Int { featureSet.dimension }

  /// Copies the rows of some samples, in the order given: `[ids.count, D]`.
  public func copyRows(_ ids: [Int], into target: UnsafeMutableBufferPointer<Float>) {
    precondition(target.count >= ids.count * dimension, "\(ids.count) rows do not fit \(target.count) values")
    guard var next = target.baseAddress else { return }
    for id in ids {
      let row = id % FeatureSet.rowsPerShard
      shards[id / FeatureSet.rowsPerShard].copyRows(row..<(row + 1), into: next)
      next += dimension
    }
  }

  /// Copies the rows of a range of samples: `[range.count, D]`.
  public func copyRows(_ range: Range<Int>, into target: UnsafeMutableBufferPointer<Float>) {
    precondition(
      target.count >= range.count * dimension, "\(range.count) rows do not fit \(target.count) values")
    guard var next = target.baseAddress else { return }
    var start = range.lowerBound
    while start < range.upperBound {
      let shard = start / FeatureSet.rowsPerShard
      let first = shard * FeatureSet.rowsPerShard
      let end = min(range.upperBound, first + FeatureSet.rowsPerShard)
      shards[shard].copyRows((start - first)..<(end - first), into: next)
      next += (end - start) * dimension
      start = end
    }
  }

  /// How rows will be read.
  package enum Access: Sendable {
    case sequential
    case random
  }

  /// Tells the system how the rows will be read next, so that it reads ahead or does not.
  package func advise(_ access: Access) {
    for shard in shards { shard.file.advise(access == .random ? MADV_RANDOM : MADV_SEQUENTIAL) }
  }

  /// Writes all rows to one `.npy` file, `[N, D]`, in the type in which they are stored.
  package func write(to path: String) throws {
    let file = try AtomicFile(path: path)
    try file.write(NpyHeader(type: featureSet.type, shape: [count, dimension]).bytes)
    for (index, shard) in shards.enumerated() {
      let rows = min(count - index * FeatureSet.rowsPerShard, FeatureSet.rowsPerShard)
      let start = shard.header.offset
      let end = start + rows * dimension * shard.type.size
      try file.write(UnsafeRawBufferPointer(rebasing: shard.file.bytes[start..<end]))
    }
    try file.finish()
  }
}

extension FeatureSet {
  /// A shard, or `nil` if it is not there.
  func openIfThere(shard: Int) throws(WorkspaceError) -> NpyMatrix? {
    do throws(WorkspaceError) {
      return try open(shard: shard)
    } catch {
      if error.kind == .notFound { return nil }
      throw error
    }
  }
}
