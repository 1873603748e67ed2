import Foundation
import Torch

/// How labels go wrong: the probability T[s, y] that an image of state s (a class, or none of them) carries the label y,
/// together with how far each source of evidence about s is to be believed.
///
/// Sources are logarithms of posteriors of the states, `[N, E]`, each from a model that has not seen the image's own
/// label. The posterior is `p(s | x) ∝ exp(Σ_k α_k · l_k[s])`, and the noisy label's likelihood is
/// `Σ_s p(s | x) T[s, y]`. Both T and α maximise it: T by expectation maximisation (Dawid & Skene 1979, with one
/// annotator), α by damped Newton steps on the same bound. Then the label is right with probability `p(y | x) T[y, y] / Σ_s p(s | x) T[s, y]`: what is decided at ½
/// needs no threshold from other classes, because each class's noise is in T.
struct NoiseModel: Sendable {
  /// T: `[E, C]`, rows sum to 1.
  var transition: Tensor
  /// α, one a source.
  var exponents: [Double]

  /// Images that each row of T is given beforehand, spread as the rows are on the average: rare classes lean on it.
  static let prior = 10.0

  /// Labels are right with probability 0.6, wrong ones spread evenly: only a start.
  init(classes: Int, exponents: [Double]) {
    let wrong = 0.4 / Double(max(1, classes - 1))
    transition = Tensor.full([classes, classes], wrong) + Tensor.eye(classes) * (0.6 - wrong)
    self.exponents = exponents
  }

  /// The same with a row for images of no class: they carry labels as often as anything does.
  func opened(_ labels: SoftLabels) -> NoiseModel {
    var open = self
    open.transition = .concatenate([transition, labels.frequencies.unsqueezed(dim: 0)])
    return open
  }

  /// p(s | x): `[N, E]`, as logarithms.
  func logPosterior(_ sources: [Tensor], sharpness: Double = 1) -> Tensor {
    .concatenate(
      Self.pieces(sources[0].size(0), sources[0].size(1)) { rows in
        logPosterior(of: sources.map { $0[rows] }, sharpness)
      })
  }

  private func logPosterior(of sources: [Tensor], _ sharpness: Double = 1) -> Tensor {
    precondition(sources.count == exponents.count && !sources.isEmpty, "a source has no exponent")
    let weighted = zip(sources, exponents).map { $0 * ($1 * sharpness) }
    return weighted.dropFirst().reduce(weighted[0], +).logSoftmax(dim: 1)
  }

  /// log T by label: `[C, E]`.
  private var logLikelihoods: Tensor { transition.clamped(min: 1e-12).log().transposed().contiguous() }

  /// What a posterior and a noisy label say together.
  struct Judgement {
    /// The beliefs about the true state: `[N, E]`.
    var beliefs: Tensor
    /// The log-odds that each noisy label is right: `[N]`.
    var logOdds: Tensor
    /// The mean log-likelihood of the noisy labels.
    var logLikelihood: Double
  }

  func judge(_ logPosterior: Tensor, _ labels: SoftLabels) -> Judgement {
    let likelihoods = logLikelihoods
    let pieces = Self.pieces(labels.count, labels.states) { rows in
      let own = labels.labels[rows]
      let joint = logPosterior[rows] + likelihoods.indexSelect(own)
      let total = joint.logSumExp(dim: 1, keepDim: true)
      let others = joint.masked(own.oneHot(classes: labels.states).to(.bool), with: -1e9).logSumExp(dim: 1)
      return Judgement(
        beliefs: (joint - total).exp(),
        logOdds: joint.gather(dim: 1, own.unsqueezed(dim: 1)).squeezed(dim: 1) - others,
        logLikelihood: total.sum().item)
    }
    return Judgement(
      beliefs: .concatenate(pieces.map(\.beliefs)), logOdds: .concatenate(pieces.map(\.logOdds)),
      logLikelihood: pieces.reduce(0) { $0 + $1.logLikelihood } / Double(labels.count))
  }

