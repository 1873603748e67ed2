import Datasets
import Foundation
import Torch
import Workspace

/// Judges all images of a data set, or of a stream, and writes an answer for each, in their order.
package struct JudgeStage: Sendable {
  package let judge: ImageJudge

  package init(_ judge: ImageJudge) { self.judge = judge }

  package struct Outcome: Sendable, Encodable {
    /// Answers written.
    package var rows = 0
    /// Labels judged, and how many of them look wrong.
    package var judged = 0
    package var wrong = 0
    /// Answers that say why there is no judgement.
    package var errors = 0
    package var model: String
  }

  static let columns = [
    "key", "label", "verdict", "probability", "threshold", "suggested_label", "cosine", "suggested_cosine",
    "disagreement", "nearest", "error",
  ]

  /// How answers are written.
  package enum Format: String, Sendable, CaseIterable { case csv, tsv, jsonl }

  /// Judges lines as they come. Each answer is out before more lines are waited for.
  ///
  /// - Parameter write: Gets the answers to lines that came together.
  package func run(_ lines: NewImageLines, write: ([JudgedImage]) throws -> Void) throws -> Outcome {
    var lines = lines
    var outcome = Outcome(model: judge.model.identity)
    while let images = try lines.next(atMost: ImageJudge.batch) {
      let answers = try judge.judge(images)
      outcome.add(answers)
      try write(answers)
    }
    return outcome
  }

  /// Judges a data set, a batch at a time.
  ///
  /// - Parameters:
  ///   - features: The images' features, if they came with them: row i belongs to sample i.
  ///   - range: The samples to judge; nil: all.
  package func run(
    _ dataset: Dataset, features: NpyMatrix? = nil, range: Range<Int>? = nil, progress: some ProgressReporter,
    write: ([JudgedImage]) throws -> Void
  ) throws -> Outcome {
    var outcome = Outcome(model: judge.model.identity)
    var batch: [NewImage] = []
    let size = features == nil ? ImageJudge.batch : ImageJudge.featureBatch
    var row = 0
    progress.begin("Judging", total: range?.count, unit: "images")
    func finishBatch() throws {
      let answers = try judge.judge(batch)
      batch.removeAll(keepingCapacity: true)
      outcome.add(answers)
      try write(answers)
      progress.update(outcome.rows)
    }
    try dataset.read { sample in
      defer { row += 1 }
      if let range, !range.contains(row) { return }
      batch.append(
        NewImage(
          key: sample.key, label: sample.label.isEmpty ? nil : sample.label,
          content: try content(sample, row, features)))
      if batch.count == size { try finishBatch() }
    }
    try finishBatch()
    if let features, features.count != row {
      throw PipelineError(
        .badInput, "\(features.path) has \(features.count) rows for \(row) images",
        remedy: "Row i of the features belongs to row i of the source; write one per image")
    }
    progress.end("\(outcome.rows) images, \(outcome.wrong) labels look wrong")
    return outcome
  }

  private func content(_ sample: Sample, _ row: Int, _ features: NpyMatrix?) throws -> NewImage.Content {
    guard let features else {
      guard case .none = sample.location else { return .location(sample.location) }
      return .problem("It has neither an image nor features.")
    }
    guard row < features.count else { return .problem("The features have only \(features.count) rows.") }
    var values = [Float](repeating: 0, count: features.dimension)
    values.withUnsafeMutableBufferPointer {
      if let start = $0.baseAddress { features.copyRows(row..<row + 1, into: start) }
    }
    return .features(values)
  }
}

extension JudgeStage.Outcome {
  mutating func add(_ answers: [JudgedImage]) {
    rows += answers.count
    for answer in answers {
      judged += answer.verdict == nil ? 0 : 1
      wrong += answer.verdict == "wrong" ? 1 : 0
      errors += answer.error == nil ? 0 : 1
    }
  }
}

/// Answers as rows of a table or as JSON lines.
package final class JudgementOutput {
  private let table: TableOutput?
  private let lines: TextOutput?

  /// - Parameters:
  ///   - path: nil or `-`: stdout. A file is written completely or not at all.
  ///   - format: nil: by the file's name, else JSON lines.
  package init(_ path: String?, format: JudgeStage.Format?) throws {
    let named = path.map { TableOutput.Syntax(path: $0) }
    let isLines = format.map { $0 == .jsonl } ?? (path == nil || path == "-" || named == .jsonl)
    lines = isLines ? try TextOutput(path) : nil
    table =
      isLines
      ? nil
      : try TableOutput(
        path, columns: JudgeStage.columns,
        syntax: format.flatMap { TableOutput.Syntax(rawValue: $0.rawValue) })
  }

  package func write(_ answers: [JudgedImage]) throws {
    if let lines {
      for answer in answers { try lines.write(answer.json() + "\n") }
      try lines.show()
    }
    for answer in table == nil ? [] : answers { try table?.write(Self.cells(answer)) }
  }

  package func finish() throws {
    try lines?.finish()
    try table?.finish()
  }

  private static func cells(_ answer: JudgedImage) -> [TableOutput.Cell] {
    func text(_ value: String?) -> TableOutput.Cell { value.map { .text($0) } ?? .empty }
    func number(_ value: Float?) -> TableOutput.Cell { value.map { .float($0) } ?? .empty }
    return [
      .text(answer.key), text(answer.label), text(answer.verdict), number(answer.probability),
      .float(answer.threshold), text(answer.suggestedLabel), number(answer.cosine),
      number(answer.suggestedCosine), number(answer.disagreement),
      text(answer.nearest.map { $0.map(\.key).joined(separator: " ") }), text(answer.error),
    ]
  }
}
