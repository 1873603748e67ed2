import Foundation
import Torch

/// What can be known of the images' true classes: features, noisy labels and verdicts, and in the end the network's
/// softmax, brought together by noise models. Rows are those of the space.
///
/// Two worlds are looked at: a closed one, in which every image is of one of the classes, and an open one, in which some
/// are of none (a crawler's strays). Verdicts, and how likely each world makes the noisy labels, say which is nearer the
/// truth, how sharp posteriors should be, and whether the noise is there that labels alone suggest; the answers of all
/// candidates are averaged by these weights.
struct Evidence: Sendable {
  let space: FeatureSpace
  let closed: SoftLabels
  let open: SoftLabels
  /// Rows of verified images, and their verdicts.
  let verified: [(row: Int, isRight: Bool)]

  /// Factors on the exponents. Sources agree more than independent ones would, which the likelihood of noisy labels
  /// alone mistakes for certainty or its lack, depending on the noise.
  static let sharpnesses = [0.5, 0.7, 1, 1.5, 2, 3]
  /// The factor while beliefs are formed. Few wrong labels want 1, many want 2; this is between.
  static let formingSharpness = 1.4
  /// Shares of the open world's log-odds in the mixture.
  static let openness = [0, 0.25, 0.5, 0.75, 1]
  /// How many verdicts the noisy labels' mean log-likelihood weighs as.
  static let likelihoodVerdicts = 100.0
  /// How many verdicts weigh as much as what noisy labels alone suggest of the share of right ones.
  static let priorVerdicts = 2.0
  /// The cosine that stands for "none of the classes": ρ, from which on an image is held to belong to a class.
  static let noneCosine = 0.1

  init(_ data: TrainingSet, in space: FeatureSpace) {
    self.space = space
    let rows = Dictionary(uniqueKeysWithValues: space.images.enumerated().map { ($1, $0) })
    let verified = data.verifications.compactMap { label in
      rows[label.image].map { (row: $0, isRight: label.isRight) }
    }
    self.verified = verified
    let labels = space.images.map { data.labels[$0] }
    let verdicts = verified.map { (image: $0.row, isRight: $0.isRight) }
    closed = SoftLabels(labels: labels, classes: data.classes, verdicts: verdicts)
    open = SoftLabels(labels: labels, classes: data.classes, verdicts: verdicts, isOpen: true)
  }

  var classes: Int { closed.classes }

  /// Which of `folds` folds each row's image belongs to: a hash of the image's number, so that it stays the same when
  /// others are added.
  func foldOfRows(_ folds: Int) -> [Int] {
    space.images.map { image in
      var random = SplitMix64(seed: UInt64(image))
      return Int(random.next() % UInt64(folds))
    }
  }

  /// What networks are trained on, row by row: components, noisy labels, verdicts, beliefs.
  func trainingSet() -> TrainingSet {
    let beliefs = average(worlds()).beliefs.narrow(dim: 1, start: 0, count: classes)
      .contiguous()
    return TrainingSet(
      features: space.features, labels: closed.labels.ints(), classes: classes,
      verifications: verified.map { VerificationLabel(image: $0.row, isRight: $0.isRight) }, beliefs: beliefs)
  }

  // MARK: The worlds

  /// Sources of evidence, and the noise model that was fitted to them.
  struct World: Sendable {
    var sources: [Tensor]
    var model: NoiseModel
  }

  /// Both worlds, by what needs no network: discriminant and neighbours.
  func worlds() -> (closed: World, open: World) {
    withoutGradients {
      let (closedWorld, beliefs) = closedWorld()
      return (closedWorld, openWorld(closedWorld.model, beliefs))
    }
  }

  private func closedWorld() -> (World, beliefs: Tensor) {
    var beliefs = closed.initial
    var model = NoiseModel(classes: classes, exponents: [0.4, 0.4])
    func sources() -> [Tensor] { [space.discriminant(beliefs), space.neighbors(beliefs)] }
    for _ in 0..<2 {
      let sources = sources()
      model.fit(sources, closed)
      let sharp = model.logPosterior(sources, sharpness: Self.formingSharpness)
      model.fitTransition(sharp, closed)
      beliefs = model.judge(sharp, closed).beliefs
    }
    return (World(sources: sources(), model: model), beliefs)
  }

  /// The state "none" begins with images in whose neighbourhood no label prevails.
  private func openWorld(_ closedModel: NoiseModel, _ closedBeliefs: Tensor) -> World {
    let noisy = closed.labels.oneHot(classes: classes).to(.float32)
    let stray = (1 - space.neighbors(noisy).amax(dim: 1, keepDim: true).exp()).clamped(min: 0, max: 0.9)
    var beliefs = SoftLabels.normalized(
      Tensor.concatenate([closedBeliefs * (1 - stray), stray], dim: 1) * open.allowed)
    var model = closedModel.opened(open)
    for _ in 0..<3 {
      let sharp = model.logPosterior(openSources(beliefs), sharpness: Self.formingSharpness)
      model.fitTransition(sharp, open)
      beliefs = model.judge(sharp, open).beliefs
    }
    return World(sources: openSources(beliefs), model: model)
  }

  /// Strays have no common mean: only neighbours recognise them, and the discriminant divides what is left.
  private func openSources(_ beliefs: Tensor) -> [Tensor] {
    let near = space.neighbors(beliefs)
    let none = near.narrow(dim: 1, start: classes, count: 1)
    let known = space.discriminant(beliefs.narrow(dim: 1, start: 0, count: classes) + 1e-6)
    return [Tensor.concatenate([known + (1 - none.exp() + 1e-9).log(), none], dim: 1), near]
  }

