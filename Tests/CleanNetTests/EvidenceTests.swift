import Foundation
import Testing
import Torch

@testable import CleanNet

@Suite("Evidence") struct EvidenceTests {
  // MARK: Principal components

  @Test("components are orthonormal, centered and carry the variance of the data by falling size")
  func components() {
    let generator = Generator(seed: 1)
    let stretch = Tensor([5, 3, 2, 1, 0.5, 0.1] as [Float])
    let mixing = generator.normal([6, 6]).qr().q
    let data = DenseFeatures((generator.normal([500, 6]) * stretch).matmul(mixing) + 7)
    let components = PrincipalComponents(data, images: Array(0..<500), normalization: .none, dimension: 4)
    #expect(components.dimension == 4)
    let gram = components.directions.transposed().matmul(components.directions)
    expectClose(gram.reshaped([16]), Tensor.eye(4).reshaped([16]).doubles(), tolerance: 1e-4)
    let projected = components.project(data, images: Array(0..<500)).values
    expectClose(projected.mean(dim: 0), [0, 0, 0, 0], tolerance: 1e-3)
    let variances = projected.squared().mean(dim: 0).doubles()
    expectClose(components.variances, variances, tolerance: 0.05)
    #expect(variances == variances.sorted(by: >))
    // Four of six directions leave out little of this data.
    let restored = projected.matmul(components.directions.transposed()) + components.mean
    #expect((restored - data.values).squared().sum(dim: 1).mean().item < 0.4)
  }

  @Test("features of images come out alike alone and in a set")
  func projection() {
    let data = DenseFeatures(Generator(seed: 2).uniform([40, 8]))
    let components = PrincipalComponents(data, images: Array(0..<40), normalization: .logPlusOne)
    let some = components.project(data, images: [3, 17, 39]).values
    expectClose(some[1], components(data.rows([17])).doubles())
    let back = try? PrincipalComponents(
      Dictionary(uniqueKeysWithValues: components.tensors.map { ($0.name, $0.tensor) }),
      normalization: .logPlusOne)
    expectClose(some.reshaped([-1]), back?.project(data, images: [3, 17, 39]).values.doubles() ?? [])
  }

  // MARK: Sources

  @Test("the discriminant is the textbook's: out-of-fold means, shared covariance, shrinkage")
  func discriminant() {
    // Two dimensions, two classes, soft labels: the 2 × 2 system solved by hand, in double precision.
    let features = Generator(seed: 3).normal([30, 2])
    let beliefs = SoftLabels.normalized(Generator(seed: 4).uniform([30, 2], low: 0.05))
    let identities = (0..<30).map { UInt64($0) &* 77 }
    let discriminant = DiscriminantPosterior(DenseFeatures(features), identities: identities, seed: 9)
    let posterior = discriminant.fitted(ClassVotes(beliefs), classes: 2, shrinkage: 0.1)(Array(0..<30)).exp()
    let x = features.doubles()
    let r = beliefs.doubles()
    let found = posterior.doubles()
    func rank(_ image: Int) -> UInt64 {
      var random = SplitMix64(seed: identities[image] &+ 9 &+ 0xF01D)
      return random.next()
    }
    let order = Array(0..<30).sorted { rank($0) < rank($1) }
    for fold in 0..<5 {
      let held = Set(stride(from: fold, to: 30, by: 5).map { order[$0] })
      let rest = (0..<30).filter { !held.contains($0) }
      var sizes = [1e-3, 1e-3]
      var means = [[0.0, 0.0], [0.0, 0.0]]
      for i in rest {
        for c in 0..<2 {
          sizes[c] += r[2 * i + c]
          for d in 0..<2 { means[c][d] += r[2 * i + c] * x[2 * i + d] }
        }
      }
      for c in 0..<2 { for d in 0..<2 { means[c][d] /= sizes[c] } }
      let total = sizes[0] + sizes[1]
      var covariance = [[0.0, 0.0], [0.0, 0.0]]
      for a in 0..<2 {
        for b in 0..<2 {
          let second = rest.reduce(0) { $0 + x[2 * $1 + a] * x[2 * $1 + b] }
          let between = (0..<2).reduce(0) { $0 + sizes[$1] * means[$1][a] * means[$1][b] }
          covariance[a][b] = 0.9 * (second - between) / total
        }
      }
      let spread = (covariance[0][0] + covariance[1][1]) / 0.9 / 2
      for d in 0..<2 { covariance[d][d] += 0.1 * spread }
      let determinant = covariance[0][0] * covariance[1][1] - covariance[0][1] * covariance[1][0]
      for i in held {
        let scores = (0..<2).map { c -> Double in
          let m = means[c]
          let w = [
            (covariance[1][1] * m[0] - covariance[0][1] * m[1]) / determinant,
            (covariance[0][0] * m[1] - covariance[1][0] * m[0]) / determinant,
          ]
          let linear = x[2 * i] * w[0] + x[2 * i + 1] * w[1]
          let offset = 0.5 * (m[0] * w[0] + m[1] * w[1])
          return linear - offset + Foundation.log(sizes[c] / total)
        }
        let first = 1 / (1 + exp(scores[1] - scores[0]))
        #expect(abs(found[2 * i] - first) < 1e-4)
      }
    }
  }

