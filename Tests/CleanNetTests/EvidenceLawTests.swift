import Foundation
import Testing
import Torch

@testable import CleanNet

/// Laws that hold for every judgement, whatever the data are.
@Suite("Laws of judging") struct EvidenceLawTests {
  /// Everything but networks, which take long and obey the same laws by construction: no image is judged by a network
  /// that was trained on it.
  private func evidence(_ data: TrainingSet, seed: UInt64 = 0) -> LabelEvidence {
    var configuration = Configuration.extended(dimension: data.features.dimension)
    configuration.normalization = .suited(to: data.features)
    configuration.seed = seed
    let space = FeatureSpace(data, configuration: configuration, threads: 2)
    let finder = EvidenceFinder(data, in: space)
    return finder.evidence(finder.basis())
  }

  private func judge(_ data: TrainingSet) -> Judgements {
    Judgements(evidence(data), verifications: data.verifications, count: data.labels.count)
  }

  private func set(
    _ features: Tensor, _ labels: [Int], _ classes: Int, _ verdicts: [Int: Bool] = [:]
  ) -> TrainingSet {
    TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: classes,
      verifications: verdicts.sorted { $0.key < $1.key }.map {
        VerificationLabel(image: $0.key, isRight: $0.value)
      })
  }

  // MARK: A verdict does not judge its own image

  @Test(
    "features, labels and verdicts that have nothing to do with each other: a verified image's score says nothing about its verdict",
    arguments: [
      (classes: 10, each: 30, verified: 20, draws: 24), (classes: 10, each: 100, verified: 40, draws: 12),
    ])
  func pureNoise(classes: Int, each: Int, verified: Int, draws: Int) {
    var ranking = 0.0
    var surplus = 0.0
    let count = classes * each
    for draw in 0..<UInt64(draws) {
      var random = SplitMix64(seed: draw &+ 100)
      let labels = (0..<count).map { $0 % classes }
      var verdicts: [Int: Bool] = [:]
      for label in 0..<classes {
        let members = labels.indices.filter { labels[$0] == label }.shuffled(using: &random)
        for image in members.prefix(verified) {
          verdicts[image] = Double.random(in: 0..<1, using: &random) < 0.7
        }
      }
      let judged = judge(set(Generator(seed: draw).normal([count, 16]), labels, classes, verdicts))
      func scores(_ right: Bool) -> [Double] {
        verdicts.filter { $0.value == right }.map { Double(judged.probability[$0.key]) }
      }
      ranking += rankingProbability(right: scores(true), wrong: scores(false)) / Double(draws)
      // Noise among kept verified images, less the noise of all: nothing can be known, so nothing can be gained.
      let kept = verdicts.filter { judged.isRight($0.key) == true }
      if !kept.isEmpty {
        let noise = Double(kept.count { !$0.value }) / Double(kept.count)
        surplus += (noise - Double(verdicts.count { !$0.value }) / Double(verdicts.count)) / Double(draws)
      }
    }
    #expect(abs(ranking - 0.5) < 0.03, "AUROC \(ranking)")
    #expect(abs(surplus) < 0.01, "noise among kept images off by \(surplus)")
  }

  // MARK: Weak evidence says little

  @Test("weak features of many small classes: probabilities stay near the base rate", arguments: 0..<3)
  func weakFeatures(seed: UInt64) {
    let classes = 50
    let each = 10
    var random = SplitMix64(seed: seed)
    let truth = (0..<classes * each).map { $0 / each }
    var labels = truth
    for image in truth.indices.shuffled(using: &random).prefix(classes * each / 10) {
      labels[image] = Int.random(in: 0..<classes, using: &random)
    }
    let means = Generator(seed: seed &+ 1).normal([classes, 24]) * 0.3
    let features = means.indexSelect(Tensor(truth)) + Generator(seed: seed &+ 2).normal([truth.count, 24])
    var verdicts: [Int: Bool] = [:]
    for image in truth.indices.shuffled(using: &random).prefix(100) {
      verdicts[image] = labels[image] == truth[image]
    }
    let judged = judge(set(features, labels, classes, verdicts))
    #expect(judged.probability.allSatisfy { $0.isFinite && (0...1).contains($0) })
    let mean = judged.probability.reduce(0, +) / Float(judged.probability.count)
    #expect(abs(mean - 0.9) < 0.08, "mean probability \(mean)")
    // Ten of a hundred are wrong; nobody can say which, so hardly any may be called so.
    let called = labels.indices.count { judged.isRight($0) == false }
    #expect(called < labels.count / 10, "\(called) of \(labels.count) called wrong")
  }

  // MARK: Things that do not matter

  @Test(
    "judgements do not depend on the order of rows, the names of classes, or the axes and scale of features")
  func equivariance() {
    let data = NoisyClusters(perClass: 40)
    let rows = data.features.values
    let verdicts = Dictionary(
      uniqueKeysWithValues: data.verified(classes: [0, 2], perClass: 15).map { ($0.image, $0.isRight) })
    let before = judge(set(rows - rows.mean(dim: 0), data.labels, data.classes, verdicts)).probability

    var random = SplitMix64(seed: 1)
    let order = data.labels.indices.shuffled(using: &random)
    let names = (0..<data.classes).shuffled(using: &random)
    let moved = judge(
      set(
        (rows - rows.mean(dim: 0)).indexSelect(Tensor(order)), order.map { names[data.labels[$0]] },
        data.classes,
        Dictionary(
          uniqueKeysWithValues: order.indices.compactMap { row in verdicts[order[row]].map { (row, $0) } })))
    let difference = order.indices.map { abs(moved.probability[$0] - before[order[$0]]) }.max() ?? 1
    #expect(difference < 0.02, "\(difference)")

    // Other axes and another scale; l2 normalization, which these features get, knows neither. Only folds may change.
    let rotation = Generator(seed: 4).normal([data.features.dimension, data.features.dimension]).qr().q
    let turned = judge(
      set((rows - rows.mean(dim: 0)).matmul(rotation) * 3, data.labels, data.classes, verdicts)
    ).probability
    let away = before.indices.count { abs(turned[$0] - before[$0]) > 0.1 }
    #expect(away < before.count / 20, "\(away) of \(before.count)")
  }

  // MARK: Edges

  @Test("small and degenerate data are judged as well as can be, and never give a NaN")
  func edges() {
    let some = Generator(seed: 9).normal([12, 5])
    let problems: [(String, TrainingSet)] = [
      ("two images", set(some.narrow(start: 0, count: 2), [0, 1], 2, [0: true])),
      ("one class", set(some, Array(repeating: 0, count: 12), 1, [1: false])),
      ("a class of one", set(some, [1] + Array(repeating: 0, count: 11), 2, [1: true])),
      ("a class without images", set(some, (0..<12).map { $0 % 2 }, 3, [3: false])),
      ("all features equal", set(.ones([12, 5]), (0..<12).map { $0 % 3 }, 3, [1: true, 2: false])),
      ("all features zero", set(.zeros([12, 5]), (0..<12).map { $0 % 3 }, 3, [1: true, 2: false])),
      ("no verdict", set(some, (0..<12).map { $0 % 3 }, 3)),
      (
        "all right",
        set(some, (0..<12).map { $0 % 3 }, 3, Dictionary(uniqueKeysWithValues: (0..<12).map { ($0, true) }))
      ),
      (
        "all wrong",
        set(some, (0..<12).map { $0 % 3 }, 3, Dictionary(uniqueKeysWithValues: (0..<12).map { ($0, false) }))
      ),
      ("huge features", set(some * 1e6, (0..<12).map { $0 % 3 }, 3, [0: true])),
    ]
    for (name, data) in problems {
      let judged = judge(data)
      #expect(judged.probability.allSatisfy { $0.isFinite && (0...1).contains($0) }, "\(name)")
      #expect(judged.suggestedClass.allSatisfy { (0..<data.classes).contains($0) }, "\(name)")
    }
  }

  @Test("images whose features are no numbers are left out, and change nothing for the others")
  func notANumber() {
    let data = NoisyClusters(perClass: 20)
    let verdicts = Dictionary(
      uniqueKeysWithValues: data.verified(classes: [0], perClass: 10).map { ($0.image, $0.isRight) })
    let spoiled = Tensor.concatenate([data.features.values, Tensor.full([3, data.features.dimension], .nan)])
    let whole = judge(set(data.features.values, data.labels, data.classes, verdicts)).probability
    let judged = judge(set(spoiled, data.labels + [0, 1, 2], data.classes, verdicts)).probability
    #expect(judged.suffix(3).allSatisfy { $0.isNaN })
    // Up to rounding: matrices of other sizes are added up in another order.
    #expect(zip(judged, whole).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test("negative features keep their sign by default")
  func negativeFeatures() throws {
    let data = NoisyClusters(perClass: 30)
    let centered = data.features.values - data.features.values.mean(dim: 0)
    let configuration = Configuration.extended(suitedTo: DenseFeatures(centered))
    #expect(configuration.normalization == .l2)
    #expect(Configuration.extended(suitedTo: DenseFeatures(centered.absolute())).normalization == .logPlusOne)
  }

  // MARK: Verdicts

  @Test("verdicts change nothing in the evidence, and weighing them repeats itself")
  func verdictsStayOutside() throws {
    let data = NoisyClusters(perClass: 30)
    let without = evidence(data.trainingSet(verifiedClasses: [], perClass: 0))
    let with = evidence(data.trainingSet())
    // Up to rounding: other tests change how many threads add up.
    let difference = (without.logOdds - with.logOdds).absolute().amax(dim: 1).amax(dim: 0).item
    #expect(difference < 0.05, "\(difference)")
    let verdicts = with.verdicts(data.trainingSet().verifications)
    let first = VerdictModel.judge(with, verdicts: verdicts)
    #expect(first.probabilities == VerdictModel.judge(with, verdicts: verdicts).probabilities)
    #expect(abs(first.model.readings.reduce(0) { $0 + $1.weight } - 1) < 1e-9)
    let back = try LabelEvidence(try with.checkpoint())
    #expect(VerdictModel.judge(back, verdicts: verdicts).probabilities == first.probabilities)
  }

  @Test(
    "strong probabilities of another model carry features that show nothing; empty ones take nothing away")
  func givenProbabilities() {
    let classes = 8
    let count = 1600
    var random = SplitMix64(seed: 3)
    let truth = (0..<count).map { $0 % classes }
    let labels = truth.map { own in
      Double.random(in: 0..<1, using: &random) < 0.2
        ? (own + Int.random(in: 1..<classes, using: &random)) % classes : own
    }
    func table(_ probability: (Int) -> (likeliest: Int, of: Double)) -> Tensor {
      Tensor(
        (0..<count).flatMap { image -> [Float] in
          let (likeliest, share) = probability(image)
          return (0..<classes).map { Float($0 == likeliest ? share : (1 - share) / Double(classes - 1)) }
        }, shape: [count, classes])
    }
    func judge(_ features: Tensor, _ evidence: [Tensor]) -> (ranking: Double, error: Double) {
      let data = TrainingSet(
        sound: DenseFeatures(features), labels: labels, classes: classes, verifications: [],
        evidence: evidence)
      let judged = self.judge(data)
      func scores(_ right: Bool) -> [Double] {
        labels.indices.filter { (labels[$0] == truth[$0]) == right }.map { Double(judged.probability[$0]) }
      }
      let wrong = labels.indices.count { judged.isRight($0) != (labels[$0] == truth[$0]) }
      return (rankingProbability(right: scores(true), wrong: scores(false)), Double(wrong) / Double(count))
    }
    let mistaken = truth.map { own in
      Double.random(in: 0..<1, using: &random) < 0.05 ? (own + 1) % classes : own
    }
    let filtering =
      Double(
        labels.indices.count { (mistaken[$0] == labels[$0]) != (labels[$0] == truth[$0]) }) / Double(count)
    let noise = Generator(seed: 1).normal([count, 16])
    let strong = judge(noise, [table { (mistaken[$0], 0.9) }])
    #expect(strong.ranking > 0.94 && strong.error <= filtering + 0.005, "\(strong), filtering \(filtering)")

    let means = Generator(seed: 2).normal([classes, 16], standardDeviation: 1.2)
    let telling = noise + means.indexSelect(Tensor(truth))
    let alone = judge(telling, [])
    let chance = (0..<count).map { _ in Int.random(in: 0..<classes, using: &random) }
    let beside = judge(telling, [table { (chance[$0], 0.6) }])
    #expect(beside.ranking > alone.ranking - 0.01 && beside.error < alone.error + 0.01, "\(beside), \(alone)")
  }

  @Test("a and b of a reading are where the penalized likelihood is highest")
  func calibration() throws {
    // One reading of known log-odds: compared with a fine grid.
    let odds: [Float] = [3, 2, 1, 0.5, -0.5, -1, -2, 4, -3, 0.2]
    let right = [true, true, false, true, false, true, false, true, false, false]
    let evidence = LabelEvidence(
      images: Array(0..<10), labels: Array(repeating: 0, count: 10), classes: 2,
      candidates: [.init(world: .closed, sharpness: 1, intercept: 0, logLikelihood: -1)],
      logOdds: Tensor(odds, shape: [1, 10]), suggested: Array(repeating: 0, count: 10))
    let model = VerdictModel(
      evidence, verdicts: right.enumerated().map { .init(row: $0.offset, isRight: $0.element) })
    func loss(_ logScale: Double, _ b: Double) -> Double {
      let prior = 0.5 * pow(logScale - log(0.5), 2) + 0.5 * pow(b / 0.3, 2)
      return zip(odds, right).reduce(prior) { sum, image in
        sum + log1p(exp(-(image.1 ? 1.0 : -1) * (exp(logScale) * Double(image.0) + b)))
      }
    }
    let found = try #require(model.readings.first).fit
    var best = (value: Double.infinity, a: 0.0, b: 0.0)
    for i in 0...400 {
      for j in 0...200 {
        let a = -2 + Double(i) * 0.01
        let b = -1 + Double(j) * 0.01
        let value = loss(a, b)
        if value < best.value { best = (value, a, b) }
      }
    }
    #expect(abs(log(found.scale) - best.a) < 0.011 && abs(found.intercept - best.b) < 0.011)
  }

  @Test(
    "a verdict of somebody who slips at the rate ε has the likelihood ε + (1 − 2ε) σ(z), and its slope is the derivative",
    arguments: [0, 0.02, 0.2])
  func likelihoodOfAVerdict(slipRate: Double) {
    func likelihood(_ margin: Double) -> Double { VerdictModel.logLikelihood(margin, slipRate: slipRate) }
    for margin in [-9.0, -1.5, 0, 0.7, 6] {
      #expect(abs(likelihood(margin) - log(slipRate + (1 - 2 * slipRate) / (1 + exp(-margin)))) < 1e-9)
      let difference = (likelihood(margin + 1e-5) - likelihood(margin - 1e-5)) / 2e-5
      #expect(abs(VerdictModel.slope(margin, slipRate: slipRate).gradient - difference) < 1e-7)
    }
  }

  @Test(
    "a person who is often mistaken moves less, and a single slip against clear evidence does not overturn it"
  )
  func slips() throws {
    // Clear evidence, and one verdict in ten against it.
    let odds = (0..<40).map { Float($0.isMultiple(of: 2) ? 6 : -6) }
    let evidence = LabelEvidence(
      images: Array(0..<40), labels: Array(repeating: 0, count: 40), classes: 2,
      candidates: [.init(world: .closed, sharpness: 1, intercept: 0, logLikelihood: -1)],
      logOdds: Tensor(odds, shape: [1, 40]), suggested: Array(repeating: 0, count: 40))
    func model(slipRate: Double) -> VerdictModel {
      VerdictModel(
        evidence,
        verdicts: (0..<40).map { image in
          .init(row: image, isRight: (odds[image] > 0) != (image % 13 == 3), slipRate: slipRate)
        })
    }
    let sure = model(slipRate: 0)
    let careful = model(slipRate: 0.05)
    #expect(careful.readings[0].fit.scale > 1.15 * sure.readings[0].fit.scale)
    // A slip rate that says nothing about any side leaves what is known before.
    let idle = model(slipRate: 0.49).readings[0].fit.scale
    #expect(abs(log(idle) - VerdictModel.logScale.mean) < 0.5)
  }
}
