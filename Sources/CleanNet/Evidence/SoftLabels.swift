import Torch

/// The noisy labels, and the states that an image can be in.
///
/// *States* are the classes and, in an open world, one more: none of them.
struct SoftLabels: Sendable {
  /// The noisy labels, `[N]`, int64.
  let labels: Tensor
  let classes: Int
  /// E: `classes`, or one more for "none of them".
  let states: Int
  /// The share of images with each label, `[C]`.
  let frequencies: Tensor
  /// The images by label, and how many there are of each.
  private let order: Tensor
  private let counts: [Int]

  /// - Parameter frequencies: How frequent labels are elsewhere, where these are few.
  init(labels: [Int], classes: Int, isOpen: Bool = false, frequencies: Tensor? = nil) {
    self.labels = Tensor(labels)
    self.classes = classes
    states = isOpen ? classes + 1 : classes
    let counts = self.labels.binCounts(minimumCount: classes).to(.float32)
    self.frequencies = frequencies ?? counts / Double(max(1, labels.count))
    self.counts = counts.ints()
    order = self.labels.sorted().indices
  }

  /// The rows of a table of images, by label: `[n, …]` each.
  func byLabel(_ table: Tensor) -> [Tensor] {
    let ordered = table.indexSelect(order)
    var start = 0
    return counts.map { count in
      defer { start += count }
      return ordered[start..<start + count]
    }
  }

  var count: Int { labels.size(0) }

  /// Before anything is known, the noisy label: `[N, E]`.
  var initial: Tensor { labels.oneHot(classes: states).to(.float32) }

  static func normalized(_ rows: Tensor) -> Tensor {
    rows / rows.sum(dim: 1, keepDim: true).clamped(min: 1e-30)
  }
}
