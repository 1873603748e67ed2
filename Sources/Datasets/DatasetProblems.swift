/// Something wrong at one place of a data set.
package struct DatasetProblem: Error, CustomStringConvertible, Sendable, Hashable {
  package var file: String
  /// Counted from 1; `nil` where the problem is the file's.
  package var line: Int?
  package var what: String
  package var remedy: String

  package init(file: String, line: Int? = nil, what: String, remedy: String) {
    self.file = file
    self.line = line
    self.what = what
    self.remedy = remedy
  }

  package var description: String {
    "\(file)\(line.map { ", line \($0)" } ?? ""): \(what). \(remedy)."
  }
}

/// All problems of a source together: the first `kept` of them in full, and how many there are.
package struct DatasetProblems: Error, CustomStringConvertible, Sendable {
  /// How many problems are kept in full.
  package static let kept = 20

  package private(set) var first: [DatasetProblem] = []
  package private(set) var count = 0

  package init() {}

  package init(_ problem: DatasetProblem) {
    add(problem)
  }

  package mutating func add(_ problem: DatasetProblem) {
    count += 1
    if first.count < Self.kept { first.append(problem) }
  }

  package var isEmpty: Bool { count == 0 }

  package var description: String {
    if count == 1, let only = first.first { return only.description }
    let more = count > first.count ? "\n  … and \(count - first.count) more" : ""
    return "\(count) problems:\n" + lines.map { "  \($0)" }.joined(separator: "\n") + more
  }

  private static let shownAlike = 3

  private static func numbers(_ problems: ArraySlice<DatasetProblem>) -> String {
    let numbers = problems.compactMap(\.line)
    return numbers.prefix(5).map(String.init).joined(separator: ", ")
      + (numbers.count > 5 ? ", … \(numbers.last ?? 0)" : "")
  }

  /// The problems kept in full. Files with one and the same problem share a line; of rows of one remedy the first are
  /// shown.
  private var lines: [String] {
    var lines: [String] = []
    var rest = first[...]
    while let problem = rest.first {
      let alike = rest.prefix { $0.line == nil && $0.what == problem.what && $0.remedy == problem.remedy }
      let rows = rest.prefix { $0.line != nil && $0.file == problem.file && $0.remedy == problem.remedy }
      if rows.count > Self.shownAlike {
        lines += rows.prefix(Self.shownAlike).map(\.description)
        lines.append(
          "\(problem.file), lines \(Self.numbers(rows.dropFirst(Self.shownAlike))): the same. \(problem.remedy)."
        )
        rest = rest.dropFirst(rows.count)
        continue
      }
      rest = rest.dropFirst(max(1, alike.count))
      if alike.count < 4 {
        lines += (alike.isEmpty ? [problem] : Array(alike)).map(\.description)
      } else {
        let named = alike.prefix(2).map(\.file).joined(separator: ", ")
        lines.append("\(named) and \(alike.count - 2) others, each: \(problem.what). \(problem.remedy).")
      }
    }
    return lines
  }
}

/// Collects problems while a source is read on, so that one run names them all.
final class ProblemLog {
  private(set) var problems = DatasetProblems()

  func add(
    _ file: String, line: Int? = nil, _ what: @autoclosure () -> String, _ remedy: @autoclosure () -> String
  ) {
    problems.add(DatasetProblem(file: file, line: line, what: what(), remedy: remedy()))
  }

  func add(_ problem: DatasetProblem) {
    problems.add(problem)
  }

  /// Runs `body`; what it throws is thrown together with what was noted before.
  func adding(_ body: () throws(DatasetProblems) -> Void) throws(DatasetProblems) {
    do throws(DatasetProblems) {
      try body()
    } catch {
      for problem in error.first { add(problem) }
      throw problems
    }
  }

  func throwIfAny() throws(DatasetProblems) {
    if !problems.isEmpty { throw problems }
  }
}

/// Counts what was passed over without harm, by kind, with the first example of each.
final class NoticeLog {
  private var kinds: [(kind: String, count: Int, example: String)] = []
  /// Lines that were made elsewhere.
  private var lines: [String] = []

  func add(line: String) { lines.append(line) }

  func add(_ kind: String, _ example: @autoclosure () -> String) {
    if let index = kinds.firstIndex(where: { $0.kind == kind }) {
      kinds[index].count += 1
    } else {
      kinds.append((kind, 1, example()))
    }
  }

  var notices: [String] {
    lines + kinds.map { "\($0.kind): \($0.count) (first: \($0.example))" }
  }
}
