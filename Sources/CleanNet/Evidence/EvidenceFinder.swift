import Foundation
import Torch

/// Finds ``LabelEvidence``.
///
/// Sources are recomputed for some images at a time and kept for their candidates alone: see ``Candidates``.
struct EvidenceFinder: Sendable {
  let space: FeatureSpace
  let labels: SoftLabels
  let openLabels: SoftLabels
  /// Which sources the evidence may use.
  let parts: EvidenceParts
  let limit: CandidateLimit
  /// Probabilities of other models, `[images of the data set, C]` each.
  let given: [Tensor]
  /// The images that noise models are fitted to, in the order of their labels.
  private let fitted: [Int]
  /// All images in the order of their labels.
  private let byLabel: [Int]

  /// Noise models have at most this many images to fit, of which a quarter of the memory has room for the candidates. More
  /// would not change them.
  static var mostFitted: Int { min(1_000_000, max(50_000, Engine.memoryLimit / 4 / bytesOfFitted)) }

  /// An image's candidates take so much: four sources and a posterior of 28 states.
  private static let bytesOfFitted = 500

  /// Log-probabilities of all states of some images, `[n, E]` for each source.
  typealias Sources = @Sendable ([Int]) -> [Tensor]

  init(
    _ data: TrainingSet, in space: FeatureSpace, parts: EvidenceParts = .all,
    limit: CandidateLimit = .usual, mostFitted: Int = mostFitted
  ) {
    self.space = space
    self.parts = parts
    self.limit = limit
    let own = space.images.map { data.labels[$0] }
    labels = SoftLabels(labels: own, classes: data.classes)
    openLabels = SoftLabels(labels: own, classes: data.classes, isOpen: true)
    given = parts.contains(.given) ? data.evidence : []
    var members = [[Int]](repeating: [], count: data.classes)
    for (row, label) in own.enumerated() { members[label].append(row) }
    byLabel = members.flatMap(\.self)
    // Of each label the same share, and one at least.
    fitted =
      own.count <= mostFitted
      ? byLabel
      : members.flatMap { rows in
        space.chosen(max(1, rows.count * mostFitted / own.count), of: rows)
      }
  }

  var classes: Int { labels.classes }
  /// How many other models there are.
  var givenCount: Int { given.count }

  /// A noise model, and the beliefs behind the sources that it was fitted to.
  struct Reading: Sendable {
    /// About the true states.
    var beliefs: ClassVotes
    var model: NoiseModel
  }

  /// The evidence that needs no network.
  struct Basis: Sendable {
    /// The identity's share in discriminants.
    var shrinkage: Double
    /// The discriminant of the noisy labels alone; nil without discriminants.
    var first: DiscriminantPosterior.Fitted?
    var closed: Reading
    var open: Reading?

    /// About the true classes.
    var beliefs: ClassVotes { closed.beliefs }
  }

  /// The noisy labels.
  var noisy: ClassVotes { ClassVotes(labels: labels.labels, states: classes) }

  func basis() -> Basis {
    withoutGradients {
      let noisy = noisy
      let shrinkage = space.discriminant.bestShrinkage(noisy, labels: labels.labels)
      // The discriminant of the noisy labels alone. It stays a source when beliefs replace them: they may be wrong
      // together.
      let first =
        parts.contains(.discriminant)
        ? space.discriminant.fitted(noisy, classes: classes, shrinkage: shrinkage) : nil
      var basis = Basis(
        shrinkage: shrinkage, first: first,
        closed: Reading(beliefs: noisy, model: startingModel(plain: false)))
      for _ in 0..<2 {
        let sources = closedSources(basis, basis.closed.beliefs)
        let images = candidates(labels, basis.closed.model, sources)
        basis.closed.model.fit(images)
        refine(&basis.closed, images, sources)
      }
      if parts.contains(.openWorld) { basis.open = openReading(basis) }
      return basis
    }
  }

  /// - Parameter plain: Whether without beliefs.
  private func startingModel(plain: Bool) -> NoiseModel {
    let discriminants = parts.contains(.discriminant) ? (plain ? 1 : 2) : 0
    let own = discriminants + (parts.contains(.neighbors) ? 1 : 0)
    return NoiseModel(
      classes: classes,
      exponents: Array(repeating: LabelEvidence.exponents.source, count: own)
        + given.map { _ in LabelEvidence.exponents.given })
  }

  // MARK: Beliefs

  /// The candidates of the images that noise models are fitted to.
  private func candidates(
    _ labels: SoftLabels, _ model: NoiseModel, _ sources: @escaping Sources
  ) -> Candidates {
    Candidates(fitted, labels, exponents: model.exponents, limit: limit, sources: sources)
  }

