import Foundation

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
  public func featureSet(
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

  /// Stores the features that came with the samples of an import.
  func importFeatures(_ features: NpyMatrix, samples: Range<Int>) throws {
    guard features.count == samples.count else {
      throw WorkspaceError(
        .invalidInput, file: features.path,
        "has \(features.count) rows, where the source has \(samples.count) samples",
        remedy: "Give a row a sample, in the source's order")
    }
    let there = try featureSet(key: FeatureSet.imported)
    let set = try featureSet(
      key: FeatureSet.imported, dimension: features.dimension,
      type: there?.type ?? (features.type == .float16 ? .float16 : .float32))
    guard set.missing(of: samples.lowerBound).isEmpty else {
      throw WorkspaceError(
        .invalidInput, file: features.path,
        "has features, which the \(samples.lowerBound) samples in the workspace already do not have",
        remedy: "Import this source into a workspace of its own, or the others with their features")
    }
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
      start = end
    }
  }
}
