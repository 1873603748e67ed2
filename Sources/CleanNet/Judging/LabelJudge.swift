import Foundation
import Torch

/// Judges labels of new images, one or many, with the same formulas as those of the training set.
///
/// It holds components, discriminants, networks with their references, noise models, and an index of training images with
/// their beliefs. None of it depends on verdicts: a ``VerdictModel`` weighs
/// the candidates, as it does for the training set.
///
/// ```swift
/// let training = Training(data, configuration: .extended(dimension: 1280), keepsJudge: true, threads: 2)
/// let outcome = try training.run()
/// let judge = try #require(outcome.judge)
/// let verdicts = VerdictModel(evidence, verdicts: [])
/// let judged = judge.judge(features, labels: [3, 7], verdicts: verdicts)
/// ```
public struct LabelJudge: Sendable {
  public let model: CleanNetModel
  /// Training images that can be neighbors, by their rows in the training set: row i of the index is `images[i]`.
  public let images: [Int]
  /// The noisy labels of these images.
  public let labels: [Int]

  let parts: Parts
  private let scorers: [Scorer]

  /// The parts of judging other than the networks.
  struct Parts: Sendable {
    var index: NeighborIndex
    /// Neighbors that count.
    var k: Int
    /// Subtracted from directions: `[d]`.
    var center: Tensor
    /// Of the training set's labels: `[C]`.
    var frequencies: Tensor
    var sources: EvidenceFinder.KeptSources
    var explanation: EvidenceFinder.Explanation
    var candidates: [LabelEvidence.Candidate]
    /// Sources of other models, which say nothing about new images.
    var given: Int
  }

  /// At most this many training images serve as neighbors of new ones: among a million there are enough similar ones.
  public static let mostNeighbors = 1_000_000

  init(model: CleanNetModel, images: [Int], labels: [Int], parts: Parts) {
    self.model = model
    self.images = images
    self.labels = labels
    self.parts = parts
    scorers = model.configuration.evidence.contains(.networks) ? model.scorers : []
  }

