import Foundation

/// How many labels of each class are really of which other, estimated from cross-validated probabilities.
///
/// Source: Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (JAIR 2021),
/// section 3.1. An image counts as confidently of class j if p_j reaches the mean p_j of the images labelled j; of several
/// such classes the most probable counts. The counts, per noisy label scaled to its number of images, are the joint
/// distribution of noisy and true labels.
package struct ConfidentJoint: Sendable {
  package let classes: Int
  /// The estimated number of images with noisy label i and true label j: `[C, C]`, C order.
  package let counts: [Double]
  /// As many, in whole numbers that keep the number of images of each noisy label.
  package let wholeCounts: [Int]
  /// Each class's threshold t_j: the mean p_j of the images labelled j.
  package let thresholds: [Double]

  package init(_ probabilities: ClassProbabilities) {
    let classes = probabilities.classes
    var sums = [Double](repeating: 0, count: classes)
    var sizes = [Int](repeating: 0, count: classes)
    for row in 0..<probabilities.count {
      sums[probabilities.labels[row]] += Double(probabilities.own(row))
      sizes[probabilities.labels[row]] += 1
    }
    // A class without images is never the confident one.
    let thresholds = (0..<classes).map { sizes[$0] > 0 ? sums[$0] / Double(sizes[$0]) : .infinity }
    var confident = [Double](repeating: 0, count: classes * classes)
    for row in 0..<probabilities.count {
      let values = probabilities.row(row).map(Double.init)
      // Rounding must not turn a probability that equals its threshold away.
      let reached = (0..<classes).filter { values[$0] >= thresholds[$0] - 1e-6 }
      guard let best = reached.max(by: { values[$0] < values[$1] }) else { continue }
      confident[probabilities.labels[row] * classes + best] += 1
    }
    var counts = [Double](repeating: 0, count: classes * classes)
    for label in 0..<classes {
      // An image is always at least as likely of its own label as nothing at all.
      if confident[label * classes..<(label + 1) * classes].reduce(0, +) == 0 {
        confident[label * classes + label] = 1
      }
      let total = confident[label * classes..<(label + 1) * classes].reduce(0, +)
      for other in 0..<classes {
        counts[label * classes + other] = confident[label * classes + other] / total * Double(sizes[label])
      }
    }
    self.classes = classes
    self.counts = counts
    self.thresholds = thresholds
    wholeCounts = (0..<classes).flatMap { label in
      Self.rounded(Array(counts[label * classes..<(label + 1) * classes]), total: sizes[label])
    }
  }

  /// Whole numbers near `values` that add up to `total`: the largest remainders are rounded up, of equal ones the later,
  /// as in cleanlab.
  static func rounded(_ values: [Double], total: Int) -> [Int] {
    var whole = values.map { Int($0) }
    let missing = total - whole.reduce(0, +)
    let order = values.indices.sorted {
      let a = values[$0] - values[$0].rounded(.down)
      let b = values[$1] - values[$1].rounded(.down)
      return a == b ? $0 > $1 : a > b
    }
    for index in order.prefix(max(0, missing)) { whole[index] += 1 }
    return whole
  }

  /// The estimated share of wrong labels.
  package var noiseRate: Double {
    let total = counts.reduce(0, +)
    let right = (0..<classes).reduce(0) { $0 + counts[$1 * classes + $1] }
    return total > 0 ? 1 - right / total : 0
  }
}

