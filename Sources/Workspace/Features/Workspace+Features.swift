import Foundation
import GRDB

extension Workspace {
  private var featuresFolder: String { "\(path)/features" }

  /// The sets of features that there are, by key.
  public func featureSets() throws -> [FeatureSet] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: featuresFolder)) ?? []
    return try names.sorted().map { "\(featuresFolder)/\($0)" }.filter(FeatureSet.exists).map(
      FeatureSet.init(opening:))
  }

  /// The set of that key, if it is there.
  public func featureSet(key: String) throws -> FeatureSet? {
    let folder = "\(featuresFolder)/\(key)"
    return FeatureSet.exists(folder) ? try FeatureSet(opening: folder) : nil
  }

  /// The set of that key, made if it is not there.
  ///
  /// - Parameters:
  ///   - key: A hash of all that the vectors depend on but the images; it names a folder.
  ///   - about: For people: backbone, weights, size, …
  /// - Throws: `WorkspaceError` if the set that is there has another dimension or type.
  package func featureSet(
    key: String, dimension: Int, type: NpyType, about: [String: String] = [:]
  ) throws -> FeatureSet {
    guard let set = try featureSet(key: key) else {
      return try FeatureSet(
        creating: "\(featuresFolder)/\(key)", dimension: dimension, type: type, about: about)
    }
    guard set.dimension == dimension, set.type == type else {
      throw WorkspaceError(
        .invalidInput, file: set.folder,
        "holds features of \(set.dimension) numbers (\(set.type.rawValue)), not of "
          + "\(dimension) (\(type.rawValue))",
        remedy: "Use another key, or remove the folder")
    }
    return set
  }

  /// The features of all samples, mapped into memory after a check that they are undamaged.
  ///
  /// - Throws: `WorkspaceError` if samples have none yet, or a file is damaged.
  public func featureMatrix(_ set: FeatureSet) throws -> FeatureMatrix {
    let samples = try sampleCount()
    try verify(set, samples: samples)
    return try FeatureMatrix(set, samples: samples)
  }

  /// How many rows a shard has; 0 if there is none, nil if it does not hold what was written.
  package func soundRows(of set: FeatureSet, shard: Int, samples: Int) throws -> Int? {
    do {
      guard let matrix = try set.openIfThere(shard: shard) else { return 0 }
      try verify(set.relativePath(shard: shard), remedy: "") {
        try set.digest(shard: shard, rows: samples - shard * FeatureSet.rowsPerShard)
      }
      return matrix.count
    } catch let error as WorkspaceError where error.kind == .damaged {
      return nil
    }
  }

  /// Makes sure that a set's files hold what was written.
  func verify(_ set: FeatureSet, samples: Int) throws {
    for start in stride(from: 0, to: samples, by: FeatureSet.rowsPerShard) {
      let shard = start / FeatureSet.rowsPerShard
      guard FileManager.default.fileExists(atPath: set.path(shard: shard)) else { continue }
      try verify(set.relativePath(shard: shard), remedy: set.remedy(shard: shard)) {
        try set.digest(shard: shard, rows: samples - start)
      }
    }
  }

  /// The digest of a shard as it is now, by its path below the workspace.
  static func shardDigest(of path: String, in workspace: String) throws -> String? {
    let parts = path.split(separator: "/")
    guard parts.count == 3, let set = try? FeatureSet(opening: "\(workspace)/features/\(parts[1])"),
      let shard = Int(parts[2].dropLast(4))
    else { return nil }
    return try? set.digest(shard: shard, rows: FeatureSet.rowsPerShard)
  }

  /// Stores the features that came with the samples of an import.
  func importFeatures(_ features: NpyMatrix, samples: Range<Int>, _ db: Database) throws {
    guard features.count == samples.count else {
      throw WorkspaceError(
        .invalidInput, file: features.path,
        "has \(features.count) rows, where the source has \(samples.count) samples",
        remedy: "Give one row per sample, in the order of the source")
    }
    guard features.dimension > 0 else {
      throw WorkspaceError(
        .invalidInput, file: features.path, "holds rows of no numbers: its shape is [\(features.count), 0]",
        remedy: "Save a matrix with one row of features per image")
    }
    let there = try featureSet(key: FeatureSet.imported)
    let without = WorkspaceError(
      .invalidInput, file: features.path,
      "has features, but the \(samples.lowerBound) samples already in the workspace have none",
      remedy: "Import this source into a workspace of its own, or the others with their features")
    // Before anything is made: a set that is there says that features came with the samples.
    guard there != nil || samples.lowerBound == 0 else { throw without }
    let set = try featureSet(
      key: FeatureSet.imported, dimension: features.dimension,
      type: there?.type ?? (features.type == .float16 ? .float16 : .float32))
    guard set.missing(of: samples.lowerBound).isEmpty else { throw without }
    var start = samples.lowerBound
    var values: [Float] = []
    while start < samples.upperBound {
      let end = min(samples.upperBound, (start / FeatureSet.rowsPerShard + 1) * FeatureSet.rowsPerShard)
      let count = (end - start) * features.dimension
      if values.count < count { values = [Float](repeating: 0, count: count) }
      let rows = (start - samples.lowerBound)..<(end - samples.lowerBound)
      try values.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        features.copyRows(rows, into: base)
        try set.write(start..<end, UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
      }
      let shard = start / FeatureSet.rowsPerShard
      let digest = try set.digest(shard: shard, rows: FeatureSet.rowsPerShard)
      try note([FileDigest(path: set.relativePath(shard: shard), digest: digest)], db)
      start = end
    }
  }
}

extension FeatureSet {
  /// The command that makes a shard again.
  func remedy(shard: Int) -> String {
    key == Self.imported
      ? "Restore a copy of the file, or import the features again into a new workspace"
      : "Make it again: cleannet embed"
  }
}
