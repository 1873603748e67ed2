import Foundation
import Torch

/// What features and noisy labels say about each label, before anybody has looked at an image.
///
/// Each ``Candidate`` is one reading of the evidence: which sources it believes, how sharp their posteriors are, and how
/// labels go wrong. It gives every image log-odds that its label is right. Verdicts play no part here. A
/// ``VerdictModel`` weighs the candidates by them in milliseconds, so that each new verdict counts at once, and no
/// verdict reaches the score of its own image but through a handful of numbers that all images share.
public struct LabelEvidence: Sendable {
  /// How a candidate explains the labels.
  public enum World: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every image belongs to one of the classes; the sources were refined by beliefs about the true classes.
    case closed
    /// Some images belong to none of the classes (a crawler's strays).
    case open
    /// As `closed`, with labels that go wrong at one rate in all classes, to other labels as these are frequent.
    case even
    /// The sources as the noisy labels alone make them: where features are weak, beliefs would repeat their own mistakes.
    case plain
    /// As `plain`, with labels that go wrong at one rate.
    case plainEven
  }

  /// One reading of the evidence.
  public struct Candidate: Sendable, Hashable, Codable {
    public var world: World
    /// A factor on the exponents of the sources. Sources agree more than independent ones would, which the likelihood of
    /// noisy labels alone mistakes for certainty or its lack, depending on the noise.
    public var sharpness: Double
    /// What is added to the log-odds before any verdict: with one rate of wrong labels, the log-odds of that rate.
    public var intercept: Double
    /// The mean log-likelihood of the noisy labels.
    public var logLikelihood: Double
  }

  public static let sharpnesses = [0.5, 0.7, 1, 1.5, 2, 3]
  /// The factor while beliefs are formed. Few wrong labels want 1, many want 2; this is between.
  static let formingSharpness = 1.4
  /// The cosine that stands for "none of the classes": ρ, from which on an image is held to belong to a class.
  static let noneCosine = 0.1
  /// Exponents before any fit: of evidence that needs no network, of the networks' softmax, and of probabilities that were
  /// given, which mean what they say.
  static let exponents = (source: 0.4, network: 0.1, given: 1.0)

  /// The images judged, ascending. Column i of `logOdds` belongs to `images[i]`.
  public let images: [Int]
  /// The noisy label of each of these images.
  public let labels: [Int]
  public let classes: Int
  public let candidates: [Candidate]
  /// That each label is right, by each candidate, without its intercept: `[candidates, N]`, float32.
  public let logOdds: Tensor
  /// The likeliest class of each image.
  public let suggested: [Int]
  /// What CleanNet's networks say of each image; nil without networks.
  public let networks: NetworkOpinions?
  /// How neighbors were searched, and how many of the true ones were found.
  public let neighbors: NeighborQuality?
  /// The direction of each image's features, as far as verdicts about similar images are compared: `[N, K]`, float16. nil
  /// where nothing is to be learned from similar images.
  public let coordinates: Tensor?

  /// By networks that were not trained on the image.
  public struct NetworkOpinions: Sendable {
    /// cos(φ_q, φ_s) with the class of the label, and with the suggested class.
    public var cosine: [Float]
    public var suggestedCosine: [Float]
    /// How far the networks disagree: see ``Judgements/disagreement``.
    public var disagreement: [Float]
  }

  init(
    images: [Int], labels: [Int], classes: Int, candidates: [Candidate], logOdds: Tensor, suggested: [Int],
    networks: NetworkOpinions? = nil, neighbors: NeighborQuality? = nil, coordinates: Tensor? = nil
  ) {
    precondition(logOdds.shape == [candidates.count, images.count], "log-odds of other images or candidates")
    self.images = images
    self.labels = labels
    self.classes = classes
    self.candidates = candidates
    self.logOdds = logOdds
    self.suggested = suggested
    self.networks = networks
    self.neighbors = neighbors
    self.coordinates = coordinates
  }

  public var count: Int { images.count }

  /// The most numbers that a direction keeps: the leading principal components. More change nothing visible.
  static let mostCoordinates = 64

  /// - Parameter directions: Centered, the leading components first: `[n, d]`.
  static func coordinates(_ directions: Tensor) -> Tensor {
    withoutGradients {
      directions.narrow(dim: 1, start: 0, count: min(mostCoordinates, directions.size(1))).normalized()
        .to(.float16)
    }
  }
}

