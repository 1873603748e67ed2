import Workspace

/// The images that may be verified, by class: all but the images of the split `test` and unreadable ones.
struct Catalogue: Sendable {
  let classNames: [String]
  /// By sample; −1 for samples that take no part.
  private(set) var labels: [Int]
  /// By class its samples, in order.
  private(set) var members: [[Int]]

  init(_ workspace: Workspace) throws {
    classNames = try workspace.classNames()
    var labels = try workspace.labels { $0 != "test" }.map(Int.init)
    for problem in try workspace.problems() { labels[problem.sample] = -1 }
    var members = [[Int]](repeating: [], count: classNames.count)
    for (sample, label) in labels.enumerated() where label >= 0 { members[label].append(sample) }
    self.labels = labels
    self.members = members
  }

  /// The classes that have images.
  var classes: [Int] { members.indices.filter { !members[$0].isEmpty } }

  /// Takes a sample out.
  ///
  /// - Returns: Its class; nil if it took no part.
  mutating func remove(_ sample: Int) -> Int? {
    guard labels.indices.contains(sample), labels[sample] >= 0 else { return nil }
    let label = labels[sample]
    labels[sample] = -1
    members[label].removeAll { $0 == sample }
    return label
  }
}
