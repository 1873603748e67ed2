import Foundation
import Torch

/// How labels go wrong: the probability T[s, y] that an image of state s (a class, or none of them) carries the label y,
/// together with how far each source of evidence about s is to be believed.
///
/// Sources are logarithms of posteriors of the states, `[N, E]`, each from a model that has not seen the image's own
/// label. The posterior is `p(s | x) ∝ exp(Σ_k α_k · l_k[s])`, and the noisy label's likelihood is
/// `Σ_s p(s | x) T[s, y]`. Both T and α maximise it: T by expectation maximisation (Dawid & Skene 1979, with one
/// annotator), α by Newton's steps on the same bound. Verified images take part with the states that their verdicts
/// allow. Then the label is right with probability `p(y | x) T[y, y] / Σ_s p(s | x) T[s, y]`: what is decided at ½
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
    /// The beliefs about the true state, verdicts included: `[N, E]`.
    var beliefs: Tensor
    /// The log-odds that each noisy label is right, the image's own verdict left out: `[N]`.
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
        beliefs: SoftLabels.normalized((joint - total).exp() * labels.allowed[rows]),
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
      .concatenate(
        Self.pieces(labels.count, labels.states) { rows in logPosterior[rows].exp() * labels.allowed[rows] }))
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
  mutating func fit(_ sources: [Tensor], _ labels: SoftLabels, iterations: Int = 15) {
    for _ in 0..<iterations {
      let expected = expectations(sources, labels)
      updateTransition(expected.counts, labels)
      updateExponents(expected)
    }
  }

  /// Sums over the images under the present T and α.
  private struct Expectations {
    /// The beliefs by label: `[C, E]`.
    var counts: Tensor
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
      let joint = (logPosterior + likelihoods.indexSelect(own)).softmax(dim: 1)
      let beliefs = SoftLabels.normalized(joint * labels.allowed[rows])
      let counts = Tensor.zeros([labels.classes, labels.states])
      counts.indexAddInPlace(dim: 0, index: own, beliefs)
      let surplus = beliefs - posterior
      let centred = sources.map { $0 - (posterior * $0).sum(dim: 1, keepDim: true) }
      let weighted = centred.map { posterior * $0 }
      return Expectations(
        counts: counts, gradient: sources.map { (surplus * $0).sum().item },
        curvature: centred.indices.map { i in (0...i).map { j in (weighted[i] * centred[j]).sum().item } })
    }
    return parts.dropFirst().reduce(into: parts[0]) { sum, part in
      sum.counts.addInPlace(part.counts)
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

  /// The probability that a label is right, in the mean over the images of known classes.
  func kept(_ logPosterior: Tensor, _ labels: SoftLabels) -> Double {
    let states = judge(logPosterior, labels).beliefs.mean(dim: 0).narrow(start: 0, count: labels.classes)
    let right = (transition.narrow(start: 0, count: labels.classes) * .eye(labels.classes)).sum(dim: 1)
    return (states * right).sum().item / max(states.sum().item, 1e-9)
  }

  /// - Parameter byLabel: The beliefs, summed by label: `[C, E]`.
  private mutating func updateTransition(_ byLabel: Tensor, _ labels: SoftLabels) {
    let counts = byLabel.transposed()
    let known = counts.narrow(start: 0, count: labels.classes)
    let kept = (known * .eye(labels.classes)).sum().item / max(known.sum().item, 1e-9)
    let expected = Self.evenTransition(kept: kept, labels)
    transition = SoftLabels.normalized(counts + expected * Self.prior)
  }

  /// A step of Newton's method on `Σ_i Σ_s beliefs · log p(s | x)`, which is concave in α.
  private mutating func updateExponents(_ expected: Expectations) {
    let count = exponents.count
    var curvature = expected.curvature
    for i in 0..<count { curvature[i] += (i + 1..<count).map { expected.curvature[$0][i] } }
    let trace = (0..<count).reduce(0) { $0 + curvature[$1][$1] }
    for i in 0..<count { curvature[i][i] += 1e-6 * trace + 1e-12 }
    let step = Tensor(curvature.flatMap { $0 }, shape: [count, count])
      .solve(Tensor(expected.gradient, shape: [count, 1])).doubles()
    // A source may be ignored, never turned round.
    exponents = zip(exponents, step).map { max(0.01, $0 + $1) }
  }
}
