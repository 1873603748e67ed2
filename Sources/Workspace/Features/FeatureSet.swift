import Files
import Foundation

/// The feature vectors of a workspace's samples from one backbone: a folder of shards, each a `.npy` file
/// with the rows of 4,096 samples in a row.
///
/// Row i of shard s belongs to sample 4096·s + i. The last shard ends where the samples ended when it was
/// written; it is written anew when there are more. An image without features has a row of NaN.
///
/// The value is a description; all its functions may be called from any thread. Two writers must not write
/// one shard.
public struct FeatureSet: Sendable, Hashable {
  /// A hash of everything that the vectors depend on, except the images; the folder's name.
  public let key: String
  public let folder: String
  public let dimension: Int
  /// `float16` or `float32`.
  public let type: NpyType
  /// A description of the way the vectors were made, for people: backbone, weights, size, …
  public let about: [String: String]

  public static let rowsPerShard = 4096

  /// The key of imported features.
  public static let imported = "imported"

  /// The contents of `features.json`.
  private struct Description: Codable {
    var dimension: Int
    var type: NpyType
    var rowsPerShard: Int
    var about: [String: String]
  }

  private static func descriptionPath(_ folder: String) -> String { "\(folder)/features.json" }

  init(opening folder: String) throws {
    let path = Self.descriptionPath(folder)
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let description = try JSONDecoder().decode(Description.self, from: data)
      guard description.rowsPerShard == Self.rowsPerShard, description.dimension > 0,
        [.float16, .float32].contains(description.type)
      else { throw CocoaError(.coderReadCorrupt) }
      dimension = description.dimension
      type = description.type
      about = description.about
    } catch {
      throw WorkspaceError(
        .damaged, file: path, "cannot be read",
        remedy: "Remove the folder; the features will be computed again")
    }
    self.folder = folder
    key = URL(fileURLWithPath: folder).lastPathComponent
  }

  init(creating folder: String, dimension: Int, type: NpyType, about: [String: String]) throws {
    precondition(dimension > 0 && [.float16, .float32].contains(type), "features are float16 or float32")
    try makeFolder(folder)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let description = Description(
      dimension: dimension, type: type, rowsPerShard: Self.rowsPerShard, about: about)
    try AtomicFile.write(try encoder.encode(description), to: Self.descriptionPath(folder))
    try self.init(opening: folder)
  }

  static func exists(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: descriptionPath(folder))
  }

  func path(shard: Int) -> String {
    let digits = String(shard)
    return "\(folder)/\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).npy"
  }

  /// Opens a shard: `[rows, dimension]`.
  /// - Throws: `WorkspaceError` of kind `notFound` or `damaged`.
  func open(shard: Int) throws(WorkspaceError) -> NpyMatrix {
    let path = path(shard: shard)
    let remedy = remedy(shard: shard)
    let matrix: NpyMatrix
    do {
      matrix = try NpyMatrix(path: path)
    } catch {
      guard error.kind == .damaged || error.kind == .invalidInput else { throw error }
      throw WorkspaceError(.damaged, file: path, error.what, remedy: remedy)
    }
    guard matrix.dimension == dimension, matrix.type == type, matrix.count <= Self.rowsPerShard else {
      throw WorkspaceError(
        .damaged, file: path,
        "holds \(matrix.count) × \(matrix.dimension) of \(matrix.type.rawValue), not rows of "
          + "\(dimension) \(type.rawValue)",
        remedy: remedy)
    }
    return matrix
  }

  /// The ranges of samples whose rows are missing or damaged, each within one shard, in order: what is left
  /// to embed.
  public func missing(of samples: Int) -> [Range<Int>] {
    stride(from: 0, to: samples, by: Self.rowsPerShard).compactMap { start in
      let end = min(start + Self.rowsPerShard, samples)
      let rows = (try? open(shard: start / Self.rowsPerShard))?.count ?? 0
      return start + rows < end ? (start + rows)..<end : nil
    }
  }

  /// How many of the samples have a row.
  public func coverage(of samples: Int) -> Int {
    samples - missing(of: samples).reduce(0) { $0 + $1.count }
  }

  /// Writes the rows of some samples of one shard, completely or not at all: `[range.count, dimension]`.
  ///
  /// The range begins where the shard's rows end so far, or at its start; those before are kept.
  /// - Throws: `WorkspaceError` if the disk refuses, or a value is too large for float16.
  package func write(_ range: Range<Int>, _ values: UnsafeBufferPointer<Float>) throws {
    precondition(values.count == range.count * dimension, "\(values.count) values for \(range.count) rows")
    guard !range.isEmpty else { return }
    let shard = range.lowerBound / Self.rowsPerShard
    precondition((range.upperBound - 1) / Self.rowsPerShard == shard, "samples \(range) lie in two shards")
    let kept = range.lowerBound - shard * Self.rowsPerShard
    let earlier = kept > 0 ? try open(shard: shard) : nil
    precondition(kept <= earlier?.count ?? 0, "rows before sample \(range.lowerBound) are missing")
    try write(shard: shard, keeping: kept, of: earlier, adding: try stored(values))
  }

  /// Replaces the rows of some samples that have one: `[samples.count, dimension]`. Each shard is written whole.
  ///
  /// - Throws: `WorkspaceError` if the disk refuses, or a value is too large for float16.
  package func replace(_ samples: [Int], _ values: UnsafeBufferPointer<Float>) throws {
    precondition(
      values.count == samples.count * dimension, "\(values.count) values for \(samples.count) rows")
    for (shard, places) in Dictionary(grouping: samples.indices, by: { samples[$0] / Self.rowsPerShard }) {
      let earlier = try open(shard: shard)
      let places = places.sorted { samples[$0] < samples[$1] }
      precondition(
        places.allSatisfy { samples[$0] % Self.rowsPerShard < earlier.count },
        "a sample has no row to replace")
      let rows = places.flatMap { values[($0 * dimension)..<(($0 + 1) * dimension)] }
      try rows.withUnsafeBufferPointer { try put(places.map { samples[$0] }, $0) }
    }
  }

  /// Writes the rows of some samples of one shard, `[samples.count, dimension]`; the shard's others stay as they are,
  /// and missing rows between them become empty. Completely or not at all.
  ///
  /// - Parameters:
  ///   - samples: Rising.
  ///   - announce: Called with the shard's new digest just before it is put in place.
  /// - Throws: `WorkspaceError` if the disk refuses, or a value is too large for float16.
  func put(
    _ samples: [Int], _ values: UnsafeBufferPointer<Float>,
    announce: (_ digest: String) throws -> Void = { _ in }
  ) throws {
    precondition(
      values.count == samples.count * dimension, "\(values.count) values for \(samples.count) rows")
    guard let first = samples.first, let last = samples.last else { return }
    let shard = first / Self.rowsPerShard
    precondition(last / Self.rowsPerShard == shard, "samples \(first)...\(last) lie in two shards")
    let bytes = try stored(values)
    let rowSize = dimension * type.size
    let earlier = try? open(shard: shard)
    var rows = earlier.map { Array($0.file.bytes[$0.header.offset...]) } ?? []
    let start = shard * Self.rowsPerShard
    if rows.count < (last - start + 1) * rowSize {
      let empty: [UInt8] = type == .float16 ? [0x00, 0x7E] : [0x00, 0x00, 0xC0, 0x7F]
      rows.reserveCapacity((last - start + 1) * rowSize)
      while rows.count < (last - start + 1) * rowSize { rows += empty }
    }
    rows.withUnsafeMutableBytes { target in
      bytes.withUnsafeBytes { source in
        for (place, sample) in samples.enumerated() {
          let from = UnsafeRawBufferPointer(rebasing: source[(place * rowSize)..<((place + 1) * rowSize)])
          UnsafeMutableRawBufferPointer(rebasing: target[((sample - start) * rowSize)...]).copyMemory(
            from: from)
        }
      }
    }
    try write(shard: shard, keeping: 0, of: nil, adding: rows, announce: announce)
  }

  /// Cuts off what belongs to samples that there are not: rows that an interrupted import left.
  func trim(to samples: Int) throws {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      guard name.hasSuffix(".npy"), let shard = Int(name.dropLast(4)) else { continue }
      let start = shard * Self.rowsPerShard
      if start >= samples {
        unlink("\(folder)/\(name)")
      } else if let matrix = try? open(shard: shard), start + matrix.count > samples {
        try write(shard: shard, keeping: samples - start, of: matrix, adding: [])
      }
    }
  }

  /// Writes a shard of some rows as they are stored already, and further bytes.
  private func write(
    shard: Int, keeping kept: Int, of earlier: NpyMatrix?, adding bytes: [UInt8],
    announce: (_ digest: String) throws -> Void = { _ in }
  ) throws {
    let rowSize = dimension * type.size
    let header = NpyHeader(type: type, shape: [kept + bytes.count / rowSize, dimension]).bytes
    let file = try AtomicFile(path: path(shard: shard))
    try file.write(header)
    if kept > 0, let earlier {
      let start = earlier.header.offset
      try file.write(UnsafeRawBufferPointer(rebasing: earlier.file.bytes[start..<(start + kept * rowSize)]))
    }
    try file.write(bytes)
    try announce(file.digest.text)
    try file.finish()
  }

  /// The path below the workspace.
  func relativePath(shard: Int) -> String {
    "features/\(key)/\(URL(fileURLWithPath: path(shard: shard)).lastPathComponent)"
  }

  /// The digest of a shard as it is written when it holds its first rows only.
  ///
  /// - Parameter rows: At most this many count: an import that was killed may have left others behind them.
  func digest(shard: Int, rows: Int) throws -> String {
    let matrix = try open(shard: shard)
    let count = min(rows, matrix.count)
    var digest = ContentDigest()
    NpyHeader(type: type, shape: [count, dimension]).bytes.withUnsafeBytes { digest.update($0) }
    let start = matrix.header.offset
    digest.update(
      UnsafeRawBufferPointer(rebasing: matrix.file.bytes[start..<(start + count * dimension * type.size)]))
    return digest.text
  }

  /// The bytes of values in the set's type.
  private func stored(_ values: UnsafeBufferPointer<Float>) throws(WorkspaceError) -> [UInt8] {
    guard type == .float16, let source = values.baseAddress else {
      return Array(UnsafeRawBufferPointer(values))
    }
    var overflow: Int?
    let bytes = [UInt8](unsafeUninitializedCapacity: values.count * 2) { buffer, count in
      buffer.withMemoryRebound(to: UInt16.self) { halves in
        guard let target = halves.baseAddress else { return }
        overflow = HalfFloat.narrow(source, into: target, count: values.count)
      }
      count = values.count * 2
    }
    if let overflow {
      throw WorkspaceError(
        .invalidInput, file: folder, "cannot hold \(values[overflow]) as float16",
        remedy: "Keep these features as float32 (embed --precision f32, or a float32 .npy file)")
    }
    return bytes
  }
}
