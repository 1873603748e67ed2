import Foundation
import Torch

/// How labels go wrong: the probability T[s, y] that an image of state s (a class, or none of them) carries the label
/// y. It also knows how far to believe each source of evidence about s.
///
/// Sources are logarithms of posteriors of the states, each from a model that has not seen the image's own label: see
/// ``Candidates``. The posterior is `p(s | x) ∝ exp(Σ_k α_k · l_k[s])`, and the noisy label's likelihood is
/// `Σ_s p(s | x) T[s, y]`. Both T and α maximize it: T by expectation maximization (Dawid & Skene 1979, with one
/// annotator), α by damped Newton steps on the same bound. Then the label is right with probability `p(y | x) T[y, y] /
/// Σ_s p(s | x) T[s, y]`: what is decided at ½ needs no threshold from other classes, because each class's noise is in
/// T.
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

  /// p(s | x) of a piece's candidates and bundles, as logarithms: `[n, m + B]`.
  func logPosterior(_ piece: CandidatePiece, sharpness: Double = 1) -> Tensor {
    precondition(piece.sources.count == exponents.count, "a source has no exponent")
    let weighted = zip(piece.sources, exponents).map { $0.to(.float32) * ($1 * sharpness) }
    let sum = weighted.dropFirst().reduce(weighted[0], +)
    if let weights = piece.weights {
      sum.narrow(dim: 1, start: piece.candidates, count: weights.size(1)).addInPlace(weights)
    }
    return sum.logSoftmax(dim: 1)
  }

  /// The posterior of an image's class, combined with its noisy label.
  struct Posterior {
    /// The beliefs about the true state: `[n, m + B]`.
    var beliefs: Tensor
    /// The log-odds that each noisy label is right: `[n]`.
    var logOdds: Tensor
    /// The sum of the noisy labels' log-likelihoods.
    var logLikelihood: Double
  }

  /// - Parameters:
  ///   - logPosterior: Of the piece: see ``logPosterior(_:sharpness:)``.
  ///   - columns: Of this model.
  func judge(_ piece: CandidatePiece, _ logPosterior: Tensor, _ columns: TransitionColumns) -> Posterior {
    let joint = logPosterior + columns.likelihoods(piece).log()
    let total = joint.logSumExp(dim: 1, keepDim: true)
    let own = joint.select(dim: 1, index: 0)
    return Posterior(
      beliefs: (joint - total).exp(), logOdds: own - Self.others(joint), logLikelihood: total.sum().item)
  }

  /// Of all but the first candidate, which is the label.
  private static func others(_ joint: Tensor) -> Tensor {
    let others = joint.size(1) - 1
    guard others > 0 else { return .full([joint.size(0)], -1e9) }
    return joint.narrow(dim: 1, start: 1, count: others).logSumExp(dim: 1)
  }

  /// Fits T to a posterior.
  ///
  /// - Parameter sharpness: A factor on α.
  mutating func fitTransition(_ images: Candidates, sharpness: Double = 1, iterations: Int = 15) {
    let model = self
    let posteriors = images.map { model.logPosterior($0, sharpness: sharpness).exp() }
    for _ in 0..<iterations {
      let columns = TransitionColumns(transition, images.labels)
      let runs = concurrentMap(over: posteriors.count, threads: Engine.threads, engineThreads: 1) { number in
        withoutGradients {
          let piece = images.pieces[number]
          let likelihoods = columns.likelihoods(piece)
          let joint = posteriors[number] * likelihoods
          return columns.runs(
            piece, beliefs: joint / joint.sum(dim: 1, keepDim: true).clamped(min: 1e-30), likelihoods)
        }
      }
      updateTransition(columns.sum(runs), images.labels)
    }
  }

  /// Fits T and α.
  ///
  /// log α has a normal prior about its start. A step that makes the noisy labels less likely is taken back by half until
  /// it does not, and α stays within ``exponentBounds``: a source may be ignored, never turned round or taken as proof.
  mutating func fit(_ images: Candidates, iterations: Int = 15) {
    let start = exponents
    var last: (objective: Double, exponents: [Double])?
    for _ in 0..<iterations {
      let expected = expectations(images)
      let objective = expected.logLikelihood + logPrior(about: start)
      if let last, objective < last.objective - 1e-6 * abs(last.objective) {
        exponents = zip(exponents, last.exponents).map { ($0 * $1).squareRoot() }
        continue
      }
      last = (objective, exponents)
      updateTransition(expected.counts, images.labels)
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

  private func expectations(_ images: Candidates) -> Expectations {
    let columns = TransitionColumns(transition, images.labels)
    let model = self
    let parts = images.map { piece in
      let posterior = model.logPosterior(piece).exp()
      let likelihoods = columns.likelihoods(piece)
      let joint = posterior * likelihoods
      let total = joint.sum(dim: 1, keepDim: true).clamped(min: 1e-30)
      let beliefs = joint / total
      let surplus = beliefs - posterior
      let sources = piece.sources.map { $0.to(.float32) }
      let centered = sources.map { $0 - (posterior * $0).sum(dim: 1, keepDim: true) }
      let weighted = centered.map { posterior * $0 }
      return (
        runs: columns.runs(piece, beliefs: beliefs, likelihoods), logLikelihood: total.log().sum().item,
        gradient: sources.map { (surplus * $0).sum().item },
        curvature: centered.indices.map { i in (0...i).map { j in (weighted[i] * centered[j]).sum().item } }
      )
    }
    let first = parts[0]
    var sum = Expectations(
      counts: columns.sum(parts.map(\.runs)), logLikelihood: first.logLikelihood, gradient: first.gradient,
      curvature: first.curvature)
    for part in parts.dropFirst() {
      sum.logLikelihood += part.logLikelihood
      sum.gradient = zip(sum.gradient, part.gradient).map(+)
      sum.curvature = zip(sum.curvature, part.curvature).map { zip($0, $1).map(+) }
    }
    return sum
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
  /// - Parameter sharpness: A factor on α.
  func kept(_ images: Candidates, sharpness: Double) -> Double {
    let columns = TransitionColumns(transition, images.labels)
    let runs = images.map { piece in
      let likelihoods = columns.likelihoods(piece)
      let joint = logPosterior(piece, sharpness: sharpness).exp() * likelihoods
      return columns.runs(
        piece, beliefs: joint / joint.sum(dim: 1, keepDim: true).clamped(min: 1e-30), likelihoods)
    }
    let classes = images.labels.classes
    let states = columns.sum(runs).sum(dim: 0).narrow(start: 0, count: classes)
    let right = (transition.narrow(start: 0, count: classes) * .eye(classes)).sum(dim: 1)
    return (states * right).sum().item / max(states.sum().item, 1e-9)
  }

  /// The mean log-likelihood of the noisy labels.
  ///
  /// - Parameter sharpness: A factor on α.
  func logLikelihood(_ images: Candidates, sharpness: Double = 1) -> Double {
    let columns = TransitionColumns(transition, images.labels)
    let sums = images.map { piece in
      (logPosterior(piece, sharpness: sharpness).exp() * columns.likelihoods(piece)).sum(dim: 1)
        .clamped(min: 1e-30).log().sum().item
    }
    return sums.reduce(0, +) / Double(max(1, images.count))
  }

  /// The log-odds that each label is right under ``evenTransition(kept:_:)``, less those of `kept` itself: `[n]`.
  ///
  /// - Parameter logPosterior: Of a piece of a world that knows classes alone.
  static func evenLogOdds(_ piece: CandidatePiece, _ logPosterior: Tensor, _ labels: SoftLabels) -> Tensor {
    let states = piece.states.to(.int64).reshaped([-1])
    var others = (1 - labels.frequencies).clamped(min: 1e-9).log().indexSelect(states)
      .reshaped(piece.states.shape)
    if piece.weights != nil {
      let each = Tensor(piece.tailShares) / Double(max(1, labels.states - piece.candidates))
      let tail = (1 - each).clamped(min: 1e-9).log().unsqueezed(dim: 1)
      others = .concatenate(
        [others, tail.expanded([piece.rows.count, piece.width - piece.candidates])], dim: 1)
    }
    let frequencies = labels.frequencies.clamped(min: 1e-12).log().indexSelect(Tensor(piece.labels))
    return logPosterior.select(dim: 1, index: 0) - Self.others(logPosterior - others) - frequencies
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
