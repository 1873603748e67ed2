import Datasets
import Evaluation
import Foundation
import Torch
import Workspace

/// Verification labels into the workspace, out of it, and simulated.
public enum VerificationStages {
  public struct ImportOutcome: Sendable, Codable {
    public var right: Int
    public var wrong: Int
    /// Rows without a verdict.
    public var unknown: Int
  }

  /// Takes over the verdicts of a file; all or none.
  ///
  /// - Parameter format: nil finds out.
  /// - Throws: `DatasetProblems` naming every row whose image is not there or carries another label than was judged.
  ///
  /// - Parameter onlyNews: Leaves out what a file said before of the same label, so that what people said since stands.
  public static func importing(
    _ path: String, format: VerificationFormat? = nil, into workspace: Workspace, person: String,
    onlyNews: Bool = false
  ) throws -> ImportOutcome {
    var rows: [VerificationTable.Row] = []
    let unknown = try VerificationFile.read(path: path, format: format) { rows.append($0) }
    let classes = try workspace.classNames()
    let ids = try zip(rows, workspace.ids(ofKeys: rows.map(\.key))).map { row, id in
      try id ?? workspace.ids(ofKeys: row.otherKeys).lazy.compactMap { $0 }.first
    }
    let labels = try workspace.labels()
    var problems = DatasetProblems()
    var records: [VerificationRecord] = []
    for (row, id) in zip(rows, ids) {
      guard let id else {
        problems.add(
          DatasetProblem(
            file: path, line: row.line > 0 ? row.line : nil,
            what: "names \(row.key), which is not in the workspace",
            remedy: "Keys are as `cleannet verify export` writes them"))
        continue
      }
      let label = Int(labels[id])
      if let judged = row.label, judged != classes[label] {
        problems.add(
          DatasetProblem(
            file: path, line: row.line > 0 ? row.line : nil,
            what: "judges the label \"\(judged)\" of \(row.key), which is labelled \"\(classes[label])\"",
            remedy: "Verify it again under its present label, or remove the row"))
        continue
      }
      records.append(
        VerificationRecord(
          sample: id, label: label, answer: VerificationAnswer(isRight: row.isRight), person: person,
          origin: .imported))
    }
    if !problems.isEmpty { throw problems }
    if onlyNews { records = try news(records, workspace) }
    try workspace.addVerifications(records)
    let right = rows.count(where: \.isRight)
    return ImportOutcome(right: right, wrong: rows.count - right, unknown: unknown)
  }

  /// Those of the verdicts that no earlier file gave.
  private static func news(
    _ records: [VerificationRecord], _ workspace: Workspace
  ) throws -> [VerificationRecord] {
    struct Label: Hashable {
      var sample: Int
      var label: Int
    }
    var said: [Label: VerificationAnswer] = [:]
    for record in try workspace.verificationHistory() where record.origin == .imported {
      said[Label(sample: record.sample, label: record.label)] = record.answer
    }
    return records.filter { said[Label(sample: $0.sample, label: $0.label)] != $0.answer }
  }

  /// Writes the verdicts that hold, and images still to be looked at.
  ///
  /// - Parameters:
  ///   - path: nil or `-`: stdout. A table is CSV, TSV or JSON lines by the file's name.
  ///   - format: nil: a table, or Label Studio's tasks if the file's name ends in `.json`.
  ///   - imagePrefix: What stands before an image's path to make the address at which Label Studio finds it.
  ///   - unverified: So many images of each class that nobody has looked at, drawn at random, with an empty verdict.
  ///   - classes: Only these; nil: all.
  /// - Returns: How many rows were written.
  public static func exporting(
    _ workspace: Workspace, to path: String?, format: VerificationFormat? = nil, unverified: Int = 0,
    classes: [String]? = nil, seed: UInt64 = 0, imagePrefix: String = LabelStudioOutput.localFiles
  ) throws -> Int {
    let names = try workspace.classNames()
    let wanted = try classes.map { try numbers($0, in: names) } ?? Set(names.indices)
    let verdicts = Dictionary(
      uniqueKeysWithValues: try workspace.currentAnswers().filter { $0.origin != .accepted }
        .map { ($0.sample, $0.answer) })
    let labels = try workspace.trainLabels()
    var todo = Set<Int>()
    if unverified > 0 {
      var random = SplitMix64(seed: seed)
      for label in wanted.sorted() {
        let free = labels.indices.filter { labels[$0] == label && verdicts[$0] == nil }
        todo.formUnion(free.shuffled(using: &random).prefix(unverified))
      }
    }
    let output = try verificationOutput(path, format, imagePrefix)
    var count = 0
    try workspace.forEachSample { sample in
      let verdict = verdicts[sample.id]?.isRight
      guard wanted.contains(sample.label), verdict != nil || todo.contains(sample.id) else { return }
      count += 1
      try output.write(sample, label: names[sample.label], isRight: verdict)
    }
    try output.finish()
    return count
  }

