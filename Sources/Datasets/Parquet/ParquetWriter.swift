import Files
import Foundation

extension Parquet: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try ParquetWriter(output)
  }
}

/// Writes a folder with `data/<split>-00000-of-00001.parquet`, as Hugging Face's `load_dataset("parquet", …)` reads
/// them: the columns `image` (bytes and path) and `label` (a number, with the classes' names in the metadata), and what
/// else is known.
final class ParquetWriter: DatasetWriter {
  private let session: WritingSession
  private let duckdb: DuckDB
  private let numbers: [String: Int]
  private let bytes = ImageBytes()
  private var parts: [String: Part] = [:]

  /// DuckDB at work on one split's file.
  private final class Part {
    let process = Process()
    let input = Pipe()
    let errors: UnnamedFile
    var pending: [UInt8] = []

    init(_ duckdb: DuckDB, _ sql: String, shown: String) throws {
      errors = try UnnamedFile(for: shown)
      process.executableURL = URL(fileURLWithPath: duckdb.program)
      process.arguments = ["-no-init", "-bail", "-no-stdin", "-c", sql]
      process.standardInput = input
      process.standardOutput = FileHandle.nullDevice
      process.standardError = errors.handle
      try process.run()
      try? input.fileHandleForReading.close()
    }

    func write(_ line: String) throws {
      pending.append(contentsOf: line.utf8)
      if pending.count > 1 << 20 { try flush() }
    }

    func flush() throws {
      try input.fileHandleForWriting.write(contentsOf: pending)
      pending.removeAll(keepingCapacity: true)
    }

    deinit { if process.isRunning { process.terminate() } }
  }

  init(_ output: DatasetOutput) throws {
    // A child that ends early is told by its status, not by a signal.
    signal(SIGPIPE, SIG_IGN)
    duckdb = try DuckDB(for: output.path)
    session = try WritingSession(output)
    numbers = Dictionary(output.classNames.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  private var attributes: [String] { session.output.attributeNames }

  /// The column of an attribute, told apart from the columns that every sample has.
  private func column(_ attribute: String) -> String {
    let taken = ["image", "label", "key", "verification", "split"]
    return taken.contains(attribute.lowercased()) ? attribute + "_attribute" : attribute
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      let image = try bytes.read(sample.location, key: sample.key)
      guard let label = numbers[sample.label] else { return }
      var line =
        "{\"b\": \"\(Data(image).base64EncodedString())\", \"p\": \(JSONText.quoted(SafeNames.file(sample)))"
      line +=
        ", \"l\": \(label), \"k\": \(JSONText.quoted(sample.key)), \"s\": \(JSONText.quoted(sample.split))"
      if let verdict = sample.verification { line += ", \"v\": \(verdict ? 1 : 0)" }
      for (place, name) in attributes.enumerated() {
        if let value = sample.attribute(name) { line += ", \"a\(place)\": \(JSONText.quoted(value))" }
      }
      do {
        try part(sample.split).write(line + "}\n")
      } catch let problems as DatasetProblems {
        throw problems
      } catch {
        throw failure(sample.split)
      }
    }
  }

  private func failure(_ split: String) -> DatasetProblems {
    guard let part = parts[split] else { return DuckDB.failure(session.output.path, "cannot be started") }
    try? part.input.fileHandleForWriting.close()
    part.process.waitUntilExit()
    return DuckDB.failure(session.output.path, part.errors.text)
  }

  private func part(_ split: String) throws -> Part {
    if let part = parts[split] { return part }
    let name = SafeNames.safe(split)
    let file = try session.place.prepare("data/\(name)-00000-of-00001.parquet")
    var columns = [
      "b: 'VARCHAR'", "p: 'VARCHAR'", "l: 'BIGINT'", "k: 'VARCHAR'", "v: 'BIGINT'", "s: 'VARCHAR'",
    ]
    columns += attributes.indices.map { "a\($0): 'VARCHAR'" }
    let further = attributes.enumerated().map { ", a\($0) AS \(DuckDB.name(column($1)))" }.joined()
    let sql = """
      COPY (SELECT struct_pack(bytes := from_base64(b), path := p) AS image, l AS label, k AS key, v AS verification, \
      s AS split\(further) FROM read_json('/dev/stdin', format = 'newline_delimited', maximum_object_size = 1073741824, \
      columns = {\(columns.joined(separator: ", "))})) TO \(DuckDB.quoted(file)) (FORMAT parquet, ROW_GROUP_SIZE 2048, \
      KV_METADATA {huggingface: \(DuckDB.quoted(metadata))});
      """
    let part = try Part(duckdb, sql, shown: session.output.path)
    parts[split] = part
    return part
  }

  /// The description of the columns that Hugging Face's `datasets` reads.
  private var metadata: String {
    let names = session.output.classNames.map(JSONText.quoted).joined(separator: ", ")
    func value(_ type: String) -> String { "{\"dtype\": \"\(type)\", \"_type\": \"Value\"}" }
    var features = [
      "\"image\": {\"_type\": \"Image\"}", "\"label\": {\"names\": [\(names)], \"_type\": \"ClassLabel\"}",
      "\"key\": \(value("string"))", "\"verification\": \(value("int64"))", "\"split\": \(value("string"))",
    ]
    features += attributes.map { "\(JSONText.quoted(column($0))): \(value("string"))" }
    return "{\"info\": {\"features\": {\(features.joined(separator: ", "))}}}"
  }

  func finish() throws -> [String] {
    try session.finish {
      for split in parts.keys.sorted() {
        guard let part = parts[split] else { continue }
        do { try part.flush() } catch { throw failure(split) }
        try part.input.fileHandleForWriting.close()
        part.process.waitUntilExit()
        guard part.process.terminationStatus == 0 else {
          throw DuckDB.failure(session.output.path, part.errors.text)
        }
      }
    }
  }
}