  /// Made when training is done.
  ///
  /// - Parameter scratch: A folder for files that stand behind the index while it is built.
  init(
    model: CleanNetModel, finder: EvidenceFinder, basis: EvidenceFinder.Basis, evidence: LabelEvidence,
    explanation: EvidenceFinder.Explanation, scratch: String?, threads: Int
  ) {
    var sources = finder.keptSources(basis)
    let space = finder.space
    let distinct = space.neighbors.distinct
    let chosen = space.chosen(Self.mostNeighbors, of: distinct)
    let built = NeighborIndex.build(
      space.whitened(chosen), k: space.neighbors.k,
      recall: model.configuration.recall ?? NeighborSearch.usualRecall, seed: model.configuration.seed,
      scratch: scratch, threads: threads)
    let rows = built.order.map { chosen[$0] }
    // Votes are those of all distinct images, in rising order.
    let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, $0) })
    let order = rows.compactMap { places[$0] }
    sources.plainVotes = sources.plainVotes?.selecting(order)
    sources.closedVotes = sources.closedVotes?.selecting(order)
    sources.openVotes = sources.openVotes?.selecting(order)
    self.init(
      model: model, images: rows.map { space.images[$0] }, labels: rows.map { evidence.labels[$0] },
      parts: Parts(
        index: built.index, k: space.neighbors.k, center: space.center,
        frequencies: finder.labels.frequencies, sources: sources, explanation: explanation,
        candidates: evidence.candidates, given: finder.givenCount))
  }

  public var classes: Int { model.references.classes }
  /// D, the dimension of the features that are judged.
  public var featureDimension: Int { model.featureDimension }

  // MARK: Judging

  /// A training image that is similar to a new one.
  public struct Neighbor: Sendable, Hashable {
    /// Its place in ``LabelJudge/images``.
    public var place: Int
    /// In the whitened space of the principal components.
    public var cosine: Float
  }

  /// Judges some images, each as it would be judged alone.
  ///
  /// - Parameters:
  ///   - features: As the model was trained on: `[n, D]`.
  ///   - labels: Their classes, −1 where there is none: n of them.
  ///   - verdicts: The model of verdicts, which weighs the candidates.
  ///   - neighbors: How many of the most similar training images to name for each image.
  /// - Returns: One element per image. Images without finite features have no judgement; those without a label have a
  ///   suggested class only.
  public func judge(
    _ features: Tensor, labels: [Int], verdicts: VerdictModel, neighbors: Int = 0
  ) -> Judgements {
    precondition(features.size(0) == labels.count, "\(labels.count) labels for \(features.size(0)) images")
    precondition(features.size(1) == featureDimension, "the features have another dimension")
    precondition(labels.allSatisfy { (-1..<classes).contains($0) }, "a label is not a class of the model")
    let sums = withoutGradients { features.sum(dim: 1).floats() }
    let sound = labels.indices.filter { sums[$0].isFinite }
    var judged = Judgements(count: labels.count, basis: .probability)
    judged.nearest = Array(repeating: [], count: labels.count)
    guard !sound.isEmpty else { return judged }
    let rows = sound.count == labels.count ? features : features.indexSelect(Tensor(sound))
    let own = sound.map { labels[$0] }
    let found = withoutGradients { find(rows, own, verdicts.candidates) }
    let probabilities = verdicts.probabilities(found.evidence)
    for (place, row) in sound.enumerated() {
      let isLabelled = own[place] >= 0
      judged.fill(row, probability: probabilities[place], of: found.evidence, place, isLabelled: isLabelled)
      judged.nearest[row] = Array(found.near[place].prefix(neighbors))
    }
    return judged
  }

  /// The evidence about new images: of some candidates, the others stay 0.
  private func find(
    _ features: Tensor, _ given: [Int], _ wanted: Set<Int>
  ) -> (evidence: LabelEvidence, near: [[Neighbor]]) {
    let sources = NewSources(self, features, scorers)
    let known = given.map { max(0, $0) }
    let labels = SoftLabels(labels: known, classes: classes, frequencies: parts.frequencies)
    let openLabels = SoftLabels(
      labels: known, classes: classes, isOpen: true, frequencies: parts.frequencies)
    var pieces: [LabelEvidence.World: CandidatePiece] = [:]
    func piece(_ world: LabelEvidence.World, _ model: NoiseModel) -> CandidatePiece {
      let key = world.family
      if let piece = pieces[key] { return piece }
      let piece = CandidatePiece(
        Array(given.indices), world == .open ? openLabels : labels, sources: sources.of(world),
        exponents: model.exponents, limit: .usual)
      pieces[key] = piece
      return piece
    }
    var logOdds: [Tensor] = []
    for (place, candidate) in parts.candidates.enumerated() {
      guard wanted.contains(place), var model = parts.model(of: candidate.world) else {
        logOdds.append(.zeros([given.count]))
        continue
      }
      let piece = piece(candidate.world, model)
      let posterior = model.logPosterior(piece, sharpness: candidate.sharpness)
      let odds: Tensor
      if let transition = parts.explanation.transitions[place] {
        model.transition = transition
        let all = candidate.world == .open ? openLabels : labels
        odds = model.judge(piece, posterior, TransitionColumns(transition, all)).logOdds
      } else {
        odds = NoiseModel.evenLogOdds(piece, posterior, labels)
      }
      logOdds.append(odds.clamped(min: -50, max: 50))
    }
    let closed = parts.explanation.closed
    let own = piece(.closed, closed)
    let posterior = closed.logPosterior(own, sharpness: LabelEvidence.formingSharpness)
    let judged = closed.judge(own, posterior, TransitionColumns(closed.transition, labels))
    let beliefs = own.likeliest(judged.beliefs)
    let withoutLabel = own.likeliest(posterior)
    let suggested = given.indices.map { given[$0] >= 0 ? beliefs[$0] : withoutLabel[$0] }
    let networks = sources.opinions(known, suggested)
    let evidence = LabelEvidence(
      images: Array(given.indices), labels: known, classes: classes, candidates: parts.candidates,
      logOdds: .stack(logOdds), suggested: suggested, networks: networks, coordinates: sources.coordinates)
    return (evidence, sources.near)
  }
}

extension LabelJudge.Parts {
  func model(of world: LabelEvidence.World) -> NoiseModel? {
    switch world {
    case .closed, .even: explanation.closed
    case .open: explanation.open
    case .plain, .plainEven: explanation.plain
    }
  }
}