/// Calls as many labels of each kind wrong as the joint distribution of noisy and true labels says.
///
/// Source: Northcutt, Jiang & Chuang (JAIR 2021), section 3.2; where the paper leaves a choice open, this does as
/// cleanlab 2. A label that is the most probable one is never wrong, and a class keeps at least one image. It decides
/// by its own rule; the score, for ranking, is the normalized margin (by class: the self-confidence). Cost:
/// ``CrossValidation``, shared among the detectors that use it.
package struct ConfidentLearning: Detector {
  /// Which labels are wrong.
  package enum Pruning: String, Sendable, Hashable, Codable, CaseIterable {
    /// For each pair i ≠ j, as many images labelled i as the joint assigns to class j, with the largest p_j − p_i.
    case byNoiseRate = "noise-rate"
    /// For each class i, as many images as the joint assigns to others, with the least p_i.
    case byClass = "class"
    /// The labels that both call wrong.
    case both
  }

  package var name: String { "confident-learning-\(pruning.rawValue)" }
  package let kind = DetectorKind.unsupervised
  package let pruning: Pruning
  package let validation: CrossValidation

  package init(_ pruning: Pruning, validation: CrossValidation = CrossValidation()) {
    self.pruning = pruning
    self.validation = validation
  }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    try problem.requireClasses(name)
    let found = problem.shared.probabilities(validation, problem, progress: progress)
    let score: LabelQualityScore = pruning == .byClass ? .selfConfidence : .normalizedMargin
    var verdicts = [Bool](repeating: true, count: problem.labels.count)
    for (image, wrong) in zip(problem.images, pruning.wrong(found.value)) { verdicts[image] = !wrong }
    return Detection(
      scores: problem.scattered(score.scores(found.value), images: problem.images), verdicts: verdicts,
      reusedSeconds: found.reusedSeconds)
  }
}

extension ConfidentLearning.Pruning {
  /// Per row whether its label is called wrong.
  package func wrong(_ probabilities: ClassProbabilities) -> [Bool] {
    let joint = ConfidentJoint(probabilities)
    switch self {
    case .byNoiseRate: return Self.byNoiseRate(probabilities, joint)
    case .byClass: return Self.byClass(probabilities, joint)
    case .both:
      return zip(Self.byNoiseRate(probabilities, joint), Self.byClass(probabilities, joint)).map { $0 && $1 }
    }
  }

  private static func byNoiseRate(_ probabilities: ClassProbabilities, _ joint: ConfidentJoint) -> [Bool] {
    let classes = joint.classes
    var wrong = [Bool](repeating: false, count: probabilities.count)
    for (label, rows) in members(probabilities) {
      let limits = limits(joint, label, rows.count)
      // Of most pairs the joint has none: with a thousand classes there are a million pairs.
      for other in 0..<classes where other != label && limits[other] > 0 {
        let margins = rows.map {
          probabilities.values[$0 * classes + other] - probabilities.values[$0 * classes + label]
        }
        mark(rows, worst: limits[other], by: margins.map { -$0 }, &wrong)
      }
    }
    return keeping(wrong, probabilities)
  }

  private static func byClass(_ probabilities: ClassProbabilities, _ joint: ConfidentJoint) -> [Bool] {
    var wrong = [Bool](repeating: false, count: probabilities.count)
    for (label, rows) in members(probabilities) {
      let limits = limits(joint, label, rows.count)
      let count = limits.reduce(0, +) - limits[label]
      mark(rows, worst: count, by: rows.map { probabilities.own($0) }, &wrong)
    }
    return keeping(wrong, probabilities)
  }

  /// How many images of one noisy label belong to each class, with at least one of its own.
  private static func limits(_ joint: ConfidentJoint, _ label: Int, _ count: Int) -> [Int] {
    var limits = Array(joint.wholeCounts[label * joint.classes..<(label + 1) * joint.classes])
    if limits[label] == 0, count > 0, let largest = limits.indices.max(by: { limits[$0] < limits[$1] }) {
      limits[largest] -= 1
      limits[label] = 1
    }
    return limits
  }

  private static func members(_ probabilities: ClassProbabilities) -> [(Int, [Int])] {
    Dictionary(grouping: 0..<probabilities.count) { probabilities.labels[$0] }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  /// Marks the rows with the lowest scores; of equal ones the earlier.
  private static func mark(_ rows: [Int], worst count: Int, by scores: [Float], _ wrong: inout [Bool]) {
    let order = rows.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] < scores[$1] }
    for place in order.prefix(max(0, count)) { wrong[rows[place]] = true }
  }

  /// A label that is the most probable one is not wrong.
  private static func keeping(_ wrong: [Bool], _ probabilities: ClassProbabilities) -> [Bool] {
    wrong.enumerated().map { $1 && probabilities.rank($0) > 0 }
  }
}
