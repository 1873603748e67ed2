import Foundation
import Workspace

/// Sets another run beside this one: another workspace, or an earlier report of any.
struct ComparisonGatherer {
  /// The images on which two runs differ most.
  private static let examples = 12

  /// - Parameter path: A workspace, a report's folder, or its `report.json`.
  /// - Throws: `WorkspaceError` if it is none of them.
  static func comparison(with path: String, here data: ReportData, table: LabelTable, workspace: Workspace)
    throws -> Comparison
  {
    if Workspace.exists(at: path) {
      let other = try Workspace(path: path)
      let otherTable = try LabelTable(other)
      let gatherer = SummaryGatherer(workspace: other, table: otherTable)
      return Comparison(
        about: try gatherer.about(ReportInputs()), summary: try gatherer.summary(),
        classes: rows(data.classes, gatherer.classes(perClass: (0, 0), sections: 0)),
        agreement: try agreement(table, workspace, otherTable, other))
    }
    let file = path.hasSuffix(".json") ? path : "\(path)/\(Report.dataName)"
    guard let json = FileManager.default.contents(atPath: file), let other = try? ReportData(json: json)
    else {
      throw WorkspaceError(
        .notFound, file: path, "is neither a workspace nor an earlier report",
        remedy: "Name a workspace's folder, a report's folder, or its \(Report.dataName)")
    }
    return Comparison(
      about: other.about, summary: other.summary, classes: rows(data.classes, other.classes), agreement: nil)
  }

  /// Classes of the same name.
  private static func rows(_ here: [ClassReport], _ there: [ClassReport]) -> [Comparison.ClassRow] {
    let others = Dictionary(there.map { ($0.name, $0) }) { first, _ in first }
    return here.compactMap { own in
      others[own.name].map { other in
        Comparison.ClassRow(
          name: own.name, estimatedNoise: own.estimatedNoise, otherNoise: other.estimatedNoise,
          calledWrong: own.calledWrong, otherCalledWrong: other.calledWrong)
      }
    }
  }

  private static func agreement(
    _ here: LabelTable, _ workspace: Workspace, _ there: LabelTable, _ other: Workspace
  ) throws -> Comparison.Agreement? {
    let places = Dictionary(
      try other.keys().enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var agreement = Comparison.Agreement(
      images: 0, bothRight: 0, bothWrong: 0, onlyHere: 0, onlyThere: 0, examples: [])
    var differences: [(image: Int, other: Int, by: Float)] = []
    for (image, key) in try workspace.keys().enumerated() {
      guard let place = places[key], let mine = here.isWrong[image], let theirs = there.isWrong[place]
      else { continue }
      agreement.images += 1
      switch (mine, theirs) {
      case (false, false): agreement.bothRight += 1
      case (true, true): agreement.bothWrong += 1
      case (true, false): agreement.onlyHere += 1
      case (false, true): agreement.onlyThere += 1
      }
      if mine != theirs {
        differences.append((image, place, abs(here.probability[image] - there.probability[place])))
      }
    }
    guard agreement.images > 0 else { return nil }
    agreement.examples = differences.sorted { ($1.by, $0.image) < ($0.by, $1.image) }.prefix(examples).map {
      Comparison.Example(
        image: $0.image, probability: Double(here.probability[$0.image]).rounded(to: 4) ?? 0,
        otherProbability: Double(there.probability[$0.other]).rounded(to: 4) ?? 0)
    }
    return agreement
  }
}
