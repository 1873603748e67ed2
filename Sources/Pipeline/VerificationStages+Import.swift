import Datasets
import Foundation
import Workspace

extension VerificationStages {
  package struct ImportOutcome: Sendable, Codable {
    package var right: Int
    package var wrong: Int
    /// Looked at, and not decided.
    package var unsure: Int
    /// Rows without a verdict.
    package var unknown: Int
    /// How many of the verdicts count as drawn at random.
    package var random: Int
    /// The keys of images that the file calls both right and wrong; each verdict is kept as a voice of its own.
    package var disputed: [String] = []
    /// Verdicts that were left out because the file was imported before, and another file said something else since.
    package var superseded = 0
  }

  /// How the images of a table came to be verified, where its rows do not say.
  package enum Drawn: String, Sendable, CaseIterable {
    /// At random from all images of their classes, whatever was thought of their labels.
    case random
    /// In some other way, or it is not known: such verdicts teach, and stand for no other images.
    case other
  }

  /// Imports the verdicts of a file; all or none. A row that says when and by whom it was judged is imported once,
  /// however often the file is imported.
  ///
  /// - Parameters:
  ///   - format: nil finds out.
  ///   - person: The person who verified, where rows do not say.
  ///   - drawn: How images were chosen, where rows do not say.
  ///   - onlyNews: Leaves out what any file said before about the same label, so that later verdicts stand.
  /// - Throws: `DatasetProblems` naming every row whose image is not there, carries another label than was judged, or
  ///   names a class or a selection that there is not.
  package static func importing(
    _ path: String, format: VerificationFormat? = nil, into workspace: Workspace, person: String,
    drawn: Drawn = .other, onlyNews: Bool = false
  ) throws -> ImportOutcome {
    var rows: [VerificationTable.Row] = []
    let unknown = try VerificationFile.read(path: path, format: format) { rows.append($0) }
    let ids = try zip(rows, workspace.ids(ofKeys: rows.map(\.key))).map { row, id in
      try id ?? workspace.ids(ofKeys: row.otherKeys).lazy.compactMap { $0 }.first
    }
    let reader = VerdictReader(
      path: path, classes: try workspace.classNames(), labels: try workspace.labels(), person: person,
      drawn: drawn)
    var problems = DatasetProblems()
    var records: [VerificationRecord] = []
    var voices = FileVoices()
    for (row, id) in zip(rows, ids) {
      do throws(DatasetProblem) {
        var record = try reader.record(row, sample: id)
        // A row that says the same again adds nothing.
        guard let voice = voices.person(record.person, of: record.sample, key: row.key, isRight: row.isRight)
        else { continue }
        record.person = voice
        records.append(record)
      } catch {
        problems.add(error)
      }
    }
    if !problems.isEmpty { throw problems }
    var superseded = 0
    if onlyNews { (records, superseded) = try news(records, workspace) }
    try workspace.addVerifications(records)
    var outcome = ImportOutcome(
      right: records.count { $0.answer == .right }, wrong: records.count { $0.answer == .wrong },
      unsure: records.count { $0.answer == .unsure }, unknown: unknown,
      random: records.count { $0.selection == .declared || $0.selection == .drawn },
      disputed: voices.disputed)
    outcome.superseded = superseded
    return outcome
  }

  /// The verdicts that no earlier file gave, and how many of the others were followed by another one.
  private static func news(
    _ records: [VerificationRecord], _ workspace: Workspace
  ) throws -> (news: [VerificationRecord], superseded: Int) {
    struct Label: Hashable {
      var sample: Int
      var label: Int
    }
    // All that was said, the last at the end: a file that is imported again must not undo what came after it.
    var said: [Label: [VerificationAnswer]] = [:]
    for record in try workspace.verificationHistory() where record.origin == .imported {
      said[Label(sample: record.sample, label: record.label), default: []].append(record.answer)
    }
    func answers(_ record: VerificationRecord) -> [VerificationAnswer] {
      said[Label(sample: record.sample, label: record.label)] ?? []
    }
    let news = records.filter { !answers($0).contains($0.answer) }
    return (news, records.count { answers($0).contains($0.answer) && answers($0).last != $0.answer })
  }
}

