import Foundation
import Testing
import Torch

@testable import Evaluation

@Suite("Guarantee on the noise left") struct NoiseGuaranteeTests {
  /// Images of three classes whose scores tell right from wrong labels imperfectly.
  private struct Population {
    var labels: [Int] = []
    var isRight: [Bool] = []
    var scores: [Float] = []

    init(sizes: [Int], noise: [Double], seed: UInt64) {
      var random = SplitMix64(seed: seed)
      for (label, size) in sizes.enumerated() {
        for _ in 0..<size {
          let right = Double.random(in: 0..<1, using: &random) >= noise[label]
          labels.append(label)
          isRight.append(right)
          scores.append(Float.random(in: 0..<1, using: &random) + (right ? 0.4 : 0))
        }
      }
    }

    /// Draws so many images of each class without replacement; classes lie one after the other.
    func verify(_ counts: [Int], sizes: [Int], seed: UInt64) -> [Int: Bool] {
      var random = SplitMix64(seed: seed)
      var verdicts = [Int: Bool]()
      var start = 0
      for (count, size) in zip(counts, sizes) {
        var drawn = Set<Int>()
        while drawn.count < count { drawn.insert(start + Int.random(in: 0..<size, using: &random)) }
        for image in drawn { verdicts[image] = isRight[image] }
        start += size
      }
      return verdicts
    }

    func noise(kept: [Bool], classes: Set<Int>) -> Double {
      let images = labels.indices.filter { kept[$0] && classes.contains(labels[$0]) }
      return Double(images.count { !isRight[$0] }) / Double(images.count)
    }
  }

