import Torch

/// How well a classifier does on images whose labels are right.
package struct ClassificationMetrics: Sendable, Hashable, Codable {
  package var images: Int
  /// The share of images whose class is the most probable.
  package var top1: Double
  /// The share of images whose class is among the five most probable.
  package var top5: Double
  /// The mean over classes of the share of their images that is classified right.
  package var classMean: Double
  /// Row: the label. Column: what the classifier says.
  package var confusion: [[Int]]

  /// - Parameters:
  ///   - logits: `[N, C]`.
  ///   - labels: The images' classes, `[N]`.
  package init(logits: Tensor, labels: [Int]) {
    var tally = Tally(classes: logits.size(1))
    tally.add(logits: logits, labels: labels)
    self = tally.metrics
  }

  /// The share of a class's images that is classified right; nil where there are none.
  package func recall(_ label: Int) -> Double? {
    let all = confusion[label].reduce(0, +)
    return all > 0 ? Double(confusion[label][label]) / Double(all) : nil
  }

  /// The share of right ones among what is said to be of a class; nil where nothing is.
  package func precision(_ label: Int) -> Double? {
    let all = confusion.reduce(0) { $0 + $1[label] }
    return all > 0 ? Double(confusion[label][label]) / Double(all) : nil
  }

  /// Counts batch by batch.
  package struct Tally: Sendable {
    private var confusion: [[Int]]
    private var amongFive = 0

    package init(classes: Int) {
      confusion = Array(repeating: Array(repeating: 0, count: classes), count: classes)
    }

    /// Adds images: logits `[N, C]` and classes `[N]`.
    package mutating func add(logits: Tensor, labels: [Int]) {
      let five = min(5, confusion.count)
      let best = logits.topK(five).indices.ints()
      for (row, label) in labels.enumerated() {
        confusion[label][best[row * five]] += 1
        if best[(row * five)..<((row + 1) * five)].contains(label) { amongFive += 1 }
      }
    }

    package var metrics: ClassificationMetrics {
      ClassificationMetrics(confusion: confusion, amongFive: amongFive)
    }
  }

  private init(confusion: [[Int]], amongFive: Int) {
    self.confusion = confusion
    images = confusion.joined().reduce(0, +)
    let right = confusion.indices.reduce(0) { $0 + confusion[$1][$1] }
    top1 = Double(right) / Double(max(1, images))
    top5 = Double(amongFive) / Double(max(1, images))
    classMean = 0
    let recalls = confusion.indices.compactMap { recall($0) }
    classMean = recalls.reduce(0, +) / Double(max(1, recalls.count))
  }
}
