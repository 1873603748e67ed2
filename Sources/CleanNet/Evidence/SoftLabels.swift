import Torch

/// The noisy labels, and the states that an image can be in.
///
/// *States* are the classes and, in an open world, one more: none of them.
struct SoftLabels: Sendable {
  /// The noisy labels.
  let labels: [Int]
  let classes: Int
  /// E: `classes`, or one more for "none of them".
  let states: Int
  /// The share of images with each label, `[C]`.
  let frequencies: Tensor
  /// How states are divided that are nobody's candidates, `[E]`: as labels are frequent, and none without a share. "None of
  /// them" is everybody's candidate.
  let spread: [Float]

  /// - Parameter frequencies: How frequent labels are elsewhere, where these are few.
  init(labels: [Int], classes: Int, isOpen: Bool = false, frequencies: Tensor? = nil) {
    self.labels = labels
    self.classes = classes
    states = isOpen ? classes + 1 : classes
    let known =
      frequencies
      ?? Tensor(labels).binCounts(minimumCount: classes).to(.float32) / Double(max(1, labels.count))
    self.frequencies = known
    let raised = known.floats().map { $0 + 1e-3 / Float(classes) }
    let total = raised.reduce(0, +)
    spread = raised.map { $0 / total } + (isOpen ? [0] : [])
  }

  var count: Int { labels.count }

  static func normalized(_ rows: Tensor) -> Tensor {
    rows / rows.sum(dim: 1, keepDim: true).clamped(min: 1e-30)
  }
}