  @Test("without wrong ones among n verified and kept the bound is 1 − 0.05^(1/n)")
  func closedForm() throws {
    let guarantee = try #require(
      NoiseGuarantee(
        labels: [0, 0, 0, 0, 1], isKept: [true, true, true, false, true],
        verdicts: [0: true, 1: true, 2: true, 3: false]))
    #expect(guarantee.overall.sample == 3 && guarantee.overall.kept == 3 && guarantee.overall.wrong == 0)
    #expect(abs(guarantee.overall.upper - (1 - 0.3684031)) < 1e-6)
    #expect(guarantee.perClass[1] == nil)
    #expect(NoiseGuarantee(labels: [0], isKept: [true], verdicts: [:]) == nil)
  }

  @Test(
    "the bound covers the true share in at least 95 of 100 draws, also where classes are sampled unevenly")
  func coverage() throws {
    let sizes = [800, 500, 300]
    let population = Population(sizes: sizes, noise: [0.1, 0.3, 0.5], seed: 1)
    let kept = population.scores.map { $0 >= 0.7 }
    let truth = population.noise(kept: kept, classes: [0, 1, 2])
    var covered = 0
    var coveredClass = 0
    var sum = 0.0
    let draws = 400
    for seed in 0..<UInt64(draws) {
      let verdicts = population.verify([60, 80, 20], sizes: sizes, seed: seed)
      let guarantee = try #require(
        NoiseGuarantee(labels: population.labels, isKept: kept, verdicts: verdicts))
      covered += truth <= guarantee.overall.upper ? 1 : 0
      coveredClass +=
        population.noise(kept: kept, classes: [1]) <= (guarantee.perClass[1]?.upper ?? 0) ? 1 : 0
      sum += guarantee.overall.upper
    }
    // Three standard deviations of 400 draws at 95 % are 3.3 %.
    #expect(Double(covered) / Double(draws) > 0.917)
    #expect(Double(coveredClass) / Double(draws) > 0.917)
    // And it says something: it is not far above the truth.
    #expect(sum / Double(draws) < truth + 0.15)
  }

  @Test(
    "the bound covers long tails and tiny classes, and is at most half as much again as one that knows the noise",
    arguments: [
      (sizes: [10_000] + Array(repeating: 190, count: 40), verified: 50),
      (sizes: Array(repeating: 4000, count: 5) + Array(repeating: 70, count: 100), verified: 40),
      (sizes: Array(repeating: 12, count: 1000), verified: 1),
    ])
  func unevenClasses(sizes: [Int], verified: Int) throws {
    var random = SplitMix64(seed: 8)
    let noise = sizes.map { _ in Double.random(in: 0..<0.2, using: &random) }
    let population = Population(sizes: sizes, noise: noise, seed: 4)
    let kept = population.scores.map { $0 >= 0.3 }
    let truth = population.noise(kept: kept, classes: Set(sizes.indices))
    var keptSizes = [Int](repeating: 0, count: sizes.count)
    var wrong = keptSizes
    for (image, label) in population.labels.enumerated() where kept[image] {
      keptSizes[label] += 1
      wrong[label] += population.isRight[image] ? 0 : 1
    }
    let total = Double(keptSizes.reduce(0, +))
    let draws = 120
    let counts = sizes.map { min(verified, $0) }
    var held = 0
    var sum = 0.0
    var oracle = 0.0
    for seed in 0..<UInt64(draws) {
      let verdicts = population.verify(counts, sizes: sizes, seed: seed)
      let guarantee = try #require(
        NoiseGuarantee(labels: population.labels, isKept: kept, verdicts: verdicts))
      #expect(guarantee.uncovered.isEmpty)
      held += truth <= guarantee.overall.upper ? 1 : 0
      sum += guarantee.overall.upper / Double(draws)
      // The normal bound of the stratified mean with each class's true variance.
      var mean = 0.0
      var variance = 0.0
      for (label, bound) in guarantee.perClass where bound.sample > 0 {
        let weight = Double(keptSizes[label]) / total
        let share = Double(wrong[label]) / Double(keptSizes[label])
        mean += weight * Double(bound.wrong) / Double(bound.sample)
        variance += weight * weight * share * (1 - share) / Double(bound.sample)
      }
      oracle += (mean + 1.645 * variance.squareRoot()) / Double(draws)
    }
    // Two standard deviations of 120 draws at 95 % are 4 %.
    #expect(Double(held) / Double(draws) > 0.91)
    #expect(sum < 1.5 * oracle, "\(sum) against \(oracle)")
  }

  @Test("a class that was only begun is named as not covered, and does not change the bound of the others")
  func begun() throws {
    let sizes = Array(repeating: 1000, count: 5)
    let population = Population(sizes: sizes, noise: [0.05, 0.05, 0.05, 0.05, 0.05], seed: 5)
    let kept = population.scores.map { $0 >= 0.3 }
    let four = population.verify([48, 48, 48, 48, 0], sizes: sizes, seed: 1)
    let before = try #require(NoiseGuarantee(labels: population.labels, isKept: kept, verdicts: four))
    for more in [1, 5] {
      var verdicts = four
      for image in 4000..<4000 + more { verdicts[image] = population.isRight[image] }
      let after = try #require(NoiseGuarantee(labels: population.labels, isKept: kept, verdicts: verdicts))
      #expect(after.overall == before.overall)
      #expect(after.uncovered == [4] && after.covered == [0, 1, 2, 3])
      #expect(after.perClass[4] != nil)
    }
  }

  @Test("a threshold for a wished noise keeps the wish in at least 95 of 100 draws, though many are tried")
  func wished() {
    let sizes = [600, 600]
    let population = Population(sizes: sizes, noise: [0.2, 0.4], seed: 2)
    var found = 0
    var broken = 0
    var keptShare = 0.0
    let draws = 100
    for seed in 0..<UInt64(draws) {
      let verdicts = population.verify([250, 250], sizes: sizes, seed: seed)
      guard
        let (threshold, _) = thresholdForNoise(
          0.08, scores: population.scores, labels: population.labels, verdicts: verdicts, steps: 40)
      else { continue }
      found += 1
      let kept = population.scores.map { $0 >= threshold }
      broken += population.noise(kept: kept, classes: [0, 1]) > 0.08 ? 1 : 0
      keptShare += Double(kept.count { $0 }) / Double(kept.count)
    }
    // Three standard deviations of 100 draws are 6.5 %.
    #expect(Double(broken) / Double(draws) <= 0.11)
    #expect(found > draws / 2 && keptShare / Double(found) > 0.1)
  }

  @Test(
    "a threshold comes with the guarantee of the images that it keeps, and the next lower one breaks the wish"
  )
  func thresholdsGuarantee() throws {
    let sizes = [700, 300, 200]
    var population = Population(sizes: sizes, noise: [0.1, 0.3, 0.2], seed: 5)
    let verdicts = population.verify([300, 150, 80], sizes: sizes, seed: 6)
    // Scores come in few values, and some images take no part.
    population.scores = population.scores.map { ($0 * 20).rounded() / 20 }
    for image in [3, 500] where verdicts[image] == nil { population.scores[image] = .nan }
    for image in [9, 900] where verdicts[image] == nil { population.labels[image] = -1 }
    let scores = population.scores
    let labels = population.labels
    func guarantee(_ threshold: Float) throws -> NoiseGuarantee {
      try #require(
        NoiseGuarantee(labels: labels, isKept: scores.map { $0 >= threshold }, verdicts: verdicts))
    }
    let found = try #require(
      thresholdForNoise(0.1, scores: scores, labels: labels, verdicts: verdicts, steps: 50))
    #expect(try found.guarantee == guarantee(found.threshold) && found.guarantee.overall.upper <= 0.1)
    let lower = scores.filter { $0 < found.threshold }.max() ?? 0
    #expect(try guarantee(lower).overall.upper > 0.1)
  }

  @Test("too few verified images prove nothing")
  func tooFew() {
    let population = Population(sizes: [500, 500], noise: [0.1, 0.1], seed: 3)
    let verdicts = population.verify([10, 10], sizes: [500, 500], seed: 1)
    #expect(
      thresholdForNoise(0.02, scores: population.scores, labels: population.labels, verdicts: verdicts) == nil
    )
  }

  @Test(
    "whoever looks again and again until the bound is exceeded breaks the fixed bound often, the other hardly",
    arguments: [[1.0], [0.7, 0.2, 0.1]])
  func looking(shares: [Double]) {
    let noise = shares.indices.map { 0.15 + 0.1 * Double($0) }
    let truth = zip(shares, noise).reduce(0) { $0 + $1.0 * $1.1 }
    let draws = 400
    var brokenFixed = 0
    var brokenAny = 0
    var distance = 0.0
    for seed in 0..<UInt64(draws) {
      var random = SplitMix64(seed: seed)
      var strata = shares.enumerated().map {
        StratifiedSampling.Counts(label: $0.offset, kept: Int($0.element * 100_000))
      }
      var fixed = false
      var any = false
      for look in 1...40 {
        for label in strata.indices {
          for _ in 0..<10 {
            strata[label].sample += 1
            strata[label].wrong += Double.random(in: 0..<1, using: &random) < noise[label] ? 1 : 0
          }
        }
        let upper = StratifiedBound.upper(strata, confidence: 0.95)
        let upperAtAnyTime = StratifiedBound.upperAtAnyTime(strata, confidence: 0.95)
        #expect(upperAtAnyTime >= upper)
        fixed = fixed || truth > upper
        any = any || truth > upperAtAnyTime
        if look == 40 { distance += (upperAtAnyTime - truth) / Double(draws) }
      }
      brokenFixed += fixed ? 1 : 0
      brokenAny += any ? 1 : 0
    }
    // Two standard deviations of 400 draws at 5 % are 2.2 %.
    #expect(Double(brokenAny) / Double(draws) < 0.072, "\(brokenAny)")
    #expect(Double(brokenFixed) / Double(draws) > 0.09, "\(brokenFixed)")
    #expect(distance < 0.1, "\(distance)")
  }

  @Test("the bound for all times is where the mixture's likelihood ratio reaches 20")
  func mixture() throws {
    // None of 59 wrong: B(½, 63½) / B(½, 4½) · (1 − p)^−59 = 20.
    let labels = Array(repeating: 0, count: 5000)
    let verdicts = Dictionary(uniqueKeysWithValues: (0..<59).map { ($0, true) })
    let bound = try #require(
      NoiseGuarantee(labels: labels, isKept: labels.map { _ in true }, verdicts: verdicts)
    ).overall.upperAtAnyTime
    let mixed = lgamma(63.5) - lgamma(64) - lgamma(4.5) + lgamma(5)
    #expect(abs(bound - (1 - exp((mixed - log(20)) / 59))) < 1e-6)
  }
}
