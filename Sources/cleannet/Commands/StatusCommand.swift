import ArgumentParser
import Foundation
import Pipeline
import Torch

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what the workspace holds, what is out of date, and what comes next.")

  @Flag(help: "List the images that could not be read, with reasons.")
  var problems = false
  @Flag(help: "Show every class.")
  var classes = false
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    let overview = try WorkspaceOverview(try workspace.open(), problems: problems ? .max : 0)
    try workspace.output.print(overview) { overview.text(allClasses: classes) }
  }
}

extension WorkspaceOverview {
  func text(allClasses: Bool) -> String {
    var lines: [String] = []
    let parts = splits.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    lines.append("\(images) images in \(classes.count) classes (\(parts))")
    if gone > 0 { lines.append("\(gone) images are gone from their source; their verdicts are kept") }
    if isReadOnly { lines.append("The workspace can be read but not written.") }
    lines += sources.map { "  from \($0)" }
    lines += features.map { set in
      let about = [set.about["backbone"], set.about["size"].map { "\($0) px" }, set.about["precision"]]
      let made = set.key == "imported" ? "imported" : about.compactMap { $0 }.joined(separator: ", ")
      return "features of \(set.images) images (\(made), \(set.dimension) numbers each)"
    }
    lines += features.filter { $0.unreachable > 0 }.map {
      "\($0.unreachable) images could not be reached; the next cleannet embed tries them again"
    }
    if problemCount > 0 {
      lines.append("\(problemCount) images could not be read" + (problems.isEmpty ? "; see --problems" : ":"))
      lines += problems.map { "  \($0.path): \($0.what)" }
    }
    lines.append("\(verified) images verified in \(classes.count { $0.right + $0.wrong > 0 }) classes")
    if let model { lines.append(model.outcome.text + model.staleness) }
    if let scores { lines.append(scores.outcome.text + scores.staleness) }
    if let found = (scores?.outcome.neighbors ?? model?.outcome.neighbors), found.lists > 0 {
      lines.append(found.text)
    }
    lines.append("next: \(next)")
    let shown = allClasses ? classes : classes.filter { $0.right + $0.wrong > 0 }
    guard !shown.isEmpty else { return lines.joined(separator: "\n") }
    var table = Table(["class", "images", "verified right", "verified wrong"])
    for row in shown { table.add([row.name, "\(row.images)", "\(row.right)", "\(row.wrong)"]) }
    return lines.joined(separator: "\n") + "\n\n" + table.text
  }
}

extension NeighborQuality {
  var text: String {
    "nearest neighbors by clustered lists (\(probes) of \(lists) searched for each image): \(reached.percent) of the true ones "
      + "found, \(wanted.percent) wished"
  }
}

extension WorkspaceOverview.StageRow {
  /// Why it is out of date, and the work that it needs; empty if it is not.
  fileprivate var staleness: String {
    guard isStale else { return "" }
    let time = seconds < 1.5 ? "a second" : "\(Int(seconds.rounded())) s"
    return " OUT OF DATE: \(reasons.joined(separator: "; ")). It took \(time) last time."
  }
}
