import Files
import Foundation

/// The columns of Parquet files.
struct ParquetSchema {
  struct Column {
    var name: String
    /// As DuckDB calls it.
    var type: String
  }

  private(set) var columns: [Column] = []
  /// The names of the classes that columns number, as Hugging Face's `datasets` keeps them.
  private(set) var classNames: [String: [String]] = [:]

  init(_ duckdb: DuckDB, _ files: [String], shown: String) throws(DatasetProblems) {
    let source = Self.source(files)
    let found = try duckdb.run(
      """
      SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM \(source));
      SELECT decode(value) AS huggingface FROM parquet_kv_metadata(\(DuckDB.quoted(files[0])))
      WHERE decode(key) = 'huggingface';
      """, file: shown)
    let log = ProblemLog()
    let lines = try LineReader(path: found.path, log: log)
    while let line = try lines.next() {
      let members = Self.members(line)
      if let name = members["column_name"], let type = members["column_type"] {
        columns.append(Column(name: name, type: type))
      } else if let text = members["huggingface"] {
        classNames = Self.classNames(text)
      }
    }
    try log.throwIfAny()
  }

  /// The files as a table in SQL, with the place of each row.
  static func source(_ files: [String]) -> String {
    "read_parquet([\(files.map(DuckDB.quoted).joined(separator: ", "))], union_by_name = true, "
      + "filename = 'cleannet_file', file_row_number = true)"
  }

  private static func members(_ line: String) -> [String: String] {
    var members: [String: String] = [:]
    try? Array(line.utf8).withUnsafeBufferPointer { bytes throws(JSONScanner.Fault) in
      var scanner = JSONScanner(bytes)
      try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
        members[name] = try scanner.valueText()
      }
    }
    return members
  }

  /// `{"info": {"features": {COLUMN: {"names": […], "_type": "ClassLabel"}}}}`
  private static func classNames(_ text: String) -> [String: [String]] {
    struct Feature: Decodable {
      var names: [String]?
    }
    struct Metadata: Decodable {
      struct Info: Decodable {
        /// Lists and sequences have shapes of their own.
        var features: [String: Lenient<Feature>]
      }
      var info: Info
    }
    guard let metadata = try? JSONDecoder().decode(Metadata.self, from: Data(text.utf8)) else { return [:] }
    return metadata.info.features.compactMapValues { $0.value?.names }
  }

  /// The expression of the images' bytes and, if it has one, of their paths.
  var image: (column: String, bytes: String, path: String?)? {
    let structs = columns.filter { $0.type.hasPrefix("STRUCT(") && $0.type.contains("bytes BLOB") }
    if let column = structs.first(where: { $0.name.lowercased() == "image" }) ?? structs.first {
      let name = DuckDB.name(column.name)
      let path = column.type.contains("path VARCHAR") ? "\(name).path" : nil
      return (column.name, "\(name).bytes", path)
    }
    let blobs = columns.filter { $0.type == "BLOB" }
    let known = ["image", "img", "image_bytes", "bytes", "jpg", "png", "content", "data"]
    guard
      let column = blobs.first(where: { known.contains($0.name.lowercased()) })
        ?? (blobs.count == 1 ? blobs[0] : nil)
    else { return nil }
    return (column.name, DuckDB.name(column.name), nil)
  }

  /// The columns that go into a table of texts, as SQL: bytes and vectors of numbers are left out, numbers of classes are
  /// replaced by names.
  func texts(without image: String?) -> (sql: [String], leftOut: [String]) {
    var sql: [String] = []
    var leftOut: [String] = []
    for column in columns
    where column.name != image && !["cleannet_file", "file_row_number"].contains(column.name) {
      let name = DuckDB.name(column.name)
      let isVector = ["FLOAT[", "DOUBLE[", "HALF["].contains { column.type.hasPrefix($0) }
      if column.type.contains("BLOB") || isVector {
        leftOut.append(column.name)
      } else if let names = classNames[column.name], !column.type.hasPrefix("VARCHAR") {
        let list = names.map(DuckDB.quoted).joined(separator: ", ")
        sql.append("CASE WHEN \(name) >= 0 THEN ([\(list)])[\(name) + 1] END AS \(name)")
      } else {
        sql.append(name)
      }
    }
    return (sql, leftOut)
  }
}

/// A value that may be of another shape than is asked for.
private struct Lenient<Value: Decodable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) { value = try? Value(from: decoder) }
}
