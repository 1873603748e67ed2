import Datasets
import Evaluation
import Foundation
import Torch
import Workspace

/// Verification labels into the workspace, out of it, and simulated.
package enum VerificationStages {
  package struct SimulationOutcome: Sendable, Codable {
    package var classes: [String]
    package var right: Int
    package var wrong: Int
  }

  /// Which classes are to be verified.
  package enum Choice: Sendable {
    /// So many, drawn at random.
    case count(Int)
    case named([String])
  }

  /// Answers as a person who knows the truth would: for experiments.
  ///
  /// - Parameters:
  ///   - truth: The attribute that holds each image's true label.
  ///   - perClass: Images of each class, drawn at random among images that were not drawn before.
  package static func simulating(
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
    // Images that were drawn already are not drawn again. Other verified images may be, or the sample would lack them.
    for sample in try workspace.verifiedImages().samples.flatMap(\.drawn) { labels[sample] = -1 }
    let drawn = VerificationDraw(classes: classes, perClass: perClass)
      .draw(labels: labels, truth: truth.isRight, seed: seed)
    let records = drawn.verdicts.sorted { $0.key < $1.key }.map { image, isRight in
      VerificationRecord(
        sample: image, label: labels[image], answer: VerificationAnswer(isRight: isRight),
        person: "simulation",
        origin: .simulated, selection: .declared)
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

/// The known true labels of images: for simulation and evaluation only.
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
        remedy: "Import again with --truth-columns \(name), which applies class names and the label map to it"
      )
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
          : "Columns other than path and label are: \(names.joined(separator: ", "))")
    }
    return try workspace.attribute(name)
  }
}

extension Workspace {
  /// Per sample its class, −1 for images of the split `test`, which is never trained on nor scored.
  package func trainLabels() throws -> [Int] { try labels { $0 != "test" }.map(Int.init) }
}
