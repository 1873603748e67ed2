import Torch

// MARK: As a file's content

extension LabelJudge {
  private static let metadataKey = "judge"

  /// Everything that is not a tensor.
  private struct About: Codable {
    var k: Int
    var candidates: [LabelEvidence.Candidate]
    var closed: [Double]
    var open: [Double]?
    var plain: [Double]?
    /// Candidates with a T of their own.
    var transitions: [Int]
    var given: Int
  }

  /// Everything but the model itself as tensors and metadata, ready to be written as safetensors.
  ///
  /// The vectors of the index are not copied.
  public func checkpoint() throws -> Checkpoint {
    let explanation = parts.explanation
    let about = About(
      k: parts.k, candidates: parts.candidates, closed: explanation.closed.exponents,
      open: explanation.open?.exponents, plain: explanation.plain?.exponents,
      transitions: explanation.transitions.indices.filter { explanation.transitions[$0] != nil },
      given: parts.given)
    var tensors: [(name: String, tensor: Tensor)] = [
      ("judge.center", parts.center), ("judge.frequencies", parts.frequencies),
      ("judge.images", Tensor(images)), ("judge.labels", Tensor(labels).to(.int32)),
      ("judge.closed", explanation.closed.transition),
    ]
    if let open = explanation.open { tensors.append(("judge.open", open.transition)) }
    if let plain = explanation.plain { tensors.append(("judge.plain", plain.transition)) }
    for (place, transition) in explanation.transitions.enumerated() {
      if let transition { tensors.append(("judge.transition.\(place)", transition)) }
    }
    let classifiers = [
      ("first", parts.sources.first), ("closed", parts.sources.closed), ("open", parts.sources.open),
    ]
    for (name, classifier) in classifiers {
      guard let classifier else { continue }
      tensors.append(("judge.discriminant.\(name).weights", classifier.weights))
      tensors.append(("judge.discriminant.\(name).bias", classifier.bias))
    }
    var checkpoint = Checkpoint(tensors)
    try checkpoint.set(about, key: Self.metadataKey)
    let votes = [
      ("plain", parts.sources.plainVotes), ("closed", parts.sources.closedVotes),
      ("open", parts.sources.openVotes),
    ]
    let tables = votes.flatMap { name, votes in votes?.stored("judge.votes.\(name)") ?? [] }
    for (name, tensor) in tables + parts.index.stored { checkpoint.tensors.append(tensor, named: name) }
    return checkpoint
  }

  /// Restores the content of ``checkpoint()``.
  ///
  /// - Throws: ``ModelError`` or `ParameterError` where something is missing or does not fit.
  public init(_ file: Checkpoint, model: CleanNetModel) throws {
    let about = try file.required(About.self, key: Self.metadataKey)
    func tensor(_ name: String) throws(ParameterError) -> Tensor {
      guard let found = file["judge.\(name)"] else { throw .missing("judge.\(name)") }
      return Tensor(found)
    }
    let index = try NeighborIndex(file)
    let classes = model.references.classes
    let images = try tensor("images").ints()
    let labels = try tensor("labels").ints()
    let center = try tensor("center")
    let frequencies = try tensor("frequencies")
    guard images.count == index.count, labels.count == index.count, center.shape == [index.dimension],
      frequencies.shape == [classes], labels.allSatisfy({ (0..<classes).contains($0) }), about.k >= 0,
      about.given >= 0
    else { throw ModelError.otherVersion("the tensors of its index do not fit together") }

    func noise(_ name: String, _ exponents: [Double]?, states: Int) throws -> NoiseModel? {
      guard let exponents else { return nil }
      var noise = NoiseModel(classes: classes, exponents: exponents)
      noise.transition = try tensor(name)
      guard noise.transition.shape == [states, classes] else {
        throw ModelError.otherVersion("the tensor judge.\(name) is not of its classes")
      }
      return noise
    }
    guard let closed = try noise("closed", about.closed, states: classes) else { throw ModelError.noModel }
    var explanation = EvidenceFinder.Explanation(
      closed: closed, open: try noise("open", about.open, states: classes + 1),
      plain: try noise("plain", about.plain, states: classes))
    explanation.transitions = Array(repeating: nil, count: about.candidates.count)
    for place in about.transitions where about.candidates.indices.contains(place) {
      let states = about.candidates[place].world == .open ? classes + 1 : classes
      explanation.transitions[place] = try noise("transition.\(place)", [], states: states)?.transition
    }

    func classifier(_ name: String) throws -> LinearClassifier? {
      guard file["judge.discriminant.\(name).weights"] != nil else { return nil }
      let found = LinearClassifier(
        weights: try tensor("discriminant.\(name).weights"), bias: try tensor("discriminant.\(name).bias"))
      guard found.weights.shape == [index.dimension, classes], found.bias.shape == [classes] else {
        throw ModelError.otherVersion("a discriminant is not of its classes")
      }
      return found
    }
    func votes(_ name: String, states: Int) throws -> ClassVotes? {
      guard file["judge.votes.\(name).starts"] != nil else { return nil }
      let found = try ClassVotes(file, named: "judge.votes.\(name)", count: index.count)
      guard found.states == states else { throw ModelError.otherVersion("votes are not of its classes") }
      return found
    }
    let sources = EvidenceFinder.KeptSources(
      first: try classifier("first"), plainVotes: try votes("plain", states: classes),
      closed: try classifier("closed"), closedVotes: try votes("closed", states: classes),
      open: try classifier("open"), openVotes: try votes("open", states: classes + 1))
    self.init(
      model: model, images: images, labels: labels,
      parts: Parts(
        index: index, k: about.k, center: center, frequencies: frequencies, sources: sources,
        explanation: explanation, candidates: about.candidates, given: about.given))
  }
}