  /// Fits T to a posterior.
  ///
  /// The beliefs in state s of the images of label y sum to T[s, y] · Σ p[s] / (p · T[:, y]), p their posteriors: two
  /// products of a matrix and a vector for each label.
  mutating func fitTransition(_ logPosterior: Tensor, _ labels: SoftLabels, iterations: Int = 15) {
    let groups = labels.byLabel(
      .concatenate(Self.pieces(labels.count, labels.states) { rows in logPosterior[rows].exp() }))
    for _ in 0..<iterations {
      let likelihoods = transition.clamped(min: 1e-12).transposed().contiguous()
      let sums = groups.indices.map { label in
        let (posteriors, likelihood) = (groups[label], likelihoods[label])
        let joint = posteriors.matmul(likelihood).clamped(min: 1e-30)
        return likelihood * posteriors.transposed().matmul(joint.reciprocal())
      }
      updateTransition(.stack(sums), labels)
    }
  }

  /// Fits T and α.
  ///
  /// log α has a normal prior about its start. A step that makes the noisy labels less likely is taken back by half until
  /// it does not, and α stays within ``exponentBounds``: a source may be ignored, never turned round or taken as proof.
  mutating func fit(_ sources: [Tensor], _ labels: SoftLabels, iterations: Int = 15) {
    let start = exponents
    var last: (objective: Double, exponents: [Double])?
    for _ in 0..<iterations {
      let expected = expectations(sources, labels)
      let objective = expected.logLikelihood + logPrior(about: start)
      if let last, objective < last.objective - 1e-6 * abs(last.objective) {
        exponents = zip(exponents, last.exponents).map { ($0 * $1).squareRoot() }
        continue
      }
      last = (objective, exponents)
      updateTransition(expected.counts, labels)
      updateExponents(expected, about: start)
    }
  }

  /// How far log α may move by chance: the precision of its prior.
  static let exponentPrecision = 4.0
  static let exponentBounds = 0.01...3
  /// The largest step of log α.
  static let largestStep = 0.5

  private func logPrior(about start: [Double]) -> Double {
    zip(exponents, start).reduce(0) { sum, pair in
      let distance = log(pair.0 / pair.1)
      return sum - 0.5 * Self.exponentPrecision * distance * distance
    }
  }

  /// Sums over the images under the present T and α.
  private struct Expectations {
    /// The beliefs by label: `[C, E]`.
    var counts: Tensor
    /// Of the noisy labels.
    var logLikelihood: Double
    /// The bound's gradient in α, and minus its Hessian.
    var gradient: [Double]
    var curvature: [[Double]]
  }

  private func expectations(_ sources: [Tensor], _ labels: SoftLabels) -> Expectations {
    let likelihoods = logLikelihoods
    let parts = Self.pieces(labels.count, labels.states) { rows in
      let (own, sources) = (labels.labels[rows], sources.map { $0[rows] })
      let logPosterior = logPosterior(of: sources)
      let posterior = logPosterior.exp()
      let joint = logPosterior + likelihoods.indexSelect(own)
      let total = joint.logSumExp(dim: 1, keepDim: true)
      let beliefs = (joint - total).exp()
      let counts = Tensor.zeros([labels.classes, labels.states])
      counts.indexAddInPlace(dim: 0, index: own, beliefs)
      let surplus = beliefs - posterior
      let centred = sources.map { $0 - (posterior * $0).sum(dim: 1, keepDim: true) }
      let weighted = centred.map { posterior * $0 }
      return Expectations(
        counts: counts, logLikelihood: total.sum().item, gradient: sources.map { (surplus * $0).sum().item },
        curvature: centred.indices.map { i in (0...i).map { j in (weighted[i] * centred[j]).sum().item } })
    }
    return parts.dropFirst().reduce(into: parts[0]) { sum, part in
      sum.counts.addInPlace(part.counts)
      sum.logLikelihood += part.logLikelihood
      sum.gradient = zip(sum.gradient, part.gradient).map(+)
      sum.curvature = zip(sum.curvature, part.curvature).map { zip($0, $1).map(+) }
    }
  }

  /// What `body` makes of consecutive rows of tables of images × states, small enough to stay in a processor's cache:
  /// there are many steps for each number.
  private static func pieces<Value: Sendable>(
    _ count: Int, _ states: Int, _ body: @escaping @Sendable (Range<Int>) -> Value
  ) -> [Value] {
    let size = max(64, (1 << 17) / max(1, states))
    let pieces = max(1, (count + size - 1) / size)
    return concurrentMap(over: pieces, threads: Engine.threads) { piece in
      withoutGradients { body(piece * size..<min((piece + 1) * size, count)) }
    }
  }

