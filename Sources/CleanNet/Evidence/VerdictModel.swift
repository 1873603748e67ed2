import Foundation
import Torch

/// The model of verdicts: how far each reading of the evidence is believed.
///
/// A candidate's log-odds z become the probability `σ(a·z + b)`. Its a and b make the verdicts likeliest under a prior,
/// and its weight is the probability of the verdicts given the candidate (Laplace's approximation). Weights are
/// averaged over resampled classes, because images of one class err together (the Bayesian bootstrap of Yao, Vehtari,
/// Simpson and Gelman 2018, with classes as units). So a reading that one class alone prefers does not win everywhere.
/// Probabilities are averaged, not log-odds, so that no reading overrules all others by one huge number.
///
/// On top, `VerdictResiduals` learn the mistakes that all readings share, for images that look like verified ones.
///
/// A person who slips at the rate ε gives a verdict of probability p with the probability `ε + (1 − 2ε)·p`.
///
/// Fitting takes milliseconds. Verified images are judged by models that were fitted without them, so that their
/// probabilities can be compared with their verdicts.
public struct VerdictModel: Sendable, Codable {
  /// A person's answer about one of the images of the evidence.
  public struct Verdict: Sendable, Hashable {
    /// The image's place in the evidence.
    public var row: Int
    public var isRight: Bool
    /// The rate at which the person gives the opposite answer by mistake; see ``VerificationLabel/slipRate``.
    public var slipRate: Double

    public init(row: Int, isRight: Bool, slipRate: Double = 0) {
      self.row = row
      self.isRight = isRight
      self.slipRate = slipRate
    }
  }

  /// One candidate, or two in a fixed mixture, with what verdicts made of it.
  struct Reading: Sendable, Hashable, Codable {
    var first: Int
    /// The open world's candidate, with the share of its log-odds.
    var second: Int?
    var share = 0.0
    var fit: Calibration
    var weight = 0.0
  }

  /// a and b of `σ(a·z + b)`.
  struct Calibration: Sendable, Hashable, Codable {
    var scale: Double
    var intercept: Double
  }

  /// Shares of the open world's log-odds.
  static let openness = [0, 0.25, 0.5, 0.75, 1]
  /// How many verdicts the noisy labels' mean log-likelihood weighs as, between the closed and the open world.
  static let likelihoodVerdicts = 100.0
  /// The prior of log a: sources repeat each other, so about half of each is news.
  static let logScale = (mean: log(0.5), deviation: 1.0)
  /// The prior deviation of b: noise models that know each class's noise need hardly any, a single rate needs more.
  static let interceptDeviation = (fitted: 0.3, even: 1.0)
  /// Before any verdict, log-weights of the worlds.
  static func priorLogWeight(_ world: LabelEvidence.World) -> Double {
    switch world {
    case .closed, .open: log(1 / Double(openness.count))
    case .even, .plain, .plainEven: -1
    }
  }
  static let resamplings = 60
  /// Models for verified images, each fitted without a share of them.
  static let folds = 5

  /// Sorted as they were made; weights sum to 1.
  let readings: [Reading]
  /// Corrections that verdicts make beyond the readings; nil without verdicts, or without directions to compare images by.
  private(set) var residuals: VerdictResiduals?

  /// - Parameter verdicts: Each row at most once.
  public init(_ evidence: LabelEvidence, verdicts: [Verdict], seed: UInt64 = 0) {
    self.init(Problem(evidence, verdicts), seed: seed)
  }

  private init(_ problem: Problem, seed: UInt64) {
    self.init(problem, rows: Array(problem.signs.indices), seed: seed)
    guard let frame = problem.frame, let traits = problem.traits else { return }
    residuals = VerdictResiduals(
      frame: frame, traits: traits, signs: problem.signs, slipRates: problem.slipRates,
      logOdds: problem.probabilities(Array(problem.signs.indices), by: self).map(Self.logit),
      classes: problem.classes,
      weigh: { Self.averagedWeights(logPriors: $0, logLikelihoods: $1, seed: seed) })
  }

  /// The predictions of the readings alone for some verdicts.

  private init(_ problem: Problem, rows: [Int], seed: UInt64) {
    let prepared = problem.readings
    guard !rows.isEmpty else {
      readings = Self.weighted(prepared.map(\.reading), logWeights: prepared.map(\.logPrior))
      return
    }
    let fits = concurrentMap(over: prepared.count, threads: Engine.threads) { place in
      problem.fit(prepared[place], rows: rows)
    }
    let weights = Self.averagedWeights(
      logPriors: fits.map(\.logPrior), logLikelihoods: fits.map(\.logLikelihoods), seed: seed)
    readings = zip(prepared, zip(fits, weights)).map { prepared, found in
      var reading = prepared.reading
      reading.fit = found.0.calibration
      reading.weight = found.1
      return reading
    }
  }

