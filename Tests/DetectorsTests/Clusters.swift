import Detectors
import Torch

/// A small problem: clusters of one class each, every fifth label wrong.
struct Clusters {
  let features: Tensor
  let truth: [Int]
  let labels: [Int]
  let classes = 3

  init(count: Int = 180, dimension: Int = 12, seed: UInt64 = 1) {
    let generator = Generator(seed: seed)
    let centers = generator.normal([3, dimension], standardDeviation: 2) + 1
    truth = (0..<count).map { $0 % 3 }
    labels = (0..<count).map { $0 / 3 % 5 == 0 ? ($0 + 1) % 3 : $0 % 3 }
    features = centers.indexSelect(Tensor(truth)) + generator.normal([count, dimension])
  }

  func isRight(_ image: Int) -> Bool { labels[image] == truth[image] }

  /// The first images of some classes as verified.
  func verdicts(classes: [Int], perClass: Int = 20) -> [Int: Bool] {
    var verdicts: [Int: Bool] = [:]
    for label in classes {
      for image in labels.indices.filter({ labels[$0] == label }).prefix(perClass) {
        verdicts[image] = isRight(image)
      }
    }
    return verdicts
  }

  func problem(_ verdicts: [Int: Bool], labels: [Int]? = nil) -> DetectionProblem {
    DetectionProblem(
      features: DenseFeatures(features), labels: labels ?? self.labels, classes: classes, verdicts: verdicts)
  }

  /// How probably a wrong label scores below a right one, among images with a score.
  func ranking(_ scores: [Float]) -> Double {
    let wrong = scores.indices.filter { !scores[$0].isNaN && !isRight($0) }
    let right = scores.indices.filter { !scores[$0].isNaN && isRight($0) }
    let pairs = wrong.flatMap { a in
      right.map { scores[a] < scores[$0] ? 1.0 : scores[a] == scores[$0] ? 0.5 : 0 }
    }
    return pairs.reduce(0, +) / Double(pairs.count)
  }
}
