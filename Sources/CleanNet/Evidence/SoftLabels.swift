import Torch

/// What an image can be, given its noisy label and what a person said of it.
///
/// *States* are the classes and, in an open world, one more: none of them.
struct SoftLabels: Sendable {
  /// The noisy labels, `[N]`, int64.
  let labels: Tensor
  let classes: Int
  /// E: `classes`, or one more for "none of them".
  let states: Int
  /// 1 where a state is possible, 0 where a verdict forbids it: `[N, E]`. A label verified as right leaves only its
  /// class, one verified as wrong all others.
  let allowed: Tensor
  /// The share of images with each label, `[C]`.
  let frequencies: Tensor
  /// The images by label, and how many there are of each.
  private let order: Tensor
  private let counts: [Int]

  init(labels: [Int], classes: Int, verdicts: [(image: Int, isRight: Bool)], isOpen: Bool = false) {
    self.labels = Tensor(labels)
    self.classes = classes
    states = isOpen ? classes + 1 : classes
    var allowed = [Float](repeating: 1, count: labels.count * states)
    for (image, isRight) in verdicts {
      for state in 0..<states where (state == labels[image]) != isRight {
        allowed[image * states + state] = 0
      }
    }
    self.allowed = Tensor(allowed, shape: [labels.count, states])
    let counts = self.labels.binCounts(minimumCount: classes).to(.float32)
    frequencies = counts / Double(max(1, labels.count))
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

  /// Before anything is known: the noisy label; where it was verified as wrong, every other class alike. `[N, E]`
  var initial: Tensor {
    let noisy = labels.oneHot(classes: states).to(.float32) * allowed
    let isEmpty = noisy.sum(dim: 1, keepDim: true) .== 0
    return Self.normalized(isEmpty.select(allowed, else: noisy))
  }

  static func normalized(_ rows: Tensor) -> Tensor {
    rows / rows.sum(dim: 1, keepDim: true).clamped(min: 1e-30)
  }
}
