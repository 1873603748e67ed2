import Files

/// A table in one JSON document, in any of the shapes in which programs write one.
///
/// - a list of objects: pandas' `orient="records"`, Label Studio's tasks (their data and the choice of their annotations);
/// - an object with such a list in `samples`, `data`, `records` or `rows`: FiftyOne's, pandas' `orient="table"`;
/// - an object of columns, each a list or an object of rows: pandas' `orient="columns"`; or `columns` and rows in `data`;
/// - an object with a list of objects for each split: `{"train": […], "test": […]}`;
/// - an object that maps paths to labels, also as FiftyOne's `classes` and `labels`; or labels to lists of paths.
///
/// Lists of objects are read where they lie; of each only its place is held. Other shapes are held as texts.
final class JSONDocumentReader: RecordReader {
  /// The names under which objects keep their list of records.
  private static let lists = [
    "samples", "data", "records", "rows", "items", "instances", "examples", "images", "annotations", "files",
    "dataset",
  ]

  let path: String
  private let text: MappedText
  /// Where the records lie in the text.
  private var places: [Range<Int>] = []
  /// Where the records of each split end, where lists are named by splits.
  private var splits: [(end: Int, name: String)] = []
  /// The records of other shapes.
  private var rows: [[String?]] = []
  private var values: [(text: String?, isNested: Bool)] = []
  private var columnIndex: [String: Int] = [:]
  private var position = -1
  private(set) var columns: [String] = []
  private(set) var line = 0
  private(set) var fault: RecordFault?