  /// The results of `body` for all images, piece by piece.
  ///
  /// - Parameter images: Images that are there already.
  private func ofAll<Value: Sendable>(
    _ images: Candidates, _ model: NoiseModel, _ sources: @escaping Sources,
    _ body: @escaping @Sendable (CandidatePiece) -> Value
  ) -> [Value] {
    guard fitted.count < byLabel.count else { return images.map(body) }
    let ranges = Candidates.ranges(byLabel.count, states: images.labels.states)
    return concurrentMap(over: ranges.count, threads: Candidates.threads, engineThreads: 1) { number in
      let own = Array(byLabel[ranges[number]])
      return withoutGradients {
        body(
          CandidatePiece(
            own, images.labels, sources: sources(own), exponents: model.exponents, limit: limit))
      }
    }
  }

  /// Fits T to a sharpened posterior, and says what is believed then.
  private func refine(_ reading: inout Reading, _ images: Candidates, _ sources: @escaping Sources) {
    let sharpness = LabelEvidence.formingSharpness
    reading.model.fitTransition(images, sharpness: sharpness)
    let model = reading.model
    let columns = TransitionColumns(model.transition, images.labels)
    let pieces = ofAll(images, model, sources) { piece in
      let posterior = model.logPosterior(piece, sharpness: sharpness)
      return (piece.rows, piece.votes(model.judge(piece, posterior, columns).beliefs))
    }
    reading.beliefs = ClassVotes(pieces, count: labels.count, states: images.labels.states)
  }

  /// The state "none" begins with images in whose neighborhood no label prevails.
  private func openReading(_ basis: Basis) -> Reading {
    let near = space.neighbors(noisy)
    let ranges = Candidates.ranges(labels.count, states: classes)
    let strays = concurrentMap(over: ranges.count, threads: Candidates.threads, engineThreads: 1) { number in
      withoutGradients {
        (1 - near.logShares(Array(ranges[number])).amax(dim: 1).exp()).clamped(min: 0, max: 0.9).floats()
      }
    }
    var open = Reading(
      beliefs: basis.closed.beliefs.opened(strays.flatMap(\.self)),
      model: basis.closed.model.opened(openLabels))
    for _ in 0..<3 {
      let sources = openSources(basis, open.beliefs)
      refine(&open, candidates(openLabels, open.model, sources), sources)
    }
    return open
  }

  // MARK: Evidence

  /// The opinions of networks that were not trained on the image.
  struct NetworkVoice: Sendable {
    /// Cosines of some images with all classes: `[n, C]`.
    var cosines: @Sendable ([Int]) -> Tensor
    /// How far all networks disagree on each image.
    var disagreement: [Float]
    var temperature = 0.1

    func source(_ rows: [Int], isOpen: Bool) -> Tensor {
      EvidenceFinder.network(cosines(rows), temperature: temperature, isOpen: isOpen)
    }
  }

  /// The noise models behind the candidates: what images that come later are judged by.
  struct Explanation: Sendable {
    var closed: NoiseModel
    var open: NoiseModel?
    var plain: NoiseModel?
    /// T of each candidate; nil where labels go wrong at one rate.
    var transitions: [Tensor?] = []
  }

  /// All evidence, with what networks say where there are any.
  func evidence(_ basis: Basis, _ voice: NetworkVoice? = nil) -> LabelEvidence {
    explained(basis, voice).evidence
  }

  /// The same with the models behind it.
  func explained(
    _ basis: Basis, _ voice: NetworkVoice? = nil
  ) -> (evidence: LabelEvidence, explanation: Explanation) {
    withoutGradients {
      let heard = parts.contains(.networks) ? voice : nil
      var model = basis.closed.model
      if heard != nil { model.exponents.append(LabelEvidence.exponents.network) }
      let closed = judged(
        .closed, .even, labels, &model, closedSources(basis, basis.closed.beliefs, heard), fits: heard != nil)
      var explanation = Explanation(closed: model)
      var plain: WorldEvidence?
      if parts.contains(.plainWorld) {
        var model = startingModel(plain: true)
        plain = judged(.plain, .plainEven, labels, &model, plainSources(basis), fits: true)
        explanation.plain = model
      }
      var open: WorldEvidence?
      if let reading = basis.open {
        var model = reading.model
        model.exponents = explanation.closed.exponents
        open = judged(
          .open, nil, openLabels, &model, openSources(basis, reading.beliefs, heard), fits: false)
        explanation.open = model
      }
      var candidates: [LabelEvidence.Candidate] = []
      var logOdds: [Tensor] = []
      for place in LabelEvidence.sharpnesses.indices {
        for candidate in [closed, plain, open].compactMap({ $0?.bySharpness[place] }).flatMap(\.self) {
          candidates.append(candidate.candidate)
          logOdds.append(candidate.logOdds)
          explanation.transitions.append(candidate.transition)
        }
      }
      let networks = voice.map { voice in
        opinions(voice, suggested: closed.suggested)
      }
      let evidence = LabelEvidence(
        images: space.images, labels: labels.labels, classes: classes, candidates: candidates,
        logOdds: .stack(logOdds), suggested: closed.suggested, networks: networks,
        neighbors: space.neighborQuality,
        coordinates: parts.contains(.residuals) ? LabelEvidence.coordinates(space.directions) : nil)
      return (evidence, explanation)
    }
  }

