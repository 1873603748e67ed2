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
    precondition(sources.count == exponents.count && !sources.isEmpty, "a source has no exponent")
    let weighted = zip(sources, exponents).map { $0 * ($1 * sharpness) }
    return weighted.dropFirst().reduce(weighted[0], +).logSoftmax(dim: 1)
  }

  /// log p(s | x) + log T[s, y]: the joint of true state and noisy label, `[N, E]`.
  func logJoint(_ logPosterior: Tensor, _ labels: SoftLabels) -> Tensor {
    logPosterior + transition.clamped(min: 1e-12).log().transposed().indexSelect(labels.labels)
  }

  /// The beliefs about the true state that follow, verdicts included: `[N, E]`.
  func beliefs(_ logPosterior: Tensor, _ labels: SoftLabels) -> Tensor {
    SoftLabels.normalized(logJoint(logPosterior, labels).softmax(dim: 1) * labels.allowed)
  }

  /// The mean log-likelihood of the noisy labels.
  func logLikelihood(_ logPosterior: Tensor, _ labels: SoftLabels) -> Double {
    logJoint(logPosterior, labels).logSumExp(dim: 1).mean().item
  }

  /// The log-odds that each noisy label is right, the image's own verdict left out: `[N]`.
  func logOdds(_ logPosterior: Tensor, _ labels: SoftLabels) -> Tensor {
    let joint = logJoint(logPosterior, labels)
    let own = labels.labels.unsqueezed(dim: 1)
    let isOwn = labels.labels.oneHot(classes: labels.states).to(.bool)
    return joint.gather(dim: 1, own).squeezed(dim: 1) - joint.masked(isOwn, with: -1e9).logSumExp(dim: 1)
  }

  /// Fits T to a posterior.
  mutating func fitTransition(_ logPosterior: Tensor, _ labels: SoftLabels, iterations: Int = 15) {
    for _ in 0..<iterations { updateTransition(beliefs(logPosterior, labels), labels) }
  }

  /// Fits T and α.
  mutating func fit(_ sources: [Tensor], _ labels: SoftLabels, iterations: Int = 15) {
    for _ in 0..<iterations {
      let logPosterior = logPosterior(sources)
      let beliefs = beliefs(logPosterior, labels)
      updateTransition(beliefs, labels)
      updateExponents(sources, logPosterior.exp(), beliefs)
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
    let states = beliefs(logPosterior, labels).mean(dim: 0).narrow(start: 0, count: labels.classes)
    let right = (transition.narrow(start: 0, count: labels.classes) * .eye(labels.classes)).sum(dim: 1)
    return (states * right).sum().item / max(states.sum().item, 1e-9)
  }

  private mutating func updateTransition(_ beliefs: Tensor, _ labels: SoftLabels) {
    let byLabel = Tensor.zeros([labels.classes, labels.states])
    byLabel.indexAddInPlace(dim: 0, index: labels.labels, beliefs)
    let counts = byLabel.transposed()
    let known = counts.narrow(start: 0, count: labels.classes)
    let kept = (known * .eye(labels.classes)).sum().item / max(known.sum().item, 1e-9)
    let expected = Self.evenTransition(kept: kept, labels)
    transition = SoftLabels.normalized(counts + expected * Self.prior)
  }

  /// A step of Newton's method on `Σ_i Σ_s beliefs · log p(s | x)`, which is concave in α.
  private mutating func updateExponents(_ sources: [Tensor], _ posterior: Tensor, _ beliefs: Tensor) {
    let count = sources.count
    let gradient = sources.map { ((beliefs - posterior) * $0).sum().item }
    let means = sources.map { (posterior * $0).sum(dim: 1, keepDim: true) }
    var curvature = [[Double]](repeating: Array(repeating: 0, count: count), count: count)
    for i in 0..<count {
      for j in 0...i {
        let value = (posterior * (sources[i] - means[i]) * (sources[j] - means[j])).sum().item
        (curvature[i][j], curvature[j][i]) = (value, value)
      }
    }
    let trace = (0..<count).reduce(0) { $0 + curvature[$1][$1] }
    for i in 0..<count { curvature[i][i] += 1e-6 * trace + 1e-12 }
    let step = Tensor(curvature.flatMap { $0 }, shape: [count, count])
      .solve(Tensor(gradient, shape: [count, 1])).doubles()
    // A source may be ignored, never turned round.
    exponents = zip(exponents, step).map { max(0.01, $0 + $1) }
  }
}