  init(path: String) throws {
    self.path = path
    text = try MappedText(path: path)
    do throws(JSONScanner.Fault) {
      try text.withBytes { bytes throws(JSONScanner.Fault) in
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        try find(bytes, from: start)
      }
    } catch {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: text.line(of: error.offset),
          what: "is not JSON: \(error.what) at byte \(error.offset + 1)",
          remedy: "The file may have been cut short; get it again, or write JSON lines (one object per line)")
      )
    }
    guard !places.isEmpty || !rows.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "is JSON without a table that can be read",
          remedy: "Write a list of objects with path and label, or JSON lines (.jsonl): one object per line"))
    }
    // The columns are those of the first records.
    for index in places.indices.prefix(32) { parse(index) }
  }

  func next() throws -> Bool {
    position += 1
    fault = nil
    if !rows.isEmpty {
      guard position < rows.count else { return false }
      values = rows[position].map { ($0, false) }
      line = 0
      return true
    }
    guard position < places.count else { return false }
    parse(position)
    // Counted here and not by line ends, of which there may be none.
    line = position + 1
    return true
  }

  func text(_ column: Int) throws(RecordFault) -> String? {
    column < values.count ? values[column].text : nil
  }

  func isNested(_ column: Int) -> Bool { column < values.count && values[column].isNested }

  // MARK: Shapes

  private func find(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) throws(JSONScanner.Fault) {
    var scanner = JSONScanner(UnsafeBufferPointer(rebasing: bytes[start...]))
    func shifted(_ range: Range<Int>) -> Range<Int> {
      (range.lowerBound + start)..<(range.upperBound + start)
    }
    func begins(_ range: Range<Int>, _ opening: StaticString) -> Bool {
      bytes[range.lowerBound] == opening.utf8Start[0]
    }
    if scanner.isNext("[") {
      try scanner.elements { scanner throws(JSONScanner.Fault) in places.append(shifted(try scanner.range()))
      }
      try scanner.end()
      if let odd = places.first(where: { !begins($0, "{") }) {
        throw JSONScanner.Fault(what: "the list holds something other than objects", offset: odd.lowerBound)
      }
      return
    }
    var members: [(name: String, place: Range<Int>)] = []
    try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
      members.append((name, shifted(try scanner.range())))
    }
    func elements(_ place: Range<Int>) throws(JSONScanner.Fault) -> [Range<Int>] {
      var inner = JSONScanner(UnsafeBufferPointer(rebasing: bytes[place]))
      var found: [Range<Int>] = []
      try inner.elements { inner throws(JSONScanner.Fault) in
        let range = try inner.range()
        found.append((range.lowerBound + place.lowerBound)..<(range.upperBound + place.lowerBound))
      }
      return found
    }
    func value(_ place: Range<Int>) throws(JSONScanner.Fault) -> String? {
      var inner = JSONScanner(UnsafeBufferPointer(rebasing: bytes[place]))
      return try inner.valueText()
    }
    func texts(_ place: Range<Int>) throws(JSONScanner.Fault) -> [String?] {
      if begins(place, "[") { return try elements(place).map(value) }
      var inner = JSONScanner(UnsafeBufferPointer(rebasing: bytes[place]))
      var found: [String?] = []
      try inner.members { (_, inner) throws(JSONScanner.Fault) in found.append(try inner.valueText()) }
      return found
    }
    let named = Dictionary(members.map { ($0.name, $0.place) }) { first, _ in first }
    let parts = members.filter { SplitName.canonical($0.name) != nil && begins($0.place, "[") }
    if !parts.isEmpty, parts.count == members.count(where: { begins($0.place, "[") }) {
      var lists: [(name: String, records: [Range<Int>])] = []
      for part in parts { lists.append((part.name, try elements(part.place))) }
      if lists.allSatisfy({ $0.records.allSatisfy { begins($0, "{") } }) {
        for list in lists {
          places += list.records
          splits.append((places.count, list.name))
        }
        return
      }
      if lists.allSatisfy({ $0.records.allSatisfy { begins($0, "\"") } }) {
        columns = ["path", "split"]
        for list in lists { for record in list.records { rows.append([try value(record), list.name]) } }
        return
      }
    }
    for name in Self.lists {
      guard let list = named[name], begins(list, "[") else { continue }
      let records = try elements(list)
      if records.allSatisfy({ begins($0, "{") }) {
        places = records
        return
      }
      if let header = named["columns"], records.allSatisfy({ begins($0, "[") }) {
        columns = try texts(header).map { $0 ?? "" }
        rows = try records.map(texts)
        return
      }
    }
    if let labels = named["labels"], begins(labels, "{") {
      let classes = named["classes"].flatMap { begins($0, "[") ? $0 : nil }
      let names = try classes.map(texts) ?? []
      columns = ["path", "label"]
      var inner = JSONScanner(UnsafeBufferPointer(rebasing: bytes[labels]))
      try inner.members { (path, inner) throws(JSONScanner.Fault) in
        let label = try inner.valueText()
        rows.append([
          path, label.flatMap { Int($0) }.flatMap { names.indices.contains($0) ? names[$0] : nil } ?? label,
        ])
      }
      return
    }
    guard !members.isEmpty else { return }
    if members.allSatisfy({ !begins($0.place, "{") && !begins($0.place, "[") }) {
      columns = ["path", "label"]
      for member in members { rows.append([member.name, try value(member.place)]) }
      return
    }
    guard members.allSatisfy({ begins($0.place, "{") || begins($0.place, "[") }) else { return }
    var lists: [[String?]] = []
    for member in members { lists.append(try texts(member.place)) }
    if ManifestColumns.isKnownPath(members.map(\.name)) || ManifestColumns.isKnownLabel(members.map(\.name)) {
      guard Set(lists.map(\.count)).count == 1, let count = lists.first?.count else { return }
      columns = members.map(\.name)
      rows = (0..<count).map { row in lists.map { $0[row] } }
    } else if members.allSatisfy({ begins($0.place, "[") }) {
      columns = ["path", "label"]
      rows = zip(members, lists).flatMap { member, paths in paths.map { [$0, member.name] } }
    }
  }

  // MARK: Records

  private func parse(_ index: Int) {
    defer {
      let split = splits.first { index < $0.end }?.name
      if let split, columnIndex["split"].map({ $0 >= values.count || values[$0].text == nil }) ?? true {
        set("split", split, isNested: false)
      }
    }
    for column in values.indices { values[column] = (nil, false) }
    fault = nil
    do throws(JSONScanner.Fault) {
      try text.withBytes { bytes throws(JSONScanner.Fault) in
        var scanner = JSONScanner(UnsafeBufferPointer(rebasing: bytes[places[index]]))
        try scanner.members { (name, scanner) throws(JSONScanner.Fault) in try take(name, &scanner) }
      }
    } catch {
      fault = RecordFault(what: "is not a JSON object: \(error.what)", remedy: "Write it again")
    }
  }

  private func take(_ name: String, _ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
    switch name {
    case "data" where scanner.isNext("{"):
      // A task of Label Studio keeps its columns in there.
      try scanner.members { (name, scanner) throws(JSONScanner.Fault) in try set(name, &scanner) }
    case "annotations" where scanner.isNext("["), "completions" where scanner.isNext("["):
      let choices = try LabelStudio.labels(&scanner)
      if !choices.isEmpty {
        set(
          "choice",
          choices.count == 1 ? choices[0] : "[\(choices.map(JSONText.quoted).joined(separator: ", "))]",
          isNested: choices.count > 1)
      }
    default: try set(name, &scanner)
    }
  }

  private func set(_ name: String, _ scanner: inout JSONScanner) throws(JSONScanner.Fault) {
    let isNested = scanner.isNext("{") || scanner.isNext("[")
    set(name, try scanner.valueText(), isNested: isNested)
  }

  private func set(_ name: String, _ text: String?, isNested: Bool) {
    let column = columnIndex[name] ?? columns.count
    if column == columns.count {
      columns.append(name)
      columnIndex[name] = column
    }
    while values.count <= column { values.append((nil, false)) }
    values[column] = (text?.isEmpty == true ? nil : text, isNested)
  }
}