  /// A T that knows no classes: labels of all are right with one probability, and wrong ones go as labels are frequent.
  static func evenTransition(kept: Double, _ labels: SoftLabels) -> Tensor {
    let frequencies = labels.frequencies
    let others = (1 - frequencies).clamped(min: 1e-9).unsqueezed(dim: 1)
    let wrong = frequencies.unsqueezed(dim: 0) * (1 - kept) / others
    let diagonal = Tensor.eye(labels.classes)
    let known = wrong * (1 - diagonal) + diagonal * kept
    return labels.states > labels.classes
      ? .concatenate([known, frequencies.unsqueezed(dim: 0)]) : known
  }

  /// The probability that a label is right, averaged over the images of known classes.
  ///
  /// - Parameter beliefs: `[N, E]`
  func kept(_ beliefs: Tensor, _ labels: SoftLabels) -> Double {
    let states = beliefs.mean(dim: 0).narrow(start: 0, count: labels.classes)
    let right = (transition.narrow(start: 0, count: labels.classes) * .eye(labels.classes)).sum(dim: 1)
    return (states * right).sum().item / max(states.sum().item, 1e-9)
  }

  /// The log-odds that each label is right under ``evenTransition(kept:_:)``, less those of `kept` itself: `[N]`.
  ///
  /// - Parameter logPosterior: Of the classes alone: `[N, C]`.
  static func evenLogOdds(_ logPosterior: Tensor, _ labels: SoftLabels) -> Tensor {
    let frequencies = labels.frequencies.clamped(min: 1e-12)
    let others = (1 - labels.frequencies).clamped(min: 1e-9).log()
    return .concatenate(
      pieces(labels.count, labels.states) { rows in
        let own = labels.labels[rows]
        let posterior = logPosterior[rows]
        let wrong = (posterior - others)
          .masked(own.oneHot(classes: labels.states).to(.bool), with: -1e9).logSumExp(dim: 1)
        return posterior.gather(dim: 1, own.unsqueezed(dim: 1)).squeezed(dim: 1) - wrong
          - frequencies.log().indexSelect(own)
      })
  }

  /// - Parameter byLabel: The beliefs, summed by label: `[C, E]`.
  private mutating func updateTransition(_ byLabel: Tensor, _ labels: SoftLabels) {
    let counts = byLabel.transposed()
    let known = counts.narrow(start: 0, count: labels.classes)
    let kept = (known * .eye(labels.classes)).sum().item / max(known.sum().item, 1e-9)
    let expected = Self.evenTransition(kept: kept, labels)
    transition = SoftLabels.normalized(counts + expected * Self.prior)
  }

  /// A step of Newton's method on `Σ_i Σ_s beliefs · log p(s | x)` and the prior, in log α.
  private mutating func updateExponents(_ expected: Expectations, about start: [Double]) {
    let count = exponents.count
    // By the chain rule: d/d log α = α · d/dα; the curvature has the gradient on its diagonal.
    let gradient = (0..<count).map { k in
      exponents[k] * expected.gradient[k] - Self.exponentPrecision * log(exponents[k] / start[k])
    }
    var curvature = (0..<count).map { i in
      (0..<count).map { j in exponents[i] * exponents[j] * expected.curvature[max(i, j)][min(i, j)] }
    }
    for k in 0..<count {
      curvature[k][k] += Self.exponentPrecision + max(0, -exponents[k] * expected.gradient[k]) + 1e-6
    }
    var step = Tensor(curvature.flatMap { $0 }, shape: [count, count])
      .solve(Tensor(gradient, shape: [count, 1])).doubles()
    let largest = step.map(abs).max() ?? 0
    guard largest.isFinite else { return }
    if largest > Self.largestStep { step = step.map { $0 * Self.largestStep / largest } }
    exponents = zip(exponents, step).map { exponent, step in
      min(Self.exponentBounds.upperBound, max(Self.exponentBounds.lowerBound, exponent * exp(step)))
    }
  }
}