/// Finds ``LabelEvidence``.
struct EvidenceFinder: Sendable {
  let space: FeatureSpace
  let labels: SoftLabels
  let openLabels: SoftLabels
  /// Which sources the evidence may use.
  let parts: EvidenceParts
  /// Log-probabilities of other models, `[N, C]` each.
  private let given: [Tensor]
  /// How many other models there are.
  var givenCount: Int { given.count }

  init(_ data: TrainingSet, in space: FeatureSpace, parts: EvidenceParts = .all) {
    self.space = space
    self.parts = parts
    let own = space.images.map { data.labels[$0] }
    labels = SoftLabels(labels: own, classes: data.classes)
    openLabels = SoftLabels(labels: own, classes: data.classes, isOpen: true)
    let rows = Tensor(space.images)
    given =
      parts.contains(.given)
      ? data.evidence.map { $0.indexSelect(rows).clamped(min: 1e-6).log().logSoftmax(dim: 1) } : []
  }

  var classes: Int { labels.classes }

  /// Sources of evidence, and the noise model that was fitted to them.
  struct Reading {
    var sources: [Tensor]
    var model: NoiseModel

    /// With a further source, and its exponent before the fit.
    func adding(_ source: Tensor, exponent: Double) -> Reading {
      var more = self
      more.sources.append(source)
      more.model.exponents.append(exponent)
      return more
    }
  }

  /// What needs no network.
  struct Basis {
    var closed: Reading
    var open: Reading?
    var plain: Reading?
    /// About the true classes: `[N, C]`.
    var beliefs: Tensor
    /// What images that come later are judged by, if it is wanted.
    var kept: KeptSources?
  }

  /// Sources as images that come later see them: no longer cross-fitted, because those images took no part.
  struct KeptSources {
    /// From the noisy labels alone.
    var first: LinearClassifier?
    var plainVotes: ClassVotes?
    /// From beliefs.
    var closed: LinearClassifier?
    var closedVotes: ClassVotes?
    var open: LinearClassifier?
    var openVotes: ClassVotes?
  }

  /// - Parameter keepsSources: Whether images that come later will be judged.
  func basis(keepsSources: Bool = false) -> Basis {
    withoutGradients {
      let noisy = labels.initial
      let shrinkage = space.discriminant.bestShrinkage(noisy, labels: labels.labels)
      func discriminant(_ beliefs: Tensor) -> Tensor { space.discriminant(beliefs, shrinkage: shrinkage) }
      // What the noisy labels alone say. It stays a source when beliefs replace them, for they may be wrong together.
      let first = parts.contains(.discriminant) ? [discriminant(noisy)] : []
      let noisyNeighbors = space.neighbors(noisy)

      func sources(_ beliefs: Tensor) -> [Tensor] {
        (parts.contains(.discriminant) ? [discriminant(beliefs)] : [])
          + (parts.contains(.neighbors) ? [space.neighbors(beliefs)] : []) + first + given
      }
      var beliefs = noisy
      var model = startingModel(sources(noisy))
      for _ in 0..<2 {
        let sources = sources(beliefs)
        model.fit(sources, labels)
        beliefs = refine(&model, sources, labels)
      }
      let closed = Reading(sources: sources(beliefs), model: model)

      var plain: Reading?
      if parts.contains(.plainWorld) {
        let sources = first + (parts.contains(.neighbors) ? [noisyNeighbors] : []) + given
        var model = startingModel(sources)
        model.fit(sources, labels)
        plain = Reading(sources: sources, model: model)
      }
      let open =
        parts.contains(.openWorld)
        ? openReading(model, beliefs, noisyNeighbors, first, discriminant) : nil
      let kept = keepsSources ? keptSources(noisy, beliefs, open?.beliefs, shrinkage: shrinkage) : nil
      return Basis(closed: closed, open: open?.reading, plain: plain, beliefs: beliefs, kept: kept)
    }
  }

  /// - Parameter sources: Those that were given come last.
  private func startingModel(_ sources: [Tensor]) -> NoiseModel {
    let own = sources.dropLast(given.count).map { _ in LabelEvidence.exponents.source }
    return NoiseModel(classes: classes, exponents: own + given.map { _ in LabelEvidence.exponents.given })
  }

