import Datasets
import Foundation
import Workspace

extension VerificationStages {
  /// Writes the verdicts that hold, and images still to be looked at.
  ///
  /// - Parameters:
  ///   - path: nil or `-`: stdout. A table is CSV, TSV or JSON lines by the file's name.
  ///   - format: nil: a table, or Label Studio's tasks if the file's name ends in `.json`.
  ///   - imagePrefix: The text before an image's path that makes the address at which Label Studio finds it.
  ///   - unverified: So many images of each class that nobody has looked at, the next ones in the order in which the
  ///     class's images are drawn at random, with an empty verdict.
  ///   - classes: Only these; nil: all.
  ///   - seed: Of that order, unless another was chosen before.
  /// - Returns: How many rows were written.
  package static func exporting(
    _ workspace: Workspace, to path: String?, format: VerificationFormat? = nil, unverified: Int = 0,
    classes: [String]? = nil, seed: UInt64 = 0, imagePrefix: String = LabelStudioOutput.localFiles
  ) throws -> Int {
    let names = try workspace.classNames()
    let wanted = try classes.map { try numbers($0, in: names) } ?? Set(names.indices)
    let verdicts = Dictionary(
      uniqueKeysWithValues: try workspace.verifiedImages().images.map { ($0.sample, $0) })
    var todo = Set<Int>()
    if unverified > 0 {
      let order = try workspace.chooseDrawOrder(seed: seed)
      var free: [Int: [Int]] = [:]
      for (sample, label) in try workspace.trainLabels().enumerated()
      where wanted.contains(label) && verdicts[sample] == nil {
        free[label, default: []].append(sample)
      }
      for samples in free.values { todo.formUnion(order.sorted(samples).prefix(unverified)) }
    }
    let output = try verificationOutput(path, format, imagePrefix, classes: names)
    var count = 0
    try workspace.forEachSample { sample in
      guard wanted.contains(sample.label) else { return }
      if let verdict = verdicts[sample.id] {
        try output.write(sample, label: names[sample.label], verdict)
      } else if todo.contains(sample.id) {
        try output.write(sample, label: names[sample.label], nil)
      } else {
        return
      }
      count += 1
    }
    try output.finish()
    return count
  }
}
