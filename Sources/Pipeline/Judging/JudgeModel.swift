import CleanNet
import Foundation
import Torch
import Workspace

/// A trained model with all that judging new images needs: who the classes are, what people's verdicts made of the
/// evidence, how images become features. From a workspace, or from a file that stands alone.
package struct JudgeModel: Sendable {
  /// By what labels are judged.
  enum Method: Sendable {
    /// The extended objective's evidence.
    case evidence(LabelJudge, VerdictModel)
    /// The paper's cosine.
    case cosine(CleanNetModel)
  }

  /// Names of training images, by their place in the judge's index.
  enum Keys: Sendable {
    case stored(KeyTable)
    case workspace(Workspace, [Int])
    case none
  }

  /// How images become features.
  struct Embedding: Sendable, Codable {
    var settings: EmbedStage.Settings
    /// Where the networks' weights lay when the model was trained.
    var paths: [String]
  }

  let method: Method
  let keys: Keys
  /// By class number.
  package let classNames: [String]
  /// Below it a label is called wrong; of the probability, or of the cosine.
  package let threshold: Double
  /// nil: the model's features were imported, so that it judges features only.
  let embedding: Embedding?
  /// Says which model it is: the same for the same model, verdicts and threshold.
  package let identity: String

  private let classNumbers: [String: Int]

  init(
    method: Method, keys: Keys, classNames: [String], threshold: Double, embedding: Embedding?,
    identity: String
  ) {
    self.method = method
    self.keys = keys
    self.classNames = classNames
    self.threshold = threshold
    self.embedding = embedding
    self.identity = identity
    classNumbers = Dictionary(zip(classNames, 0...)) { first, _ in first }
  }

  /// D, the dimension of the features that are judged.
  package var featureDimension: Int {
    switch method {
    case .evidence(let judge, _): judge.featureDimension
    case .cosine(let model): model.featureDimension
    }
  }

  /// The number of a class; nil if the model has none of that name.
  package func classNumber(_ name: String) -> Int? { classNumbers[name] }

  /// The names of training images.
  ///
  /// - Parameter places: Their places in the judge's index.
  func names(_ places: [Int]) throws -> [String] {
    switch keys {
    case .stored(let table): return places.map { table[$0] }
    case .workspace(let workspace, let images):
      let ids = places.map { images[$0] }
      let found = Dictionary(
        try workspace.samples(Set(ids).sorted()).map { ($0.id, $0.key) }
      ) { first, _ in first }
      return ids.map { found[$0] ?? "" }
    case .none: return places.map { _ in "" }
    }
  }
}

/// Many short texts in two arrays.
struct KeyTable: Sendable {
  private let starts: [Int32]
  private let bytes: Data

  init(_ texts: [String]) {
    var starts: [Int32] = [0]
    var bytes = Data()
    for text in texts {
      bytes.append(contentsOf: text.utf8)
      starts.append(Int32(bytes.count))
    }
    self.starts = starts
    self.bytes = bytes
  }

  subscript(place: Int) -> String {
    let start = bytes.startIndex
    return String(
      decoding: bytes[start + Int(starts[place])..<start + Int(starts[place + 1])], as: UTF8.self)
  }

  var stored: [(name: String, tensor: StoredTensor)] {
    let places = StoredTensor(
      dtype: .int32, shape: [starts.count], bytes: starts.withUnsafeBytes { Data($0) })
    return [
      ("keys.starts", places), ("keys.text", StoredTensor(dtype: .uint8, shape: [bytes.count], bytes: bytes)),
    ]
  }

  /// - Returns: nil where the file has no such table, or one that does not fit.
  init?(_ file: Checkpoint, count: Int) {
    guard let text = file["keys.text"], let places = file["keys.starts"] else { return nil }
    let starts = Tensor(places).ints()
    let isRising = zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    guard starts.count == count + 1, starts.first == 0, starts.last == text.bytes.count, isRising else {
      return nil
    }
    self.starts = starts.map { Int32($0) }
    bytes = text.bytes
  }
}

// MARK: From a workspace