  @Test("an image's own label has no part in what its neighbors say")
  func neighbors() {
    // Two tight groups on the axes, with alternating noise.
    let rows = (0..<12).flatMap { (place: Int) -> [Float] in
      let other = Float(place) * 0.01
      return place < 6 ? [1, other] : [other, 1]
    }
    let posterior = NeighborPosterior(DenseFeatures(Tensor(rows, shape: [12, 2])), classes: 2, threads: 2)
    let labels = Tensor((0..<12).map { $0 < 6 ? 0 : 1 }).oneHot(classes: 2).to(.float32)
    let changed = labels.clone()
    changed[3..<4].copyInPlace(Tensor([0, 1] as [Float], shape: [1, 2]))
    func shares(_ labels: Tensor) -> Tensor { posterior(ClassVotes(labels)).logShares(Array(0..<12)) }
    let before = shares(labels)[3].floats()
    let after = shares(changed)[3].floats()
    // Only the average that is added once changes, by a twelfth.
    #expect(abs(exp(before[0]) - exp(after[0])) < 0.1 / 11)
    let others = shares(labels)[0].floats(), moved = shares(changed)[0].floats()
    #expect(exp(others[0]) - exp(moved[0]) > 0.9 / 12)
  }

  // MARK: The noise model

  @Test("log-odds follow Bayes: p(y|x) T[y,y] against Σ p(c|x) T[c,y]")
  func bayes() {
    var model = NoiseModel(classes: 3, exponents: [1])
    model.transition = Tensor([0.8, 0.1, 0.1, 0.3, 0.6, 0.1, 0, 0.2, 0.8] as [Float], shape: [3, 3])
    let labels = SoftLabels(labels: [0, 1], classes: 3)
    let posterior = Tensor([0.5, 0.3, 0.2, 0.2, 0.2, 0.6] as [Float], shape: [2, 3]).log()
    let piece = Candidates([posterior], labels).pieces[0]
    let odds = model.judge(
      piece, model.logPosterior(piece), TransitionColumns(model.transition, labels)
    ).logOdds
    // Label 0: 0.5 · 0.8 against 0.3 · 0.3 + 0.2 · 0; label 1: 0.2 · 0.6 against 0.2 · 0.1 + 0.6 · 0.2.
    expectClose(odds, [log(0.4 / 0.09), log(0.12 / 0.14)], tolerance: 1e-4)
  }

  @Test("the transition matrix and the noise are recovered from noisy labels alone")
  func recovery() {
    let truth: [Double] = [0.7, 0.3, 0.0, 0.0, 0.9, 0.1, 0.25, 0.0, 0.75]
    var random = SplitMix64(seed: 7)
    var labels = [Int]()
    var rows = [Float]()
    for _ in 0..<6000 {
      let c = Int.random(in: 0..<3, using: &random)
      let draw = Double.random(in: 0..<1, using: &random)
      labels.append(draw < truth[3 * c] ? 0 : draw < truth[3 * c] + truth[3 * c + 1] ? 1 : 2)
      // A source that is right in nine of ten cases, and knows it.
      let seen = Double.random(in: 0..<1, using: &random) < 0.9 ? c : Int.random(in: 0..<3, using: &random)
      let sure = Float(log(0.9 + 0.1 / 3))
      let unsure = Float(log(0.1 / 3))
      rows += (0..<3).map { $0 == seen ? sure : unsure }
    }
    var model = NoiseModel(classes: 3, exponents: [0.5])
    let soft = SoftLabels(labels: labels, classes: 3)
    model.fit(Candidates([Tensor(rows, shape: [6000, 3])], soft), iterations: 60)
    expectClose(model.transition.reshaped([9]), truth, tolerance: 0.05)
    // Of a source that is taken at its word the exponent is 1; the likelihood is flat in it.
    #expect(abs(model.exponents[0] - 1) < 0.35, "\(model.exponents)")
  }