  /// The worlds with the network's softmax as a further source.
  ///
  /// - Parameter cosines: Of each image with all classes, by a network that it did not train: `[N, C]`.
  private func worlds(with cosines: Tensor, temperature: Double) -> (closed: World, open: World) {
    var (closedWorld, openWorld) = worlds()
    closedWorld.sources.append((cosines / temperature).logSoftmax(dim: 1))
    closedWorld.model.exponents.append(0.1)
    closedWorld.model.fit(closedWorld.sources, closed)
    let none = Tensor.full([cosines.size(0), 1], Self.noneCosine)
    openWorld.sources.append((Tensor.concatenate([cosines, none], dim: 1) / temperature).logSoftmax(dim: 1))
    openWorld.model.exponents = closedWorld.model.exponents
    return (closedWorld, openWorld)
  }

  // MARK: Bringing it together

  /// What all sources, the network's softmax among them, say in the end.
  func judge(cosines: Tensor, temperature: Double) -> EvidenceJudgement {
    withoutGradients { average(worlds(with: cosines, temperature: temperature)) }
  }

  /// How labels go wrong: by the T that makes the noisy labels likeliest, or by an even one.
  private enum Noise {
    case fitted, even
  }

  /// The answer with the fitted T, and as far as verdicts deny the noise that it expects, that with an even one.
  ///
  /// The fitted T takes images that look like another class for confused labels; where hardly any label is wrong, that is
  /// all it finds.
  private func average(_ worlds: (closed: World, open: World)) -> EvidenceJudgement {
    withoutGradients {
      let (fitted, denied) = (average(worlds, .fitted), shareDenied(worlds.closed))
      return denied > 0 ? fitted.mixed(with: average(worlds, .even), share: denied) : fitted
    }
  }

  /// Averages over sharpness and openness by how well each candidate explains verdicts and noisy labels.
  private func average(_ worlds: (closed: World, open: World), _ noise: Noise) -> EvidenceJudgement {
    var mean = RunningJudgement(rows: closed.count, classes: classes)
    for sharpness in Self.sharpnesses {
      let inClosed = outcome(worlds.closed, closed, sharpness, noise)
      let inOpen = outcome(worlds.open, open, sharpness, noise)
      let gain = Self.likelihoodVerdicts * (inOpen.logLikelihood - inClosed.logLikelihood)
      for openness in Self.openness {
        let mixed = inClosed.logOdds * (1 - openness) + inOpen.logOdds * openness
        let (scale, loss) = scale(of: mixed)
        mean.add(
          logWeight: openness * gain - loss, logOdds: mixed, scale: scale,
          beliefs: [(inClosed.beliefs, 1 - openness), (inOpen.beliefs, openness)])
      }
    }
    return mean.judgement
  }

  /// Of the wrong labels that the fitted T expects among the verified images, the share that verdicts did not find.
  private func shareDenied(_ world: World) -> Double {
    guard !verified.isEmpty else { return 0 }
    let odds = outcome(world, closed, 1, .fitted).logOdds.indexSelect(Tensor(verified.map(\.row))).doubles()
    let expected = odds.reduce(0) { $0 + 1 / (1 + exp($1)) }
    let found = Double(verified.count { !$0.isRight })
    return max(0, 1 - (found + Self.priorVerdicts) / (expected + Self.priorVerdicts))
  }

  private func outcome(
    _ world: World, _ labels: SoftLabels, _ sharpness: Double, _ noise: Noise
  ) -> NoiseModel.Judgement {
    var model = world.model
    let logPosterior = model.logPosterior(world.sources, sharpness: sharpness)
    switch noise {
    case .fitted: model.fitTransition(logPosterior, labels)
    case .even:
      let right = Double(verified.count(where: \.isRight))
      let prior = Self.priorVerdicts * model.kept(logPosterior, labels)
      let kept = (right + prior) / (Double(verified.count) + Self.priorVerdicts)
      model.transition = NoiseModel.evenTransition(kept: kept, labels)
    }
    return model.judge(logPosterior, labels)
  }

  /// The factor on log-odds that makes verdicts likeliest, and their negative log-likelihood with it.
  ///
  /// Its logarithm is normal beforehand about that of ½, with deviation 1: few verdicts cannot claim certainty.
  private func scale(of logOdds: Tensor) -> (scale: Double, loss: Double) {
    let middle = log(0.5)
    let margins: [Double] =
      verified.isEmpty
      ? []
      : zip(logOdds.indexSelect(Tensor(verified.map(\.row))).doubles(), verified).map {
        $0 * ($1.isRight ? 1 : -1)
      }
    func loss(_ logScale: Double) -> Double {
      let scale = exp(logScale)
      return margins.reduce(0.5 * (logScale - middle) * (logScale - middle)) { $0 + softplus(-scale * $1) }
    }
    // Golden section between e⁻⁴ and e².
    var (low, high) = (-4.0, 2.0)
    let ratio = (5.0.squareRoot() - 1) / 2
    while high - low > 1e-4 {
      let (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
      if loss(a) < loss(b) { high = b } else { low = a }
    }
    let found = (low + high) / 2
    return (exp(found), loss(found))
  }

  private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
}