extension JudgeModel {
  /// The model that was trained last, with the verdicts and the threshold that there are now.
  ///
  /// - Throws: ``PipelineError`` if there is none or it cannot judge new images.
  package init(_ workspace: Workspace) throws {
    let workspace = try workspace.snapshot()
    guard let run = try workspace.finishedRun(stage: "train") else {
      throw PipelineError(.missingInput, "No model has been trained yet", remedy: "Run: cleannet train")
    }
    let files = ModelFiles(workspace, key: run.key)
    let model = try files.readModel()
    let names = Array(try workspace.classNames().prefix(model.references.classes))
    let outcome = run.metrics.flatMap {
      try? JSONDecoder().decode(TrainStage.Outcome.self, from: Data($0.utf8))
    }
    var identity = StableHash()
    identity.combine(run.key)
    let method: Method
    var keys = Keys.none
    if model.components == nil {
      method = .cosine(model)
    } else {
      guard let evidence = try files.readEvidence() else {
        throw PipelineError(
          .missingInput, "The model's evidence is not there or damaged",
          remedy: "Train it again: cleannet train")
      }
      let judge = try files.readJudge(model)
      let labels = try workspace.trainLabels()
      let slipRates = try workspace.slipRates()
      let rows = Dictionary(uniqueKeysWithValues: evidence.images.enumerated().map { ($1, $0) })
      // A verdict is about the label that the image had; of one that was corrected since, it says nothing.
      let verdicts = try workspace.verifications().compactMap { verdict -> VerdictModel.Verdict? in
        guard let row = rows[verdict.sample], labels[verdict.sample] == evidence.labels[row] else {
          return nil
        }
        identity.combine(verdict.sample)
        identity.combine(verdict.isRight ? 1 : 0)
        return VerdictModel.Verdict(
          row: row, isRight: verdict.isRight, slipRate: slipRates[verdict.sample] ?? 0)
      }
      method = .evidence(judge, VerdictModel(evidence, verdicts: verdicts))
      keys = .workspace(workspace, judge.images)
    }
    let threshold = try Self.threshold(workspace, run, model)
    identity.combine("\(threshold)")
    self.init(
      method: method, keys: keys, classNames: names, threshold: threshold,
      embedding: try Self.embedding(workspace, outcome?.features), identity: identity.text)
  }

  /// That of the last scores, if they are the model's: `score --target-noise` moves it.
  private static func threshold(
    _ workspace: Workspace, _ training: StageRun, _ model: CleanNetModel
  ) throws -> Double {
    let usual = model.components == nil ? model.decision?.threshold ?? model.configuration.losses.margin : 0.5
    guard let run = try workspace.finishedRun(stage: "score"),
      run.inputs?["model"] == training.key,
      try ScoreStage.lastSettings(workspace)?.targetNoise != nil,
      let scores = try? workspace.scores(key: run.key),
      let row = scores.first(where: { $0.threshold.isFinite })
    else { return usual }
    return Double(row.threshold)
  }

  private static func embedding(_ workspace: Workspace, _ key: String?) throws -> Embedding? {
    let set =
      try key.flatMap { try workspace.featureSet(key: $0) } ?? LabeledFeatures.currentFeatures(workspace)
    guard set.key != FeatureSet.imported,
      let run = try workspace.finishedRun(stage: EmbedStage.stage, key: set.key),
      let settings = try? JSONDecoder().decode(EmbedStage.Settings.self, from: Data(run.settings.utf8))
    else { return nil }
    let paths = settings.parts.indices.map { place in
      set.about[settings.parts.count == 1 ? "weights" : "weights \(place + 1)"] ?? ""
    }
    return Embedding(settings: settings, paths: paths)
  }
}

// MARK: As a file

extension JudgeModel {
  private static let metadataKey = "cleannet-judge"

  /// Everything that is not a tensor.
  private struct About: Codable {
    var classNames: [String]
    var threshold: Double
    var verdicts: VerdictModel?
    var embedding: Embedding?
    var identity: String
  }

  /// Writes a file that judges without the workspace, completely or not at all: safetensors.
  package func write(to path: String) throws {
    var about = About(
      classNames: classNames, threshold: threshold, verdicts: nil, embedding: embedding, identity: identity)
    var file: Checkpoint
    switch method {
    case .cosine(let model): file = try model.checkpoint()
    case .evidence(let judge, let verdicts):
      about.verdicts = verdicts
      file = try judge.model.checkpoint()
      file.add(try judge.checkpoint())
      let keys = KeyTable(try names(Array(judge.images.indices)))
      for (name, tensor) in keys.stored { file.tensors.append(tensor, named: name) }
    }
    try file.set(about, key: Self.metadataKey)
    try file.writeSealed(to: path)
  }

  /// Opens what ``write(to:)`` wrote.
  ///
  /// - Throws: ``PipelineError`` or `CheckpointError` if it is no such file.
  package init(file path: String) throws {
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw PipelineError(
        .missingInput, "The model \(path) cannot be read",
        remedy: "Write one: cleannet export model --out FILE")
    }
    let read = try Checkpoint.read(path: path)
    do {
      guard read.metadata[Self.metadataKey] != nil else { throw ModelError.noModel }
      guard let file = read.unsealed else {
        throw read.isSealed ? ModelError.damaged : .otherVersion("it lacks a digest")
      }
      let about = try file.required(About.self, key: Self.metadataKey)
      let model = try CleanNetModel(file)
      guard about.classNames.count == model.references.classes else { throw ModelError.noModel }
      var method = Method.cosine(model)
      var keys = Keys.none
      if let verdicts = about.verdicts {
        let judge = try LabelJudge(file, model: model)
        method = .evidence(judge, verdicts)
        keys = KeyTable(file, count: judge.images.count).map { .stored($0) } ?? .none
      }
      self.init(
        method: method, keys: keys, classNames: about.classNames, threshold: about.threshold,
        embedding: about.embedding, identity: about.identity)
    } catch {
      throw PipelineError(
        .badInput, "The file \(path) cannot judge: \(error)",
        remedy: "Write one with this version: cleannet export model --out FILE")
    }
  }
}