/// The sources of evidence about new images, in the order in which noise models were fitted to them.
private struct NewSources {
  let closed: [Tensor]
  let open: [Tensor]
  let plain: [Tensor]
  let near: [[LabelJudge.Neighbor]]
  let coordinates: Tensor
  /// By network, `[n, C]` each.
  private let cosines: [Tensor]
  private let disagreement: [Float]

  init(_ judge: LabelJudge, _ features: Tensor, _ scorers: [Scorer]) {
    let parts = judge.parts
    let temperature = judge.model.configuration.losses.temperature
    let projected = judge.model.components.map { $0.batchInvariant(features) } ?? features
    let scales = judge.model.components?.softWhitening
    let directions = (scales.map { projected * $0 } ?? projected).normalized()
    let centered = directions - parts.center
    coordinates = LabelEvidence.coordinates(centered)
    func posterior(_ classifier: LinearClassifier) -> Tensor {
      classifier.batchInvariant(centered).logSoftmax(dim: 1)
    }

    // One more than count: of an image that is in the training set itself, the copy is a witness of its own.
    let found = parts.index.nearest(directions, k: min(parts.k + 1, parts.index.count))
    let same = NeighborSearch.sameCosine(dimension: parts.index.dimension)
    let near = (0..<features.size(0)).map { row -> ArraySlice<Int32> in
      let all = found.rows[row * found.k..<(row + 1) * found.k]
      let isCopy = found.k > 0 && found.cosines[row * found.k] >= same
      return all.prefix(isCopy ? parts.k + 1 : parts.k).filter { $0 >= 0 }[...]
    }
    self.near = near.enumerated().map { row, rows in
      rows.enumerated().map { place, image in
        LabelJudge.Neighbor(place: Int(image), cosine: found.cosines[row * found.k + place])
      }
    }
    cosines = scorers.map { $0.batchInvariantCosines(projected) }
    disagreement = cosines.isEmpty ? [] : judge.model.disagreements(cosines)
    let mean = Self.mean(cosines)
    let first = parts.sources.first.map { [posterior($0)] } ?? []

    var closed = parts.sources.closed.map { [posterior($0)] } ?? []
    func logShares(_ votes: ClassVotes) -> Tensor {
      votes.logShares(near.count) { row, add in for image in near[row] { add(votes, Int(image)) } }
    }
    if let votes = parts.sources.closedVotes { closed.append(logShares(votes)) }
    // Other models have not seen these images: all classes are alike to them.
    let even = Tensor.full([features.size(0), judge.classes], -log(Double(judge.classes)))
    let given = Array(repeating: even, count: parts.given)
    closed += first + given
    if let mean { closed.append(EvidenceFinder.network(mean, temperature: temperature, isOpen: false)) }
    self.closed = closed

    var open: [Tensor] = []
    if let votes = parts.sources.openVotes {
      let shares = logShares(votes)
      func opened(_ source: Tensor) -> Tensor { EvidenceFinder.opened(source, near: shares) }
      open = parts.sources.open.map { [opened(posterior($0))] } ?? []
      open.append(shares)
      open += (first + given).map(opened)
      if let mean { open.append(EvidenceFinder.network(mean, temperature: temperature, isOpen: true)) }
    }
    self.open = open
    plain = first + (parts.sources.plainVotes.map { [logShares($0)] } ?? []) + given
  }

  func of(_ world: LabelEvidence.World) -> [Tensor] {
    switch world {
    case .closed, .even: closed
    case .open: open
    case .plain, .plainEven: plain
    }
  }

  func opinions(_ labels: [Int], _ suggested: [Int]) -> LabelEvidence.NetworkOpinions? {
    guard let mean = Self.mean(cosines) else { return nil }
    func values(_ classes: [Int]) -> [Float] {
      mean.gather(dim: 1, Tensor(classes).unsqueezed(dim: 1)).squeezed(dim: 1).floats()
    }
    return LabelEvidence.NetworkOpinions(
      cosine: values(labels), suggestedCosine: values(suggested), disagreement: disagreement)
  }

  /// None of the networks was trained on the images, so all count.
  private static func mean(_ cosines: [Tensor]) -> Tensor? {
    guard let first = cosines.first else { return nil }
    return cosines.dropFirst().reduce(first, +) / Double(cosines.count)
  }
}