/// Turns rows of a table of verdicts into answers.
private struct VerdictReader {
  let path: String
  let classes: [String]
  let labels: [Int32]
  let person: String
  let drawn: VerificationStages.Drawn

  /// - Parameter id: The sample that the row names; nil: there is none.
  func record(_ row: VerificationTable.Row, sample id: Int?) throws(DatasetProblem) -> VerificationRecord {
    guard let id else {
      throw problem(
        row, "names \(row.key), which is not in the workspace",
        remedy: "Keys are as `cleannet verify export` writes them")
    }
    let label = Int(labels[id])
    if let judged = row.label, judged != classes[label] {
      throw problem(
        row, "judges the label \"\(judged)\" of \(row.key), which is labelled \"\(classes[label])\"",
        remedy: "Verify it again under its present label, or remove the row")
    }
    let person = row.person ?? person
    let answer = row.isRight.map(VerificationAnswer.init(isRight:)) ?? .unsure
    return VerificationRecord(
      sample: id, label: label, answer: answer,
      person: person, date: row.time ?? .now, origin: .imported,
      client: row.time.map { name(row, sample: id, person: person, time: $0) },
      correction: try correction(row, label: label), selection: try selection(row),
      remark: try remark(row, answer: answer))
  }

  private func remark(
    _ row: VerificationTable.Row, answer: VerificationAnswer
  ) throws(DatasetProblem) -> VerificationRecord.Remark? {
    guard let text = row.remark else { return nil }
    guard let remark = VerificationRecord.Remark(rawValue: text) else {
      throw problem(
        row, "has the remark \(text.debugDescription)",
        remedy: "Write one of: " + VerificationRecord.Remark.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard remark.answer == answer else {
      throw problem(
        row, "has the remark \(text), which does not fit the verdict",
        remedy: "The remark none goes with the verdict 0, the others with unsure")
    }
    return remark
  }

  /// The same for the same row, however often it is read.
  private func name(_ row: VerificationTable.Row, sample: Int, person: String, time: Date) -> String {
    let answer = row.isRight.map { $0 ? "right" : "wrong" } ?? "unsure"
    return "import:"
      + StableHash.of(
        "\(sample)", row.label ?? "", person, "\(time.timeIntervalSince1970)", answer, row.correction ?? "",
        row.selection ?? drawn.rawValue, row.remark ?? "")
  }

  private func correction(_ row: VerificationTable.Row, label: Int) throws(DatasetProblem) -> Int? {
    guard let name = row.correction else { return nil }
    guard let correction = classes.firstIndex(of: name) else {
      throw problem(
        row, "says that \"\(name)\" is right, which is no class of the workspace",
        remedy: "Name a class as `cleannet status` lists them, or leave the correction empty")
    }
    guard row.isRight == false, correction != label else {
      throw problem(
        row, "corrects a label that is not judged wrong",
        remedy: "Leave the correction empty, or set the verification to 0")
    }
    return correction
  }

  private func selection(_ row: VerificationTable.Row) throws(DatasetProblem) -> VerificationRecord.Selection?
  {
    guard let word = row.selection else { return drawn == .random ? .declared : nil }
    guard let selection = VerdictSelection(rawValue: word.lowercased()) else {
      throw problem(
        row, "has the selection \(word.debugDescription)",
        remedy:
          "Selections are \(VerdictSelection.allCases.map(\.rawValue).joined(separator: ", ")), or empty")
    }
    return selection.stored
  }

  private func problem(_ row: VerificationTable.Row, _ what: String, remedy: String) -> DatasetProblem {
    DatasetProblem(file: path, line: row.line > 0 ? row.line : nil, what: what, remedy: remedy)
  }
}
