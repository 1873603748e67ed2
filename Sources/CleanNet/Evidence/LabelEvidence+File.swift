import Torch

// MARK: As a file's content

extension LabelEvidence {
  private static let metadataKey = "evidence"

  private struct About: Codable {
    var classes: Int
    var candidates: [Candidate]
    var neighbors: NeighborQuality?
  }

  /// The evidence as tensors and metadata, ready to be written as safetensors.
  public func checkpoint() throws -> Checkpoint {
    var tensors: [(name: String, tensor: Tensor)] = [
      ("log_odds", logOdds), ("images", Tensor(images)), ("labels", Tensor(labels)),
      ("suggested", Tensor(suggested)),
    ]
    if let coordinates { tensors.append(("coordinates", coordinates)) }
    if let networks {
      tensors += [
        ("cosine", Tensor(networks.cosine)), ("suggested_cosine", Tensor(networks.suggestedCosine)),
        ("disagreement", Tensor(networks.disagreement)),
      ]
    }
    var checkpoint = Checkpoint(tensors)
    try checkpoint.set(
      About(classes: classes, candidates: candidates, neighbors: neighbors), key: Self.metadataKey)
    return checkpoint
  }

  /// Restores the content of ``checkpoint()``.
  ///
  /// - Throws: ``ModelError`` or `ParameterError` where something is missing or does not fit.
  public init(_ checkpoint: Checkpoint) throws {
    let about = try checkpoint.required(About.self, key: Self.metadataKey)
    let tensors = checkpoint.tensorsByName
    func tensor(_ name: String) throws -> Tensor {
      guard let found = tensors[name] else { throw ParameterError.missing(name) }
      return found
    }
    let images = try tensor("images").ints()
    let labels = try tensor("labels").ints()
    let logOdds = try tensor("log_odds")
    let suggested = try tensor("suggested").ints()
    guard logOdds.shape == [about.candidates.count, images.count], labels.count == images.count,
      suggested.count == images.count, images.allSatisfy({ $0 >= 0 }),
      (labels + suggested).allSatisfy({ (0..<about.classes).contains($0) })
    else { throw ModelError.otherVersion("its tensors do not fit together") }
    let networks = try tensors["cosine"].map { cosine throws in
      NetworkOpinions(
        cosine: cosine.floats(), suggestedCosine: try tensor("suggested_cosine").floats(),
        disagreement: try tensor("disagreement").floats())
    }
    if let networks,
      [networks.cosine, networks.suggestedCosine, networks.disagreement].contains(where: {
        $0.count != images.count
      })
    {
      throw ModelError.otherVersion("its tensors do not fit together")
    }
    let coordinates = tensors["coordinates"]
    if let coordinates, coordinates.shape.count != 2 || coordinates.size(0) != images.count {
      throw ModelError.otherVersion("its tensors do not fit together")
    }
    self.init(
      images: images, labels: labels, classes: about.classes, candidates: about.candidates, logOdds: logOdds,
      suggested: suggested, networks: networks, neighbors: about.neighbors, coordinates: coordinates)
  }

  /// The verdicts among `verifications` that are about images of the evidence, by row.
  public func verdicts(_ verifications: [VerificationLabel]) -> [VerdictModel.Verdict] {
    let rows = Dictionary(uniqueKeysWithValues: images.enumerated().map { ($1, $0) })
    return verifications.compactMap { label in
      rows[label.image].map {
        VerdictModel.Verdict(row: $0, isRight: label.isRight, slipRate: label.slipRate)
      }
    }
  }
}
