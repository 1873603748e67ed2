/// Renames labels by a table, so that the classes of several sources meet.
package enum LabelMap {
  /// Reads a CSV or TSV table of two columns: a label, and its new name. A first row that begins with `label` or `from`
  /// is a header.
  ///
  /// - Throws: `DatasetProblems` naming every bad row.
  package static func read(path: String) throws -> [String: String] {
    let reader = try DelimitedReader(path: path, delimiter: nil) { first in
      ["label", "from"].contains(first[0].lowercased())
    }
    guard reader.columns.count == 2 else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: 1, what: "has \(reader.columns.count) columns, not two",
          remedy: "Write a label and its new name in each row"))
    }
    let log = ProblemLog()
    var map: [String: String] = [:]
    while try reader.next() {
      do {
        if let fault = reader.fault { throw fault }
        guard let from = try reader.text(0), let to = try reader.text(1) else {
          throw RecordFault(what: "has an empty field", remedy: "Write a label and its new name")
        }
        if let other = map.updateValue(to, forKey: from), other != to {
          throw RecordFault(
            what: "renames \"\(from)\" to \"\(to)\", an earlier row to \"\(other)\"",
            remedy: "Remove one of the two")
        }
      } catch let fault as RecordFault {
        log.add(path, line: reader.line, fault.what, fault.remedy)
      }
    }
    try log.throwIfAny()
    return map
  }

  /// Reads a file with one class name per line.
  ///
  /// - Throws: `DatasetProblems` if a name occurs twice.
  package static func readNames(path: String) throws -> [String] {
    let log = ProblemLog()
    let names = try LineReader.names(path: path, log: log)
    try log.throwIfAny()
    return names
  }
}