  public struct SimulationOutcome: Sendable, Codable {
    public var classes: [String]
    public var right: Int
    public var wrong: Int
  }

  /// Which classes are to be verified.
  public enum Choice: Sendable {
    /// So many, drawn at random.
    case count(Int)
    case named([String])
  }

  /// Answers as a person who knows the truth would: for experiments.
  ///
  /// - Parameters:
  ///   - truth: The attribute that holds each image's true label.
  ///   - perClass: Images of each class, drawn at random among those that nobody has verified.
  public static func simulating(
    _ workspace: Workspace, truth: String, classes choice: Choice, perClass: Int, seed: UInt64
  ) throws -> SimulationOutcome {
    let names = try workspace.classNames()
    let truth = try TruthColumn(workspace, named: truth)
    var labels = try workspace.trainLabels()
    let present = Set(labels.lazy.filter { $0 >= 0 }).count
    let classes: VerificationDraw.Classes
    switch choice {
    case .count(let count):
      guard count <= present else {
        throw PipelineError(
          .badInput, "There are \(present) classes, not \(count)", remedy: "Choose fewer with --classes")
      }
      classes = .count(count)
    case .named(let wanted): classes = .fixed(try numbers(wanted, in: names).sorted())
    }
    // Who was verified already is not drawn again.
    for answer in try workspace.currentAnswers() { labels[answer.sample] = -1 }
    let drawn = VerificationDraw(classes: classes, perClass: perClass)
      .draw(labels: labels, truth: truth.isRight, seed: seed)
    let records = drawn.verdicts.sorted { $0.key < $1.key }.map { image, isRight in
      VerificationRecord(
        sample: image, label: labels[image], answer: VerificationAnswer(isRight: isRight),
        person: "simulation",
        origin: .simulated)
    }
    try workspace.addVerifications(records)
    let right = records.count { $0.answer == .right }
    return SimulationOutcome(
      classes: drawn.classes.map { names[$0] }, right: right, wrong: records.count - right)
  }

  /// Classes by their names.
  static func numbers(_ wanted: [String], in names: [String]) throws -> Set<Int> {
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    let unknown = wanted.filter { places[$0] == nil }
    guard unknown.isEmpty else {
      throw PipelineError(
        .badInput, "There is no class \(unknown.map { "\"\($0)\"" }.joined(separator: ", "))",
        remedy: "Classes are: \(names.prefix(30).joined(separator: ", "))\(names.count > 30 ? ", …" : "")")
    }
    return Set(wanted.compactMap { places[$0] })
  }
}

/// What is known of each image's true label: for simulation and evaluation only.
struct TruthColumn {
  /// Per sample whether its label is right; nil where the truth is not known.
  let isRight: [Bool?]

  init(_ workspace: Workspace, named name: String) throws {
    let classes = try workspace.classNames()
    let labels = try workspace.labels()
    let truths = try Self.values(workspace, named: name)
    let known = Set(classes)
    if let stranger = truths.lazy.compactMap({ $0 }).first(where: { !$0.isEmpty }),
      !truths.contains(where: { $0.map(known.contains) ?? false })
    {
      throw PipelineError(
        .badInput,
        "No value of the column \"\(name)\", such as \"\(stranger)\", is a class's name, such as \"\(classes.first ?? "")\"",
        remedy: "Import again with --truth-columns \(name), which names its values as labels are named")
    }
    isRight = zip(truths, labels).map { truth, label in
      truth.flatMap { $0.isEmpty ? nil : $0 == classes[Int(label)] }
    }
  }

  /// The values of a column; an error that names the columns there are where it is none.
  static func values(_ workspace: Workspace, named name: String) throws -> [String?] {
    let names = try workspace.attributeNames()
    guard names.contains(name) else {
      throw PipelineError(
        .badInput, "There is no column \"\(name)\"",
        remedy: names.isEmpty
          ? "Import the data set from a manifest that has one"
          : "Columns beside path and label are: \(names.joined(separator: ", "))")
    }
    return try workspace.attribute(name)
  }
}

extension Workspace {
  /// Per sample its class, −1 for those of the split `test`, which is never trained on nor scored.
  public func trainLabels() throws -> [Int] { try labels { $0 != "test" }.map(Int.init) }
}
