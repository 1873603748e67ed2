import Foundation

/// The shapes in which verification labels are kept.
public enum VerificationFormat: String, Sendable, CaseIterable {
  /// CSV, TSV or JSON lines with the columns key (or path) and verification.
  case table
  /// Food-101N's `<class>/<key>.jpg ⇥ 1|0`.
  case food101N = "food-101n"
  /// Label Studio's JSON: a list of tasks, with `key` in their data.
  case labelStudio = "label-studio"
}

/// Verification labels in any of these shapes.
public enum VerificationFile {
  /// Passes every row with a verdict to `each`; the others are skipped.
  ///
  /// - Parameter format: `nil` finds out.
  /// - Returns: How many rows have no verdict.
  /// - Throws: `DatasetProblems` at the end if rows are bad; what `each` throws, at once.
  @discardableResult
  public static func read(
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

  static func detect(_ path: String) throws -> VerificationFormat {
    let source = try DatasetSource(path: path)
    let text = source.head.drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
    if text.first == UInt8(ascii: "[") { return .labelStudio }
    guard source.lowercasedName.hasSuffix(".tsv") else { return .table }
    let line = String(
      decoding: text.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    let isBare = line.fields(at: .tab).count == 2 && (line.hasSuffix("\t1") || line.hasSuffix("\t0"))
    return isBare || line == Food101NVerdicts.header ? .food101N : .table
  }
}

/// Label Studio's JSON: tasks with the results of people, as it exports them (JSON or JSON-MIN).
///
/// The verdict is the choice `right` or `wrong` of the last annotation that was not cancelled.
enum LabelStudio {
  /// The name of the control in the labelling configuration.
  static let control = "verification"

  private struct Task {
    var key: String?
    var label: String?
    var selection: String?
    var choice: String?
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
          guard let choice = task.choice else {
            unknown += 1
            return
          }
          guard let key = task.key else {
            log.add(
              path, "task \(number) has no `key` in its data", "Export the tasks with cleannet verify export")
            return
          }
          func add(_ isRight: Bool?) {
            var row = VerificationTable.Row(key: key, isRight: isRight, label: task.label, line: 0)
            row.selection = task.selection
            rows.append(row)
          }
          switch choice.lowercased() {
          case "right", "correct", "yes", "1": add(true)
          case "wrong", "incorrect", "no", "0": add(false)
          case "unsure": add(nil)
          case "": unknown += 1
          default:
            log.add(
              path, "task \(number) (\(key)) has the choice \"\(choice)\"",
              "Choices are right, wrong and unsure")
          }
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
          if let choice = try choice(&scanner) { task.choice = choice }
        }
      // JSON-MIN has data and results side by side.
      case "key": task.key = try scanner.valueText()
      case "label": task.label = try scanner.valueText()
      case "selection": task.selection = try scanner.valueText()
      case control: task.choice = try scanner.valueText()
      default: try scanner.skip()
      }
    }
    return task
  }

  /// What an annotation chooses; `nil` if it was cancelled or chooses nothing.
  private static func choice(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> String? {
    var choice: String?
    var isCancelled = false
    try scanner.members { (name, scanner) throws(JSONScanner.Fault) in
      switch name {
      case "was_cancelled": isCancelled = try scanner.valueText() == "true"
      case "result" where scanner.isNext("["):
        try scanner.elements { scanner throws(JSONScanner.Fault) in
          choice = try result(&scanner) ?? choice
        }
      default: try scanner.skip()
      }
    }
    return isCancelled ? nil : choice
  }

  private static func result(_ scanner: inout JSONScanner) throws(JSONScanner.Fault) -> String? {
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
    return from == control ? choice : nil
  }
}
