import Foundation

/// The scores of one run, mapped into memory: a collection of rows, one per sample, in the samples' order.
public struct ScoreTable: Sendable, RandomAccessCollection {
  public let key: String
  private let columns: [MappedFile]
  private let offsets: [Int]
  public let count: Int

  init(folder: String) throws {
    key = URL(fileURLWithPath: folder).lastPathComponent
    var columns: [MappedFile] = []
    var headers: [NpyHeader] = []
    for (number, column) in ScoreRow.columns.enumerated() {
      let path = "\(folder)/\(column.name).npy"
      if number >= ScoreRow.oldColumns, !FileManager.default.fileExists(atPath: path) { break }
      do throws(WorkspaceError) {
        let file = try MappedFile(path: path)
        let header = try NpyHeader(parsing: file.bytes, file: path)
        guard header.type == column.type, header.shape.count == 1,
          header.shape == headers.first?.shape ?? header.shape
        else {
          throw WorkspaceError(.damaged, file: path, "is not a column of scores like the others", remedy: "")
        }
        columns.append(file)
        headers.append(header)
      } catch {
        throw WorkspaceError(
          .damaged, file: path, error.what, remedy: "Remove the folder and run: cleannet score")
      }
    }
    self.columns = columns
    offsets = headers.map(\.offset)
    count = headers.first?.shape.first ?? 0
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(sample: Int) -> ScoreRow {
    precondition(sample >= 0 && sample < count, "row \(sample) of \(count)")
    return ScoreRow(
      cosine: value(0, sample), probability: value(1, sample), threshold: value(2, sample),
      verdict: ScoreRow.Verdict(rawValue: value(3, sample)) ?? .unknown, softWeight: value(4, sample),
      hardWeight: value(5, sample), suggestedLabel: value(6, sample), suggestedCosine: value(7, sample),
      disagreement: columns.count > ScoreRow.oldColumns ? value(8, sample) : .nan)
  }

  private func value<Value: BitwiseCopyable>(_ column: Int, _ row: Int) -> Value {
    columns[column].bytes.loadUnaligned(
      fromByteOffset: offsets[column] + row * MemoryLayout<Value>.size, as: Value.self)
  }
}

extension Workspace {
  /// Begins to write the scores of the run with that key.
  /// - Parameter count: The number of rows, one a sample.
  package func scoreWriter(key: String, count: Int) throws -> ScoreWriter {
    try makeFolder("\(path)/scores")
    return try ScoreWriter(folder: "\(path)/scores/\(key)", count: count)
  }

  /// The scores of the run with that key, if they are there.
  /// - Throws: `WorkspaceError` if they are damaged.
  public func scores(key: String) throws -> ScoreTable? {
    let folder = "\(path)/scores/\(key)"
    guard FileManager.default.fileExists(atPath: folder) else { return nil }
    try verify(["scores/\(key)"], remedy: "Run: cleannet score")
    return try ScoreTable(folder: folder)
  }
}
