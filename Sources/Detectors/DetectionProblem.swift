import Torch

/// The input of every detector: features, noisy labels, and verification labels of some images.
///
/// Parts that several detectors need (cross-validated probabilities, nearest neighbors) are computed once for a problem
/// and its copies, see ``SharedEvidence``.
package struct DetectionProblem: Sendable {
  package let features: any FeatureSource
  /// Each image's noisy label, 0..<classes; negative for images that take no part.
  package let labels: [Int]
  package let classes: Int
  /// Verification labels: image → whether its label is right. Only of images that take part.
  package let verdicts: [Int: Bool]
  package var seed: UInt64
  package let threads: Int
  /// The images that take part, ascending.
  package let images: [Int]
  /// For each class the images that carry its label, ascending.
  package let members: [[Int]]

  let shared: SharedEvidence

  /// Verification labels of images that take no part are left out.
  package init(
    features: any FeatureSource, labels: [Int], classes: Int, verdicts: [Int: Bool] = [:], seed: UInt64 = 0,
    threads: Int = 2
  ) {
    precondition(labels.count == features.count, "\(labels.count) labels for \(features.count) images")
    precondition(labels.allSatisfy { $0 < classes }, "a label is not below the number of classes")
    self.features = features
    self.labels = labels
    self.classes = classes
    self.verdicts = verdicts.filter { labels.indices.contains($0.key) && labels[$0.key] >= 0 }
    self.seed = seed
    self.threads = max(1, threads)
    images = labels.indices.filter { labels[$0] >= 0 }
    var members = [[Int]](repeating: [], count: classes)
    for (image, label) in labels.enumerated() where label >= 0 { members[label].append(image) }
    self.members = members
    shared = SharedEvidence()
  }

  /// A problem with the same features and labels, and so the same shared evidence, but other verification labels.
  package func verified(_ verdicts: [Int: Bool]) -> DetectionProblem {
    DetectionProblem(self, verdicts: verdicts)
  }

  private init(_ other: DetectionProblem, verdicts: [Int: Bool]) {
    features = other.features
    labels = other.labels
    classes = other.classes
    seed = other.seed
    threads = other.threads
    images = other.images
    members = other.members
    self.verdicts = verdicts.filter { other.labels.indices.contains($0.key) && other.labels[$0.key] >= 0 }
    shared = other.shared
  }

  /// Features are read in pieces of this many images where not all are needed at a time.
  static let chunk = 4096

  /// Visits the features of `images` in pieces: the places in `images`, and their rows.
  func forEachChunk(of images: [Int], _ body: (Range<Int>, Tensor) -> Void) {
    for start in stride(from: 0, to: images.count, by: Self.chunk) {
      let range = start..<min(start + Self.chunk, images.count)
      body(range, features.rows(Array(images[range])))
    }
  }

  /// Scores of all images: those of `images` as given, NaN for the others.
  func scattered(_ scores: [Float], images: [Int]) -> [Float] {
    var all = [Float](repeating: .nan, count: labels.count)
    for (place, image) in images.enumerated() { all[image] = scores[place] }
    return all
  }

  /// Runs `body` with as many of libtorch's threads as the problem may use.
  func withThreads<Result>(_ body: () -> Result) -> Result {
    let before = Engine.threads
    Engine.threads = threads
    defer { Engine.threads = before }
    return body()
  }

  /// Refuses a problem in which fewer than two classes have images.
  func requireClasses(_ detector: String) throws(DetectionError) {
    guard members.count(where: { !$0.isEmpty }) >= 2 else { throw .tooFewClasses(detector: detector) }
  }
}