  @Test("a fit never makes the noisy labels less likely, and exponents stay within their bounds")
  func monotone() {
    // A source that is nearly always sure, and right in six of ten cases: undamped Newton steps overshoot here.
    var random = SplitMix64(seed: 3)
    let labels = (0..<400).map { _ in Int.random(in: 0..<4, using: &random) }
    let rows = labels.flatMap { label -> [Float] in
      let seen =
        Double.random(in: 0..<1, using: &random) < 0.6 ? label : Int.random(in: 0..<4, using: &random)
      return (0..<4).map { $0 == seen ? 0 : -40 }
    }
    let source = Tensor(rows, shape: [400, 4]).logSoftmax(dim: 1)
    let images = Candidates([source], SoftLabels(labels: labels, classes: 4))
    func likelihood(after iterations: Int) -> (Double, [Double]) {
      var model = NoiseModel(classes: 4, exponents: [3])
      model.fit(images, iterations: iterations)
      return (400 * model.logLikelihood(images), model.exponents)
    }
    var last = likelihood(after: 0).0
    for iterations in [1, 2, 4, 8, 16, 32] {
      let (now, exponents) = likelihood(after: iterations)
      // The images and the exponents given beforehand let it fall by a trifle.
      #expect(now > last - 2, "\(iterations)")
      #expect(exponents.allSatisfy { NoiseModel.exponentBounds.contains($0) })
      last = now
    }
    #expect(last > likelihood(after: 0).0 + 10)
  }

  // MARK: All together

  /// Images of eight classes; one in eight of a class looks as the next class does, though it is not of it. Some labels
  /// are changed to any other class, and every eighth is verified.
  private func lookalikes(wrong: Int) -> (data: TrainingSet, isRight: [Bool]) {
    let classes = 8
    let each = 100
    let dimension = 12
    let truth = (0..<(classes * each)).map { $0 / each }
    let looks = truth.indices.map { $0 % 8 == 3 ? (truth[$0] + 1) % classes : truth[$0] }
    let means = Tensor.eye(dimension).narrow(start: 0, count: classes) * 4
    let features = means.indexSelect(Tensor(looks)) + Generator(seed: 5).normal([truth.count, dimension])
    var random = SplitMix64(seed: 6)
    var labels = truth
    for image in truth.indices.shuffled(using: &random).prefix(wrong) {
      labels[image] = (truth[image] + Int.random(in: 2..<classes, using: &random)) % classes
    }
    let isRight = labels.indices.map { labels[$0] == truth[$0] }
    let verified = labels.indices.shuffled(using: &random).prefix(100)
    let data = TrainingSet(
      sound: DenseFeatures(features), labels: labels, classes: classes,
      verifications: verified.sorted().map { VerificationLabel(image: $0, isRight: isRight[$0]) })
    return (data, isRight)
  }

  @Test("copies of an image have one vote together, and are one witness of each other")
  func copies() {
    // Two classes, 20 images each, apart; image 0 stands 31 times more, with the wrong label.
    let generator = Generator(seed: 8)
    let centres = Tensor([3, 0, 0, 3] as [Float], shape: [2, 2])
    let truth = (0..<40).map { $0 % 2 }
    let points = centres.indexSelect(Tensor(truth)) + generator.normal([40, 2]) * 0.3
    let copies = points[0..<1].indexSelect(Tensor([Int](repeating: 0, count: 31)))
    let features = DenseFeatures(.concatenate([points, copies]))
    let labels = truth + [Int](repeating: 1, count: 31)
    let near = NeighborPosterior(features, classes: 2, threads: 2)
    let shares = near(ClassVotes(labels: labels, states: 2)).logShares(Array(labels.indices)).exp()
    let first = shares.select(dim: 1, index: 0).doubles()
    for image in 1..<40 { #expect(truth[image] == 0 ? first[image] > 0.7 : first[image] < 0.3) }
    // By hand: ten neighbors of class 0, the other copies as one of class 1, and one image of the average kind.
    let average = 20.0 / 71
    #expect(abs(first[0] - (10 + average) / 12) < 1e-4)
    // A copy hears of the 30 others of class 1 and the one of class 0.
    #expect(abs(first[50] - (10 + 1.0 / 31 + average) / 12) < 1e-4)
  }

  @Test("looking like another class is no wrong label where verdicts find hardly any")
  func confusable() {
    let (data, isRight) = lookalikes(wrong: 12)
    var configuration = Configuration.extended(dimension: 12)
    configuration.normalization = .none
    let space = FeatureSpace(data, configuration: configuration, threads: 2)
    let finder = EvidenceFinder(data, in: space)
    // A network that has nothing to say.
    let evidence = finder.evidence(
      finder.basis(),
      .init(
        cosines: { .zeros([$0.count, data.classes]) },
        disagreement: Array(repeating: 0, count: data.labels.count)))
    let judged = Judgements(evidence, verifications: data.verifications, count: data.labels.count)
    let odds = judged.probability.map { Double($0) - 0.5 }
    let right = odds.indices.filter { isRight[$0] }.map { odds[$0] }
    let wrong = odds.indices.filter { !isRight[$0] }.map { odds[$0] }
    #expect(rankingProbability(right: right, wrong: wrong) > 0.91)
    #expect(right.count { $0 < 0 } < 20)
  }
}