  /// One candidate's part of the evidence.
  private struct CandidateEvidence {
    var candidate: LabelEvidence.Candidate
    /// `[N]`
    var logOdds: Tensor
    var transition: Tensor?
  }

  /// The labels' evidence in one world.
  private struct WorldEvidence {
    var bySharpness: [[CandidateEvidence]]
    var suggested: [Int]
  }

  /// - Parameters:
  ///   - even: The world of one rate of wrong labels with the same sources, if there is one.
  ///   - fits: Whether T and α are fitted first.
  private func judged(
    _ world: LabelEvidence.World, _ even: LabelEvidence.World?, _ labels: SoftLabels,
    _ model: inout NoiseModel, _ sources: @escaping Sources, fits: Bool
  ) -> WorldEvidence {
    let images = candidates(labels, model, sources)
    // The keys by which tails are bundled must be the same for all images.
    let start = model
    if fits { model.fit(images) }
    let fitted = model
    let models = LabelEvidence.sharpnesses.map { sharpness in
      var own = fitted
      own.fitTransition(images, sharpness: sharpness)
      return own
    }
    let columns = models.map { TransitionColumns($0.transition, labels) }
    let forming = TransitionColumns(fitted.transition, labels)
    let pieces = ofAll(images, start, sources) { piece in
      let odds = zip(LabelEvidence.sharpnesses, zip(models, columns)).map { sharpness, own in
        let posterior = own.0.logPosterior(piece, sharpness: sharpness)
        let judged = own.0.judge(piece, posterior, own.1).logOdds
        return [judged] + (even == nil ? [] : [NoiseModel.evenLogOdds(piece, posterior, labels)])
      }
      let posterior = fitted.logPosterior(piece, sharpness: LabelEvidence.formingSharpness)
      let beliefs = fitted.judge(piece, posterior, forming).beliefs
      return (rows: piece.rows, odds: odds, suggested: piece.likeliest(beliefs))
    }
    let order = Tensor(pieces.flatMap(\.rows))
    func ordered(_ odds: [Tensor]) -> Tensor {
      let all = Tensor.empty([self.labels.count])
      // Finite whatever the features are: an exact 0 or 1 is no more than overwhelming evidence.
      all.indexCopyInPlace(dim: 0, index: order, Tensor.concatenate(odds).clamped(min: -50, max: 50))
      return all
    }
    let bySharpness = LabelEvidence.sharpnesses.enumerated().map { place, sharpness in
      let own = models[place]
      let likelihood = own.logLikelihood(images, sharpness: sharpness)
      var found = [
        CandidateEvidence(
          candidate: .init(world: world, sharpness: sharpness, intercept: 0, logLikelihood: likelihood),
          logOdds: ordered(pieces.map { $0.odds[place][0] }), transition: own.transition)
      ]
      if let even {
        let kept = min(0.999, max(0.001, own.kept(images, sharpness: sharpness)))
        found.append(
          CandidateEvidence(
            candidate: .init(
              world: even, sharpness: sharpness, intercept: log(kept / (1 - kept)), logLikelihood: likelihood
            ), logOdds: ordered(pieces.map { $0.odds[place][1] })))
      }
      return found
    }
    var suggested = [Int](repeating: 0, count: self.labels.count)
    for piece in pieces {
      for (row, state) in zip(piece.rows, piece.suggested) { suggested[row] = state }
    }
    return WorldEvidence(bySharpness: bySharpness, suggested: suggested)
  }

  private func opinions(_ voice: NetworkVoice, suggested: [Int]) -> LabelEvidence.NetworkOpinions {
    let ranges = Candidates.ranges(labels.count, states: classes)
    let values = concurrentMap(over: ranges.count, threads: Candidates.threads, engineThreads: 1) { number in
      withoutGradients {
        let rows = Array(ranges[number])
        let cosines = voice.cosines(rows)
        func values(_ classes: [Int]) -> [Float] {
          cosines.gather(dim: 1, Tensor(rows.map { classes[$0] }).unsqueezed(dim: 1)).squeezed(dim: 1)
            .floats()
        }
        return (own: values(labels.labels), suggested: values(suggested))
      }
    }
    return LabelEvidence.NetworkOpinions(
      cosine: values.flatMap(\.own), suggestedCosine: values.flatMap(\.suggested),
      disagreement: voice.disagreement)
  }
}
