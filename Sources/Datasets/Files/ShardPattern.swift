import Foundation

/// Names of many files in one: `{000000..000127}` counts, `{a,b}` lists, `*`, `?` and `[…]` match, as in a shell.
enum ShardPattern {
  static let mostFiles = 100_000

  /// The files that a pattern stands for, sorted where it matches; `nil` if the path is no pattern.
  ///
  /// - Throws: `DatasetProblems` if nothing matches, or a file that it counts or lists is not there.
  static func files(of pattern: String, shown: String) throws(DatasetProblems) -> [String]? {
    let names = expanded(pattern)
    let matches = pattern.utf8.contains { "*?[".utf8.contains($0) }
    guard matches || names != [pattern] else { return nil }
    func problem(_ what: String, _ remedy: String) -> DatasetProblems {
      DatasetProblems(DatasetProblem(file: shown, what: what, remedy: remedy))
    }
    guard names.count <= mostFiles else {
      throw problem("stands for \(names.count) files", "Name at most \(mostFiles)")
    }
    let files = matches ? names.flatMap(matching) : names
    guard !files.isEmpty else { throw problem("matches no file", "Check the path; list it with ls") }
    let missing = files.filter { access($0, R_OK) != 0 }
    guard missing.isEmpty else {
      throw problem(
        "stands for \(files.count) files, of which \(missing.count) cannot be read, such as \(missing[0])",
        "Get the missing files, or correct the range")
    }
    return files
  }

  /// The names that braces stand for.
  private static func expanded(_ text: String) -> [String] {
    guard let (head, rest) = text.parted(atFirst: UInt8(ascii: "{")),
      let (inner, tail) = rest.parted(atFirst: UInt8(ascii: "}")), let values = values(inner)
    else { return [text] }
    let tails = expanded(tail)
    return values.flatMap { value in tails.map { head + value + $0 } }
  }

  private static func values(_ inner: String) -> [String]? {
    if let range = inner.range(of: "..") {
      let first = inner[..<range.lowerBound]
      let last = inner[range.upperBound...]
      guard let low = Int(first), let high = Int(last), low >= 0, low <= high, high - low <= mostFiles else {
        return nil
      }
      let width = first.first == "0" || last.first == "0" ? max(first.utf8.count, last.utf8.count) : 0
      return (low...high).map { number in
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
      }
    }
    let parts = inner.fields(at: UInt8(ascii: ","))
    return parts.count > 1 ? parts : nil
  }

  private static func matching(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { index in
      found.gl_pathv[index].flatMap { String(validatingCString: $0) }
    }
  }
}
