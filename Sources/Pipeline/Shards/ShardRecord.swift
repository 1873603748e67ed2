import Files
import Foundation

/// The record beside the file of a part. It says that the part is complete: written after it, under the same name with
/// `.json`.
struct ShardRecord: Codable, Sendable {
  enum Kind: String, Codable, Sendable { case embed, judge }

  var kind: Kind
  /// From 0.
  var index: Int
  var count: Int
  /// Rows in the file, the first of which is this of all.
  var first: Int
  var rows: Int
  /// Rows of all parts together.
  var total: Int
  /// The identity that all parts of one job share: the key of the features, or the identity of the model.
  var identity: String
  /// A digest of the names and labels of all rows, so that parts of other sources are told.
  var source: String
  /// The file's name, and a digest of its bytes.
  var file: String
  var digest: String

  /// Where a part lies.
  static func path(_ kind: Kind, _ shard: Shard, in folder: String, _ ending: String) -> String {
    "\(folder)/\(kind.rawValue)-\(shard.name).\(ending)"
  }

  /// Puts the record beside its file, which is complete by now.
  func write(in folder: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let path = "\(folder)/\(file).json"
    let output = try DurableFile(path)
    try output.write(try encoder.encode(self))
    try output.finish()
  }

  /// The record of a part that was done before, if its file is still what it was.
  static func finished(_ path: String) -> ShardRecord? {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path + ".json")),
      let record = try? JSONDecoder().decode(ShardRecord.self, from: data),
      let digest = try? ContentDigest.ofFile(path).text, digest == record.digest
    else { return nil }
    return record
  }

  /// All parts of the job whose records lie in a folder, in order, complete and whole.
  ///
  /// - Throws: ``PipelineError`` of kind `tryAgain` where parts are not there yet, and of kind `badInput` where some do
  ///   not belong together or are damaged.
  static func all(in folder: String) throws -> [ShardRecord] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    guard let names else {
      throw PipelineError(
        .missingInput, "The folder \(folder) cannot be read", remedy: "Name the folder that --shard wrote to")
    }
    var records: [ShardRecord] = []
    for name in names.sorted() where name.hasSuffix(".json") && name.contains("-of-") {
      guard let data = try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")),
        let record = try? JSONDecoder().decode(ShardRecord.self, from: data), record.file + ".json" == name
      else {
        throw PipelineError(
          .badInput, "\(folder)/\(name) is no record of a part", remedy: "Remove it and run that part again")
      }
      records.append(record)
    }
    guard let first = records.first else {
      throw PipelineError(
        .tryAgain, "There is no finished part in \(folder)",
        remedy: "Run the parts first: --shard 1/8 and so on")
    }
    if let other = records.first(where: { !$0.belongs(to: first) }) {
      throw PipelineError(
        .badInput,
        "\(folder)/\(other.file) and \(first.file) are parts of different jobs (other images, model or number of parts)",
        remedy: "Remove the parts that are out of date")
    }
    let missing = Set(0..<first.count).subtracting(records.map(\.index)).sorted()
    guard missing.isEmpty else {
      let shown = missing.prefix(10).map { "\($0 + 1)" }.joined(separator: ", ")
      throw PipelineError(
        .tryAgain,
        "\(missing.count) of \(first.count) parts are missing in \(folder): \(shown)\(missing.count > 10 ? " …" : "")",
        remedy: "Wait for them, or run them again with --shard")
    }
    records.sort { $0.index < $1.index }
    var next = 0
    for record in records {
      guard record.first == next else {
        throw PipelineError(
          .badInput,
          "\(folder)/\(record.file) begins at row \(record.first), and the parts before end at \(next)",
          remedy: "Run all parts with one version of the program")
      }
      next += record.rows
      guard let digest = try? ContentDigest.ofFile("\(folder)/\(record.file)").text, digest == record.digest
      else {
        throw PipelineError(
          .badInput, "\(folder)/\(record.file) is missing or damaged",
          remedy:
            "Remove it and its .json, and run that part again: --shard \(record.index + 1)/\(record.count)")
      }
    }
    guard next == first.total else {
      throw PipelineError(
        .badInput, "The parts have \(next) rows of \(first.total)",
        remedy: "Remove them and run all of them again")
    }
    return records
  }

  private func belongs(to other: ShardRecord) -> Bool {
    kind == other.kind && count == other.count && total == other.total && identity == other.identity
      && source == other.source
  }
}

/// Makes the folder that parts are written to.
func makeShardFolder(_ folder: String) throws {
  do {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  } catch {
    throw PipelineError(
      .tryAgain, "The folder \(folder) cannot be made: \(error.localizedDescription)",
      remedy: "Check its permissions and the free space")
  }
}
