import Torch

/// The result of training: networks, the reference sets and settings that belong to them, and the rule for decisions.
public struct CleanNetModel: Sendable {
  /// One network, or one per fold; each judges the images that it was not trained on.
  public let networks: [Network]
  /// In the space that the networks see.
  public let references: ReferenceSets
  /// How features become the networks' input; nil: by the configuration's normalization alone.
  package let components: PrincipalComponents?
  /// The paper's threshold and its calibration, from validation images; nil with the extended objective, which decides
  /// by all evidence.
  public let decision: Decision?
  public let configuration: Configuration

  /// D, the dimension of the features that the model judges.
  public var featureDimension: Int { components?.mean.size(0) ?? references.dimension }

  /// One for each network.
  package var scorers: [Scorer] {
    let normalization: FeatureNormalization = components == nil ? configuration.normalization : .none
    return networks.map { Scorer($0, references, normalization: normalization) }
  }
}

// MARK: As a file's content

extension CleanNetModel {
  /// Everything that is not a tensor.
  private struct Settings: Codable {
    var configuration: Configuration
    var decision: Decision?
  }

  private static let settingsKey = "cleannet"

  /// The model as tensors and metadata, ready to be written as safetensors.
  public func checkpoint() throws -> Checkpoint {
    let networks = networks.enumerated().flatMap { $1.parameters.prefixed("network.\($0)") }
    var checkpoint = Checkpoint(networks + references.tensors + (components?.tensors ?? []))
    try checkpoint.set(Settings(configuration: configuration, decision: decision), key: Self.settingsKey)
    return checkpoint
  }

  /// Restores the content of ``checkpoint()``.
  ///
  /// - Throws: ``ModelError`` or `ParameterError` where something is missing or does not fit.
  public init(_ checkpoint: Checkpoint) throws {
    let settings = try checkpoint.required(Settings.self, key: Self.settingsKey)
    let tensors = checkpoint.tensorsByName
    let configuration = settings.configuration
    let components =
      try configuration.components == nil
      ? nil : PrincipalComponents(tensors, normalization: configuration.normalization)
    let references = try ReferenceSets(tensors)
    let inner = configuration.network(dimension: references.dimension)
    guard configuration.folds > 0 else { throw ModelError.noModel }
    let networks = try (0..<configuration.folds).map { fold throws in
      // Sizes in the file count only if the tensors have them, because networks are made as large as these.
      let sizes = inner.architecture
      for (name, shape) in [
        ("query.first", [sizes.queryHidden, sizes.dimension]),
        ("query.second", [sizes.embedding, sizes.queryHidden]),
        ("reference.first", [sizes.referenceHidden, sizes.dimension]),
        ("reference.second", [sizes.attention, sizes.referenceHidden]),
      ] {
        let name = "network.\(fold).\(name).weight"
        guard let found = tensors[name]?.shape else { throw ParameterError.missing(name) }
        guard found == shape else { throw ParameterError.shape(name, found: found, expected: shape) }
      }
      let network = Network(inner.architecture, bfloat16: inner.training.bfloat16, seed: 0)
      let prefix = "network.\(fold)."
      try network.restore(
        Dictionary(
          uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }
            .map { (String($0.key.dropFirst(prefix.count)), $0.value) }))
      return network
    }
    self.init(
      networks: networks, references: references, components: components, decision: settings.decision,
      configuration: configuration)
  }
}

extension Checkpoint {
  /// A value of the metadata without which the file is no model.
  package func required<Value: Decodable>(_ type: Value.Type, key: String) throws(ModelError) -> Value {
    let found: Value?
    do { found = try value(type, key: key) } catch { throw .otherVersion("\(error)") }
    guard let found else { throw .noModel }
    return found
  }
}

/// The reason why a file is not a model.
public enum ModelError: Error, Sendable, Equatable, CustomStringConvertible {
  case noModel
  case otherVersion(String)
  /// The file does not hold what was written to it.
  case damaged

  public var description: String {
    switch self {
    case .noModel: "The file holds no CleanNet model: its metadata lack \"cleannet\"."
    case .otherVersion(let reason):
      "The model was written by another version of CleanNet (\(reason)). Train it again."
    case .damaged: "The file is damaged: it is not as it was written, since its digest differs."
    }
  }
}