  private func keptSources(
    _ noisy: Tensor, _ beliefs: Tensor, _ openBeliefs: Tensor?, shrinkage: Double
  ) -> KeptSources {
    var kept = KeptSources()
    if parts.contains(.discriminant) {
      func classifier(_ beliefs: Tensor) -> LinearClassifier {
        space.discriminant.classifier(beliefs, shrinkage: shrinkage)
      }
      kept.first = classifier(noisy)
      kept.closed = classifier(beliefs)
      kept.open = openBeliefs.map { classifier($0.narrow(dim: 1, start: 0, count: classes) + 1e-6) }
    }
    if parts.contains(.neighbors) {
      func votes(_ beliefs: Tensor) -> ClassVotes {
        ClassVotes(space.neighbors.votes(beliefs), average: beliefs.mean(dim: 0).floats())
      }
      kept.plainVotes = votes(noisy)
      kept.closedVotes = votes(beliefs)
      kept.openVotes = openBeliefs.map(votes)
    }
    return kept
  }

  /// Fits T to a sharpened posterior, and says what is believed then.
  private func refine(_ model: inout NoiseModel, _ sources: [Tensor], _ labels: SoftLabels) -> Tensor {
    let sharp = model.logPosterior(sources, sharpness: LabelEvidence.formingSharpness)
    model.fitTransition(sharp, labels)
    return model.judge(sharp, labels).beliefs
  }

  /// The state "none" begins with images in whose neighborhood no label prevails.
  private func openReading(
    _ closedModel: NoiseModel, _ closedBeliefs: Tensor, _ noisyNeighbors: Tensor, _ first: [Tensor],
    _ discriminant: (Tensor) -> Tensor
  ) -> (reading: Reading, beliefs: Tensor) {
    let stray = (1 - noisyNeighbors.amax(dim: 1, keepDim: true).exp()).clamped(min: 0, max: 0.9)
    var beliefs = SoftLabels.normalized(
      Tensor.concatenate([closedBeliefs * (1 - stray), stray], dim: 1))
    var model = closedModel.opened(openLabels)
    // Strays have no common mean: only neighbors recognize them, and the other sources divide what is left.
    func sources(_ beliefs: Tensor) -> [Tensor] {
      let near = space.neighbors(beliefs)
      func opened(_ source: Tensor) -> Tensor { Self.opened(source, near: near) }
      let refined =
        parts.contains(.discriminant)
        ? [opened(discriminant(beliefs.narrow(dim: 1, start: 0, count: classes) + 1e-6))] : []
      return refined + (parts.contains(.neighbors) ? [near] : []) + first.map(opened)
        + given.map(opened)
    }
    for _ in 0..<3 { beliefs = refine(&model, sources(beliefs), openLabels) }
    return (Reading(sources: sources(beliefs), model: model), beliefs)
  }

  /// A source that knows the classes only, `[n, C]`, in a world where an image may belong to none: how likely that is,
  /// neighbors say, `[n, C + 1]`.
  static func opened(_ source: Tensor, near: Tensor) -> Tensor {
    let none = near.narrow(dim: 1, start: source.size(1), count: 1)
    // Clamped, because in float32 the share may round to 1.
    let known = (1 - none.exp()).clamped(min: 1e-6).log()
    return .concatenate([source + known, none], dim: 1)
  }

  /// What networks say, as a source: cosines `[n, C]` → `[n, C]`, or `[n, C + 1]` in an open world.
  static func network(_ cosines: Tensor, temperature: Double, isOpen: Bool) -> Tensor {
    guard isOpen else { return (cosines / temperature).logSoftmax(dim: 1) }
    let none = Tensor.full([cosines.size(0), 1], LabelEvidence.noneCosine)
    return (Tensor.concatenate([cosines, none], dim: 1) / temperature).logSoftmax(dim: 1)
  }

  /// The noise models behind the candidates: what images that come later are judged by.
  struct Explanation {
    var closed: NoiseModel
    var open: NoiseModel?
    var plain: NoiseModel?
    /// T of each candidate; nil where labels go wrong at one rate.
    var transitions: [Tensor?] = []
  }

  /// All evidence, with what networks say where there are any.
  func evidence(
    _ basis: Basis, cosines: Tensor? = nil, disagreement: [Float] = [], temperature: Double = 0.1
  ) -> LabelEvidence {
    explained(basis, cosines: cosines, disagreement: disagreement, temperature: temperature).evidence
  }