  /// Weights of models by their log-likelihoods, averaged over resampled classes.
  ///
  /// - Parameter logLikelihoods: By model, then by class.
  private static func averagedWeights(
    logPriors: [Double], logLikelihoods: [[Double]], seed: UInt64
  ) -> [Double] {
    let groups = logLikelihoods.first?.count ?? 0
    var random = SplitMix64(seed: seed &+ 0xB007)
    var weights = [Double](repeating: 0, count: logPriors.count)
    for _ in 0..<resamplings {
      let draws = (0..<groups).map { _ in
        -log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random))
      }
      let scale = Double(groups) / draws.reduce(0, +)
      let logs = zip(logPriors, logLikelihoods).map { prior, likelihoods in
        prior + zip(likelihoods, draws).reduce(0) { $0 + $1.0 * $1.1 * scale }
      }
      for (place, weight) in softmax(logs).enumerated() { weights[place] += weight / Double(resamplings) }
    }
    return weights
  }

  private static func weighted(_ readings: [Reading], logWeights: [Double]) -> [Reading] {
    zip(readings, softmax(logWeights)).map { reading, weight in
      var reading = reading
      reading.weight = weight
      return reading
    }
  }

  static func softmax(_ logs: [Double]) -> [Double] {
    let most = logs.max() ?? 0
    let weights = logs.map { exp($0 - most) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  // MARK: Judging

  /// Readings that count less cannot change a probability visibly, and cost as much as others.
  private static let leastWeight = 1e-5

  /// The candidates that probabilities depend on.
  var candidates: Set<Int> {
    let used = readings.filter { $0.weight > Self.leastWeight }
    return Set(used.map(\.first) + used.compactMap(\.second) + (residuals?.frame.candidates ?? []))
  }

  /// The probability that each image's label is right, `evidence.count` of them, without regard to verdicts.
  public func probabilities(_ evidence: LabelEvidence) -> [Float] {
    let read = readProbabilities(evidence)
    return residuals?.probabilities(read, evidence) ?? read
  }

  /// By the readings alone.
  private func readProbabilities(_ evidence: LabelEvidence) -> [Float] {
    withoutGradients {
      let sum = Tensor.zeros([evidence.count])
      for reading in readings where reading.weight > Self.leastWeight {
        var odds = evidence.logOdds[reading.first]
        if let second = reading.second {
          odds = odds * (1 - reading.share) + evidence.logOdds[second] * reading.share
        }
        sum.addInPlace((odds * reading.fit.scale + reading.fit.intercept).sigmoid(), scale: reading.weight)
      }
      let total = readings.reduce(0) { $0 + ($1.weight > Self.leastWeight ? $1.weight : 0) }
      return (sum / total).floats()
    }
  }

  /// The probability that each label is right, verified images judged by models fitted without their verdicts.
  public static func judge(_ evidence: LabelEvidence, verdicts: [Verdict], seed: UInt64 = 0) -> Outcome {
    let problem = Problem(evidence, verdicts)
    let model = VerdictModel(problem, seed: seed)
    var probabilities = model.probabilities(evidence)
    let folds = problem.folds(evidence)
    let held = concurrentMap(over: folds.count, threads: 1) { fold in
      let rest = folds.indices.filter { $0 != fold }.flatMap { folds[$0] }.sorted()
      let readings = VerdictModel(problem, rows: rest, seed: seed)
      guard let residuals = model.residuals, let traits = problem.traits else {
        return problem.probabilities(folds[fold], by: readings)
      }
      let all = problem.probabilities(Array(verdicts.indices), by: readings)
      return residuals.probabilities(
        of: folds[fold], from: rest, traits: traits, signs: problem.signs, slipRates: problem.slipRates,
        logOdds: all.map(Self.logit))
    }
    for (fold, values) in zip(folds, held) {
      for (place, value) in zip(fold, values) { probabilities[verdicts[place].row] = Float(value) }
    }
    return Outcome(model: model, probabilities: probabilities)
  }

  /// The model's predictions for images.
  public struct Outcome: Sendable {
    public var model: VerdictModel
    /// The probability that each label is right: one per image of the evidence.
    public var probabilities: [Float]
  }

  /// The share of the weights that each world has.
  public func weights(_ evidence: LabelEvidence) -> [LabelEvidence.World: Double] {
    var weights: [LabelEvidence.World: Double] = [:]
    for reading in readings {
      weights[evidence.candidates[reading.first].world, default: 0] += reading.weight * (1 - reading.share)
      if reading.second != nil { weights[.open, default: 0] += reading.weight * reading.share }
    }
    return weights
  }
}

// MARK: Fitting

extension VerdictModel {
  /// The verdicts beside the log-odds of their images.
  private struct Problem: Sendable {
    let readings: [Prepared]
    /// +1 for right, −1 for wrong.
    let signs: [Double]
    /// How often whoever gave each verdict is mistaken.
    let slipRates: [Double]
    /// The class of each verdict's label.
    let labels: [Int]
    let classes: Int
    /// The traits by which verified images are compared; nil if there is nothing to compare.
    let frame: EvidenceFrame?
    let traits: ImageTraits?

    struct Prepared: Sendable {
      var reading: Reading
      var interceptDeviation: Double
      var logPrior: Double
      /// The log-odds of the verified images.
      var logOdds: [Double]
    }

    struct Fit: Sendable {
      var calibration: Calibration
      /// The prior of the reading, minus the price of the fit.
      var logPrior: Double
      /// By group of rows.
      var logLikelihoods: [Double]
    }

    init(_ evidence: LabelEvidence, _ verdicts: [Verdict]) {
      signs = verdicts.map { $0.isRight ? 1 : -1 }
      slipRates = verdicts.map(\.slipRate)
      labels = verdicts.map { evidence.labels[$0.row] }
      classes = evidence.classes
      frame = verdicts.isEmpty || evidence.coordinates == nil ? nil : EvidenceFrame(evidence)
      traits = frame?.traits(of: verdicts.map(\.row), in: evidence)
      let columns = Tensor(verdicts.map(\.row))
      let odds = withoutGradients {
        verdicts.isEmpty
          ? evidence.candidates.map { _ in [] }
          : evidence.candidates.indices.map { evidence.logOdds[$0].indexSelect(columns).doubles() }
      }
      let open = Dictionary(
        evidence.candidates.indices.filter { evidence.candidates[$0].world == .open }
          .map { (evidence.candidates[$0].sharpness, $0) }, uniquingKeysWith: { first, _ in first })
      readings = evidence.candidates.indices.flatMap { place -> [Prepared] in
        let candidate = evidence.candidates[place]
        guard candidate.world != .open else { return [] }
        let isEven = candidate.world == .even || candidate.world == .plainEven
        func prepared(_ second: Int?, _ share: Double, gain: Double) -> Prepared {
          Prepared(
            reading: Reading(
              first: place, second: second, share: share,
              fit: Calibration(scale: exp(logScale.mean), intercept: candidate.intercept)),
            interceptDeviation: isEven ? interceptDeviation.even : interceptDeviation.fitted,
            logPrior: priorLogWeight(candidate.world) + gain * share,
            logOdds: second.map { second in
              zip(odds[place], odds[second]).map { $0 * (1 - share) + $1 * share }
            } ?? odds[place])
        }
        guard candidate.world == .closed, let second = open[candidate.sharpness] else {
          return [prepared(nil, 0, gain: 0)]
        }
        let gain =
          likelihoodVerdicts
          * (evidence.candidates[second].logLikelihood - candidate.logLikelihood)
        return openness.map { prepared($0 > 0 ? second : nil, $0, gain: gain) }
      }
    }

    /// Places of `rows`, by the class of their labels.
    func groups(of rows: [Int]) -> [[Int]] {
      Dictionary(grouping: rows.indices) { labels[rows[$0]] }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Shares of the verdicts, with as many right and as many wrong ones each, of every class where that is possible. A
    /// fold with more right ones would leave fewer to learn from, and its images would look wrong for that alone.
    func folds(_ evidence: LabelEvidence) -> [[Int]] {
      var folds = [[Int]](repeating: [], count: min(VerdictModel.folds, signs.count))
      guard folds.count > 1 else { return [] }
      let strata = Dictionary(grouping: signs.indices) { [signs[$0] > 0 ? 1 : 0, labels[$0]] }
      var next = 0
      for (_, places) in strata.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        for place in places {
          folds[next % folds.count].append(place)
          next += 1
        }
      }
      return folds
    }

    func probabilities(_ places: [Int], by model: VerdictModel) -> [Double] {
      var sums = [Double](repeating: 0, count: places.count)
      for (prepared, reading) in zip(readings, model.readings) where reading.weight > 0 {
        for (index, place) in places.enumerated() {
          let z = reading.fit.scale * prepared.logOdds[place] + reading.fit.intercept
          sums[index] += reading.weight / (1 + exp(-z))
        }
      }
      return sums
    }

    /// The most probable a and b, and the evidence for the reading by Laplace's approximation.
    func fit(_ prepared: Prepared, rows: [Int]) -> Fit {
      let odds = rows.map { prepared.logOdds[$0] }
      let signs = rows.map { self.signs[$0] }
      let slipRates = rows.map { self.slipRates[$0] }
      let prior = (
        scale: logScale.mean, scaleDeviation: logScale.deviation, intercept: prepared.reading.fit.intercept,
        interceptDeviation: prepared.interceptDeviation
      )
      /// Gradient and Hessian of the loss in (log a, b).
      func loss(_ logScale: Double, _ intercept: Double) -> (
        value: Double, gradient: (Double, Double), hessian: (Double, Double, Double)
      ) {
        let scale = exp(logScale)
        let distance = (
          (logScale - prior.scale) / prior.scaleDeviation,
          (intercept - prior.intercept) / prior.interceptDeviation
        )
        var value = 0.5 * (distance.0 * distance.0 + distance.1 * distance.1)
        var gradient = (distance.0 / prior.scaleDeviation, distance.1 / prior.interceptDeviation)
        var hessian = (
          1 / (prior.scaleDeviation * prior.scaleDeviation), 0.0,
          1 / (prior.interceptDeviation * prior.interceptDeviation)
        )
        for place in odds.indices {
          let sign = signs[place]
          let scaled = scale * odds[place]
          let margin = sign * (scaled + intercept)
          value -= VerdictModel.logLikelihood(margin, slipRate: slipRates[place])
          let (missing, curvature) = VerdictModel.slope(margin, slipRate: slipRates[place])
          gradient.0 -= missing * sign * scaled
          gradient.1 -= missing * sign
          hessian.0 += curvature * scaled * scaled - missing * sign * scaled
          hessian.1 += curvature * scaled
          hessian.2 += curvature
        }
        return (value, gradient, hessian)
      }
      var point = (prior.scale, prior.intercept)
      var current = loss(point.0, point.1)
      for _ in 0..<50 {
        // Where the loss is not convex in log a, the curvature is made positive; steps are halved until they help.
        let first = max(current.hessian.0, 0.1)
        let determinant = first * current.hessian.2 - current.hessian.1 * current.hessian.1
        let (g0, g1) = current.gradient
        var step =
          determinant > 1e-9
          ? (
            (current.hessian.2 * g0 - current.hessian.1 * g1) / determinant,
            (first * g1 - current.hessian.1 * g0) / determinant
          ) : (g0 / first, g1 / current.hessian.2)
        let longest = max(abs(step.0), abs(step.1))
        if longest > 2 { step = (step.0 * 2 / longest, step.1 * 2 / longest) }
        var factor = 1.0
        var next = loss(point.0 - step.0, point.1 - step.1)
        while next.value > current.value, factor > 1e-4 {
          factor /= 2
          next = loss(point.0 - factor * step.0, point.1 - factor * step.1)
        }
        guard next.value <= current.value else { break }
        point = (point.0 - factor * step.0, point.1 - factor * step.1)
        let gained = current.value - next.value
        current = next
        if gained < 1e-9 { break }
      }
      let scale = exp(point.0)
      let determinant = max(
        1e-6, current.hessian.0 * current.hessian.2 - current.hessian.1 * current.hessian.1)
      let distance = (
        (point.0 - prior.scale) / prior.scaleDeviation, (point.1 - prior.intercept) / prior.interceptDeviation
      )
      let price =
        0.5 * (distance.0 * distance.0 + distance.1 * distance.1)
        + log(prior.scaleDeviation * prior.interceptDeviation) + 0.5 * log(determinant)
      return Fit(
        calibration: Calibration(scale: scale, intercept: point.1), logPrior: prepared.logPrior - price,
        logLikelihoods: groups(of: rows).map { places in
          places.reduce(0) { sum, place in
            sum
              + VerdictModel.logLikelihood(
                signs[place] * (scale * odds[place] + point.1), slipRate: slipRates[place])
          }
        })
    }
  }

  /// Of a verdict whose side the model gives these log-odds, by a person who is mistaken so often.
  static func logLikelihood(_ margin: Double, slipRate: Double) -> Double {
    slipRate > 0 ? log(slipRate + (1 - 2 * slipRate) * sigmoid(margin)) : -softplus(-margin)
  }

  /// The derivative of ``logLikelihood(_:slipRate:)``, and the Fisher information that stands for its curvature.
  static func slope(_ margin: Double, slipRate: Double) -> (gradient: Double, curvature: Double) {
    let probability = sigmoid(margin)
    guard slipRate > 0 else { return (1 - probability, probability * (1 - probability)) }
    let said = slipRate + (1 - 2 * slipRate) * probability
    let change = (1 - 2 * slipRate) * probability * (1 - probability)
    return (change / said, change * change / (said * (1 - said)))
  }

  static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

  static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// Of a probability that was rounded to 0 or 1, a large number.
  static func logit(_ probability: Double) -> Double {
    let inside = min(1 - 1e-4, max(1e-4, probability))
    return log(inside / (1 - inside))
  }
}
