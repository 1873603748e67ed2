import Workspace

/// The images that may be verified, by class: all but those of the split `test`.
struct Catalogue: Sendable {
  let classNames: [String]
  /// By sample; −1 for samples that take no part.
  let labels: [Int]
  /// By class its samples, in order.
  let members: [[Int]]

  init(_ workspace: Workspace) throws {
    classNames = try workspace.classNames()
    labels = try workspace.labels { $0 != "test" }.map(Int.init)
    var members = [[Int]](repeating: [], count: classNames.count)
    for (sample, label) in labels.enumerated() where label >= 0 { members[label].append(sample) }
    self.members = members
  }

  /// The classes that have images.
  var classes: [Int] { members.indices.filter { !members[$0].isEmpty } }
}