  /// The same with the models behind it.
  ///
  /// - Parameters:
  ///   - cosines: Of each image with all classes, by a network that was not trained on it: `[N, C]`.
  ///   - disagreement: How far all networks disagree on each image.
  func explained(
    _ basis: Basis, cosines: Tensor? = nil, disagreement: [Float] = [], temperature: Double = 0.1
  ) -> (evidence: LabelEvidence, explanation: Explanation) {
    withoutGradients {
      var closed = basis.closed
      var open = basis.open
      if let cosines, parts.contains(.networks) {
        closed = closed.adding(
          Self.network(cosines, temperature: temperature, isOpen: false),
          exponent: LabelEvidence.exponents.network)
        closed.model.fit(closed.sources, labels)
        open = open.map { open in
          var more = open.adding(
            Self.network(cosines, temperature: temperature, isOpen: true),
            exponent: LabelEvidence.exponents.network)
          more.model.exponents = closed.model.exponents
          return more
        }
      }
      var explanation = Explanation(closed: closed.model, open: open?.model, plain: basis.plain?.model)
      var candidates: [LabelEvidence.Candidate] = []
      var logOdds: [Tensor] = []
      func add(
        _ world: LabelEvidence.World, _ sharpness: Double, intercept: Double, likelihood: Double,
        _ odds: Tensor, _ transition: Tensor?
      ) {
        explanation.transitions.append(transition)
        candidates.append(
          .init(world: world, sharpness: sharpness, intercept: intercept, logLikelihood: likelihood))
        // Finite whatever the features are: an exact 0 or 1 is no more than overwhelming evidence.
        logOdds.append(odds.clamped(min: -50, max: 50))
      }
      for sharpness in LabelEvidence.sharpnesses {
        for (world, even, reading) in [
          (LabelEvidence.World.closed, LabelEvidence.World.even, closed as Reading?),
          (.plain, .plainEven, basis.plain),
        ] {
          guard let reading else { continue }
          var model = reading.model
          let posterior = model.logPosterior(reading.sources, sharpness: sharpness)
          model.fitTransition(posterior, labels)
          let judged = model.judge(posterior, labels)
          add(
            world, sharpness, intercept: 0, likelihood: judged.logLikelihood, judged.logOdds, model.transition
          )
          let kept = min(0.999, max(0.001, model.kept(judged.beliefs, labels)))
          add(
            even, sharpness, intercept: log(kept / (1 - kept)), likelihood: judged.logLikelihood,
            NoiseModel.evenLogOdds(posterior, labels), nil)
        }
        if var model = open?.model, let sources = open?.sources {
          let posterior = model.logPosterior(sources, sharpness: sharpness)
          model.fitTransition(posterior, openLabels)
          let judged = model.judge(posterior, openLabels)
          add(
            .open, sharpness, intercept: 0, likelihood: judged.logLikelihood, judged.logOdds, model.transition
          )
        }
      }
      let posterior = closed.model.logPosterior(closed.sources, sharpness: LabelEvidence.formingSharpness)
      let beliefs = closed.model.judge(posterior, labels).beliefs
      let suggested = beliefs.argmax(dim: 1)
      let networks = cosines.map { cosines in
        func values(_ classes: Tensor) -> [Float] {
          cosines.gather(dim: 1, classes.unsqueezed(dim: 1)).squeezed(dim: 1).floats()
        }
        return LabelEvidence.NetworkOpinions(
          cosine: values(labels.labels), suggestedCosine: values(suggested), disagreement: disagreement)
      }
      let evidence = LabelEvidence(
        images: space.images, labels: labels.labels.ints(), classes: classes, candidates: candidates,
        logOdds: .stack(logOdds), suggested: suggested.ints(), networks: networks,
        neighbors: space.neighborQuality,
        coordinates: parts.contains(.residuals) ? LabelEvidence.coordinates(space.directions) : nil)
      return (evidence, explanation)
    }
  }
}

/// What the evidence is made of, so that experiments can leave parts out.
public struct EvidenceParts: OptionSet, Sendable, Hashable, Codable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let networks = EvidenceParts(rawValue: 1)
  public static let discriminant = EvidenceParts(rawValue: 2)
  public static let neighbors = EvidenceParts(rawValue: 4)
  public static let openWorld = EvidenceParts(rawValue: 8)
  /// Candidates that do not refine the labels.
  public static let plainWorld = EvidenceParts(rawValue: 16)
  /// Verdicts weigh the candidates; without it all count alike.
  public static let verdicts = EvidenceParts(rawValue: 32)
  /// Probabilities of other models; see ``TrainingSet/evidence``.
  public static let given = EvidenceParts(rawValue: 64)

  /// Verdicts teach about similar images; see ``LabelEvidence/coordinates``.
  public static let residuals = EvidenceParts(rawValue: 128)

  public static let all: EvidenceParts = [
    .networks, .discriminant, .neighbors, .openWorld, .plainWorld, .verdicts, .given, .residuals,
  ]
}
