import Detectors
import Foundation
import Testing
import Torch

/// Laws that hold for every detector.
@Suite struct DetectorTests {
  let clusters = Clusters()

  /// All but the paper's objective, whose 60,000 steps take minutes; CleanNetTests train it shortly.
  static let names = DetectorRegistry.all.map(\.name).filter { $0 != "cleannet-paper" }

  @Test func namesAreDistinct() {
    #expect(Set(DetectorRegistry.all.map(\.name)).count == DetectorRegistry.all.count)
    for detector in DetectorRegistry.all {
      #expect(DetectorRegistry.named(detector.name)?.name == detector.name)
    }
  }

  @Test(arguments: Self.names)
  func ranksWrongLabelsLow(name: String) throws {
    let detector = try #require(DetectorRegistry.named(name))
    let detection = try detector.judge(clusters.problem(clusters.verdicts(classes: [0, 1, 2])))
    #expect(detection.scores.count == clusters.labels.count)
    #expect(!detection.scores.contains { $0.isNaN })
    // One-class methods are weak where a fifth of the class lies in tight clusters elsewhere.
    let least = name == "naive" ? 0.5 : ["drae", "one-class-svm"].contains(name) ? 0.6 : 0.9
    #expect(clusters.ranking(detection.scores) >= least)
    if detection.scoresAreProbabilities { #expect(detection.scores.allSatisfy { (0...1).contains($0) }) }
  }

  @Test(arguments: Self.names)
  func repeatsItselfAndLeavesOutWhatTakesNoPart(name: String) throws {
    let detector = try #require(DetectorRegistry.named(name))
    var labels = clusters.labels
    for image in [0, 17, 40] { labels[image] = -1 }
    let problem = clusters.problem(clusters.verdicts(classes: [0, 1]), labels: labels)
    let first = try detector.judge(problem)
    let second = try detector.judge(problem.verified(problem.verdicts))
    #expect(zip(first.scores, second.scores).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
    for image in [0, 17, 40] { #expect(first.scores[image].isNaN) }
    let silent = labels.indices.filter { labels[$0] == 2 }.allSatisfy { first.scores[$0].isNaN }
    #expect(silent == (detector.kind == .supervised))
  }

  /// A threshold is chosen on the scores of verified images: none may know its own answer.
  @Test(arguments: DetectorRegistry.all.filter { $0.kind == .supervised }.map(\.name))
  func aVerifiedImageIsJudgedWithoutItsAnswer(name: String) throws {
    let detector = try #require(DetectorRegistry.named(name))
    // Answers that have nothing to do with the features: only a model that remembers them can give them back.
    var verdicts: [Int: Bool] = [:]
    var random = SplitMix64(seed: 5)
    for image in clusters.labels.indices where clusters.labels[image] == 0 {
      verdicts[image] = Bool.random(using: &random)
    }
    let scores = try detector.judge(clusters.problem(verdicts)).scores
    let right = verdicts.keys.filter { verdicts[$0] == true }
    let wrong = verdicts.keys.filter { verdicts[$0] == false }
    let ordered = wrong.flatMap { a in
      right.map { scores[a] < scores[$0] ? 1.0 : scores[a] == scores[$0] ? 0.5 : 0 }
    }
    #expect(ordered.reduce(0, +) / Double(ordered.count) < 0.7)
  }

  @Test func aSingleClassIsRefused() {
    let problem = DetectionProblem(
      features: DenseFeatures(.ones([4, 2])), labels: [0, 0, 0, 0], classes: 2, verdicts: [:])
    #expect(throws: DetectionError.tooFewClasses(detector: "self-confidence")) {
      try LabelQuality(.selfConfidence).judge(problem)
    }
  }

  @Test(arguments: Self.names)
  func tellsHowFarItIs(name: String) throws {
    let detector = try #require(DetectorRegistry.named(name))
    let told = Told()
    _ = try detector.judge(clusters.problem(clusters.verdicts(classes: [0, 1]))) { told.add($0) }
    #expect(told.shares.allSatisfy { (0...1).contains($0) })
    #expect(!told.shares.isEmpty || name == "naive")
  }

  private final class Told: @unchecked Sendable {
    // Safe: `stored` is only touched under the lock.
    private var stored: [Double] = []
    private let lock = NSLock()
    func add(_ share: Double) { lock.withLock { stored.append(share) } }
    var shares: [Double] { lock.withLock { stored } }
  }

  @Test func sharedEvidenceIsAccountedFor() throws {
    let problem = clusters.problem([:])
    #expect(try LabelQuality(.selfConfidence).judge(problem).reusedSeconds == 0)
    #expect(try LabelQuality(.normalizedMargin).judge(problem).reusedSeconds > 0)
    #expect(try ConfidentLearning(.both).judge(problem.verified([0: true])).reusedSeconds > 0)
  }

  @Test func otherVerdictsFindCleanNetsEvidenceAndAreJudgedAsAnew() throws {
    let detector = try #require(DetectorRegistry.named("cleannet-without-networks"))
    let few = clusters.verdicts(classes: [0])
    let more = clusters.verdicts(classes: [1, 2])
    let problem = clusters.problem(few)
    let first = try detector.judge(problem)
    let second = try detector.judge(problem.verified(more))
    let anew = try detector.judge(clusters.problem(more))
    #expect(first.reusedSeconds == 0 && second.reusedSeconds > 0)
    #expect(second.scores != first.scores)
    let difference = zip(second.scores, anew.scores).map { abs($0 - $1) }.max() ?? 1
    #expect(difference < 0.02, "\(difference)")
  }

  @Test func topKIsTheThresholdOfClassificationFiltering() throws {
    let problem = clusters.problem([:])
    let detection = try ClassificationFiltering(topK: 2).judge(problem)
    let byScore = detection.scores.map { $0 > -2 }
    #expect(detection.verdicts == byScore)
    #expect(byScore.contains(false) && byScore.contains(true))
  }
}
