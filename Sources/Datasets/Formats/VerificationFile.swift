import Files
import Foundation

/// The shapes in which verification labels are kept.
package enum VerificationFormat: String, Sendable, CaseIterable {
  /// CSV, TSV or JSON lines with the columns key (or path) and verification.
  case table
  /// Food-101N's `<class>/<key>.jpg ⇥ 1|0`.
  case food101N = "food-101n"
  /// Label Studio's JSON: a list of tasks, with `key` in their data.
  case labelStudio = "label-studio"
}

/// Verification labels in any of these shapes.
package enum VerificationFile {
  /// Passes every row with a verdict to `each`; the others are skipped.
  ///
  /// - Parameter format: `nil` finds out.
  /// - Returns: How many rows have no verdict.
  /// - Throws: `DatasetProblems` at the end if rows are bad; what `each` throws, at once.
  @discardableResult
  package static func read(
    path: String, format: VerificationFormat? = nil, _ each: (VerificationTable.Row) throws -> Void
  ) throws -> Int {
    switch try format ?? detect(path) {
    case .table: return try VerificationTable.read(path: path, each)
    case .labelStudio: return try LabelStudio.read(path: path, each)
    case .food101N:
      let log = ProblemLog()
      try Food101NVerdicts.read(path: path, log: log) { key, isRight, line in
        try each(VerificationTable.Row(key: key, isRight: isRight, line: line))
      }
      try log.throwIfAny()
      return 0
    }
  }

  private static func isTasks(_ text: String) -> Bool {
    ["\"data\"", "\"annotations\"", "\"completions\"", "\"annotator\"", "\"image\""].contains {
      text.contains($0)
    }
      || ["\"right\"", "\"wrong\"", "\"unsure\""].contains { text.contains($0) }
  }

  static func detect(_ path: String) throws -> VerificationFormat {
    let source = try DatasetSource(path: path)
    let text = source.head.drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
    // A list of plain records, as pandas writes one, has neither tasks nor choices.
    if text.first == UInt8(ascii: "[") {
      return isTasks(String(decoding: text, as: UTF8.self)) ? .labelStudio : .table
    }
    guard source.lowercasedName.hasSuffix(".tsv") else { return .table }
    let line = String(
      decoding: text.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    let isBare = line.fields(at: .tab).count == 2 && (line.hasSuffix("\t1") || line.hasSuffix("\t0"))
    return isBare || line == Food101NVerdicts.header ? .food101N : .table
  }
}

/// Label Studio's JSON: tasks with the results of people, as it exports them (JSON or JSON-MIN).
///
/// Each person's verdict is the choice `right` or `wrong` of their last annotation that was not cancelled; people who
/// disagree are all passed on.
enum LabelStudio {
  /// The name of the control in the labelling configuration.
  static let control = "verification"

  private struct Task {
    var key: String?
    var label: String?
    var selection: String?
    /// The choice of each annotation, and its author.
    var choices: [(person: String?, choice: String)] = []
    /// Of a file of JSON-MIN.
    var person: String?

    mutating func add(_ choice: String, by person: String?) {
      if let person { choices.removeAll { $0.person == person } }
      choices.append((person, choice))
    }
  }

  static func read(path: String, _ each: (VerificationTable.Row) throws -> Void) throws -> Int {
    let log = ProblemLog()
    var rows: [VerificationTable.Row] = []
    var unknown = 0
    var number = 0
    let text = try MappedText(path: path)
    do throws(JSONScanner.Fault) {
      try text.withBytes { bytes throws(JSONScanner.Fault) in
        var scanner = JSONScanner(bytes)
        try scanner.elements { scanner throws(JSONScanner.Fault) in
          number += 1
          let task = try task(&scanner)
          guard !task.choices.isEmpty else {
            unknown += 1
            return
          }
          guard let key = task.key else {
            log.add(
              path, "task \(number) has no `key` in its data", "Export the tasks with cleannet verify export")
            return
          }
          var isKnown = false
          for (person, choice) in task.choices {
            let isRight: Bool?
            switch VerdictText(choice) {
            case .right: isRight = true
            case .wrong: isRight = false
            case .unsure: isRight = nil
            case .none: continue
            case .other:
              isKnown = true
              log.add(
                path, "task \(number) (\(key)) has the choice \"\(choice)\"",
                "Choices are right, wrong and unsure")
              continue
            }
            isKnown = true
            var row = VerificationTable.Row(
              key: key, isRight: isRight, label: task.label, person: person ?? task.person, line: 0)
            row.selection = task.selection
            rows.append(row)
          }
          if !isKnown { unknown += 1 }
        }
        try scanner.end()
      }
    } catch {
      throw DatasetProblems(
        DatasetProblem(
          file: path, line: text.line(of: error.offset), what: "is not JSON: \(error.what)",
          remedy: "Export the project as JSON or JSON-MIN"))
    }
    try log.throwIfAny()
    for row in rows { try each(row) }
    return unknown
  }

  private static func task(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> Task {
    var task = Task()
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      switch name {
      case "data" where scanner.isNext("{"):
        try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
          switch name {
          case "key": task.key = try scanner.valueText()
          case "label": task.label = try scanner.valueText()
          case "selection": task.selection = try scanner.valueText()
          default: try scanner.skip()
          }
        }
      case "annotations" where scanner.isNext("["):
        try scanner.elements { scanner throws(JSONScanner.Fault) in
          let (person, choice) = try choice(&scanner)
          if let choice { task.add(choice, by: person) }
        }
      // JSON-MIN has data and results side by side.
      case "key": task.key = try scanner.valueText()
      case "label": task.label = try scanner.valueText()
      case "selection": task.selection = try scanner.valueText()
      case control: if let choice = try scanner.valueText() { task.add(choice, by: nil) }
      case "annotator": task.person = try scanner.valueText().map { "annotator \($0)" }
      default: try scanner.skip()
      }
    }
    return task
  }

  /// The choice of an annotation, and its author; no choice if it was cancelled or chooses nothing.
  private static func choice(
    _ scanner: inout JSONScanner, from wanted: (String?) -> Bool = { $0 == control }
  ) throws(JSONScanner.Fault) -> (person: String?, choice: String?) {
    var choice: String?
    var person: String?
    var isCancelled = false
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      switch name {
      case "was_cancelled": isCancelled = try scanner.valueText() == "true"
      case "completed_by": person = try Self.person(&scanner)
      case "result" where scanner.isNext("["):
        try scanner.elements { scanner throws(JSONScanner.Fault) in
          let (from, chosen) = try result(&scanner)
          if wanted(from) { choice = chosen ?? choice }
        }
      default: try scanner.skip()
      }
    }
    return (person, isCancelled ? nil : choice)
  }

  /// A person's number, or an object with the address or the number.
  private static func person(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> String? {
    guard scanner.isNext("{") else { return try scanner.valueText().map { "annotator \($0)" } }
    var email: String?
    var number: String?
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      switch name {
      case "email": email = try scanner.valueText()
      case "id": number = try scanner.valueText()
      default: try scanner.skip()
      }
    }
    return email ?? number.map { "annotator \($0)" }
  }

  private static func result(
    _ scanner: inout JSONScanner
  ) throws(JSONScanner.Fault) -> (from: String?, choice: String?) {
    var from: String?
    var choice: String?
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      switch name {
      case "from_name": from = try scanner.valueText()
      case "value" where scanner.isNext("{"):
        try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
          guard name == "choices", scanner.isNext("[") else { return try scanner.skip() }
          try scanner.elements { scanner throws(JSONScanner.Fault) in choice = try scanner.valueText() }
        }
      default: try scanner.skip()
      }
    }
    return (from, choice)
  }

  /// The labels that a task's annotations choose, each once: of a project in which people labelled images.
  static func labels(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> [String] {
    var labels: [String] = []
    try scanner.elements { scanner throws(JSONScanner.Fault) in
      guard scanner.isNext("{") else { return try scanner.skip() }
      let (_, choice) = try choice(&scanner) { $0 != control }
      if let choice, !labels.contains(choice) { labels.append(choice) }
    }
    return labels
  }
}
