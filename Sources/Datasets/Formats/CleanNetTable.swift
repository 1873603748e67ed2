import Foundation

/// The table of the CleanNet authors' release: `key ⇥ [url ⇥] class ⇥ [verification ⇥] comma-joined numbers`, with the
/// image's features as text. The address, where there is one, becomes the attribute `url`.
package struct CleanNetTable: FeatureFormat {
  package static let name = "cleannet-tsv"
  package static let summary =
    "the CleanNet release's table: key, [url,] class, [verification,] features as text"

  static let url = "url"

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    guard !source.isFolder, source.files == nil,
      let line = source.head.split(separator: UInt8(ascii: "\n")).first
    else {
      return false
    }
    let fields = line.split(separator: .tab, omittingEmptySubsequences: false)
    guard (3...5).contains(fields.count), let last = fields.last else { return false }
    // The last number may be cut off.
    let numbers = last.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    return numbers.count > 3
      && numbers.dropLast().allSatisfy {
        Float(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespaces)) != nil
      }
  }

  /// Where the parts of a row stand; the number of its fields alone leaves open which of the two optional ones is
  /// there.
  private struct Columns {
    var count: Int
    var url: Int?
    var label: Int
    var verification: Int?

    init?(_ fields: [String]) {
      count = fields.count
      switch fields.count {
      case 3: label = 1
      case 4 where ["1", "0", "-1", ""].contains(fields[2]):
        label = 1
        verification = 2
      case 4:
        url = 1
        label = 2
      case 5:
        url = 1
        label = 2
        verification = 3
      default: return nil
      }
    }
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    try rows(ProblemLog()) { sample, _ in try each(sample) }
  }

  package func readFeatures(_ each: (UnsafeBufferPointer<Float>) throws -> Void) throws {
    var dimension: Int?
    var values: [Float] = []
    let log = ProblemLog()
    try rows(log) { sample, text in
      values.removeAll(keepingCapacity: true)
      guard Self.parse(text, into: &values), values.count == dimension ?? values.count else {
        log.add(
          source.path, line: sample.line,
          dimension.map { "has \(values.count) features that are numbers, where the first row has \($0)" }
            ?? "has features that are not numbers", "Write numbers, joined by commas")
        return
      }
      dimension = values.count
      if log.problems.isEmpty { try values.withUnsafeBufferPointer(each) }
    }
  }

  /// Reads numbers joined by commas; `false` at the first that is none.
  private static func parse(_ text: String, into values: inout [Float]) -> Bool {
    var rest = text[...].utf8
    while true {
      let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
      guard let value = Float(Substring(rest[..<end])) else { return false }
      values.append(value)
      if end == rest.endIndex { return true }
      rest = rest[rest.index(after: end)...]
    }
  }

  @discardableResult
  private func rows(
    _ log: ProblemLog, _ each: (Sample, _ features: String) throws -> Void
  ) throws -> DatasetSummary {
    let lines = try LineReader(path: source.path, log: log)
    var columns: Columns?
    var summary = DatasetSummary()
    while let line = try lines.next() {
      let fields = line.fields(at: .tab)
      guard let expected = columns ?? Columns(fields) else {
        log.add(
          source.path, line: lines.line, "has \(fields.count) fields, not 3 to 5",
          "Write key, [url,] class, [verification,] features, with tabs between")
        continue
      }
      columns = expected
      guard fields.count == expected.count else {
        log.add(
          source.path, line: lines.line,
          "has \(fields.count) fields, where the first row has \(expected.count)",
          "Write all rows alike")
        continue
      }
      guard !fields[0].isEmpty, !fields[expected.label].isEmpty else {
        log.add(source.path, line: lines.line, "has no key or no class", "Fill both in, or remove the row")
        continue
      }
      var verification: Bool?
      if let column = expected.verification, !["", "-1"].contains(fields[column]) {
        do throws(RecordFault) {
          verification = try ManifestTable.verification(fields[column])
        } catch {
          log.add(source.path, line: lines.line, error.what, error.remedy)
          continue
        }
      }
      summary.samples += 1
      try each(
        Sample(
          key: fields[0], path: fields[0], location: .none, label: fields[expected.label],
          split: options.split ?? "train", verification: verification,
          attributes: expected.url.flatMap {
            fields[$0].isEmpty ? nil : [SampleAttribute(name: Self.url, value: fields[$0])]
          } ?? [],
          source: source.absolutePath, line: lines.line), fields[expected.count - 1])
    }
    try log.throwIfAny()
    return summary
  }
}
