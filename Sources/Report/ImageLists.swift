import Datasets
import Foundation
import Workspace

/// Lists of images as CSV, for whoever goes through all of them.
struct ImageLists {
  let workspace: Workspace
  let table: LabelTable

  func write(suspicious: String, duplicates: String, groups: [[Int]]) throws {
    try writeSuspicious(to: suspicious)
    try writeDuplicates(groups, to: duplicates)
  }

  private func writeSuspicious(to path: String) throws {
    let wrong = table.judged.filter { table.isWrong[$0] == true }.sorted {
      (table.score[$0], $0) < (table.score[$1], $1)
    }
    let names = try names(of: wrong)
    try write(
      ["key", "path", "label", "suggested_label", "probability", "cosine", "verification", "split"],
      wrong.lazy.map { image in
        [
          names[image]?.key ?? "", names[image]?.path ?? "", table.classNames[table.labels[image]],
          table.suggestions[image] < 0 ? "" : table.classNames[Int(table.suggestions[image])],
          text(table.probability[image]), text(table.cosine[image]),
          table.verdicts[image].map { $0 ? "1" : "0" } ?? "", table.split(image),
        ]
      }, to: path)
  }

  private func writeDuplicates(_ groups: [[Int]], to path: String) throws {
    let names = try names(of: groups.flatMap { $0 })
    try write(
      ["group", "key", "path", "label", "split"],
      groups.enumerated().flatMap { number, images in
        images.map { image in
          [
            "\(number + 1)", names[image]?.key ?? "", names[image]?.path ?? "",
            table.classNames[table.allLabels[image]], table.split(image),
          ]
        }
      }, to: path)
  }

  private func text(_ value: Float) -> String {
    value.isFinite ? String(format: "%.6g", Double(value)) : ""
  }

  /// Keys and paths, read in one pass where they are many.
  private func names(of images: [Int]) throws -> [Int: (key: String, path: String)] {
    var names: [Int: (key: String, path: String)] = [:]
    guard images.count > 2000 else {
      for image in images { names[image] = try workspace.sample(image).map { ($0.key, $0.path) } }
      return names
    }
    let wanted = Set(images)
    try workspace.forEachSample { sample in
      if wanted.contains(sample.id) { names[sample.id] = (sample.key, sample.path) }
    }
    return names
  }

  private func write(_ columns: [String], _ rows: some Sequence<[String]>, to path: String) throws {
    var text = DelimitedText.record(columns)
    for row in rows { text += DelimitedText.record(row) }
    try AtomicFile.write(Data(text.utf8), to: path)
  }
}
