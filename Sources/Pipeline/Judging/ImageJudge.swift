import Backbones
import CleanNet
import Datasets
import Foundation
import Images
import Synchronization
import Torch
import Workspace

/// An image, or its features, with a label to be judged.
package struct NewImage: Sendable {
  package enum Content: Sendable {
    case location(ImageLocation)
    /// Encoded, such as the bytes of a JPEG file.
    case bytes([UInt8])
    case features([Float])
    /// Why there is nothing to judge.
    case problem(String)
  }

  /// The image's name in the answer.
  package var key: String
  package var label: String?
  package var content: Content

  package init(key: String, label: String?, content: Content) {
    self.key = key
    self.label = label
    self.content = content
  }
}

/// The answer about a ``NewImage``.
package struct JudgedImage: Sendable, Encodable {
  /// A training image that is similar.
  package struct Near: Sendable, Encodable {
    package var key: String
    package var label: String
    package var cosine: Float
  }

  package var key: String
  package var label: String?
  /// `right` or `wrong`; nil where the label was not judged.
  package var verdict: String?
  /// The probability that the label is right.
  package var probability: Float?
  package var threshold: Double?
  /// The class that fits best.
  package var suggestedLabel: String?
  /// cos(φ_q, φ_s) with the label's class, and with the suggested one.
  package var cosine: Float?
  package var suggestedCosine: Float?
  /// How far the model's networks disagree, from 0 to 1.
  package var disagreement: Float?
  /// The most similar training images.
  package var nearest: [Near]?
  /// Why there is no answer.
  package var error: String?

  enum CodingKeys: String, CodingKey {
    case key, label, verdict, probability, threshold
    case suggestedLabel = "suggested_label"
    case cosine
    case suggestedCosine = "suggested_cosine"
    case disagreement, nearest, error
  }

  init(key: String, label: String?, error: String? = nil) {
    self.key = key
    self.label = label
    self.error = error
  }
}

/// Judges images that come later, by a ``JudgeModel``. An image that cannot be judged gets an answer that says why.
package final class ImageJudge: Sendable {
  package let model: JudgeModel
  private let threads: Int
  private let nearest: Int
  private let networks: NetworkLoader?
  private let access = ImageAccess()

  /// Images that are seen and judged together.
  package static let batch = 256
  /// Rows of features that are judged together: the more there are, the more of them search the same lists of an index.
  package static let featureBatch = 2048

  /// - Parameters:
  ///   - nearest: How many of the most similar training images answers name.
  ///   - weights: Files of the networks, where they lie elsewhere than when the model was trained.
  package init(
    _ model: JudgeModel, nearest: Int = 0, weights: [String] = [], device: DeviceChoice = .auto, threads: Int
  ) throws {
    self.model = model
    self.nearest = nearest
    self.threads = threads
    if let embedding = model.embedding, !weights.isEmpty, weights.count != embedding.settings.parts.count {
      throw PipelineError(
        .badInput,
        "The model uses \(embedding.settings.parts.count) networks, but \(weights.count) files are named",
        remedy: "Name the files in this order: "
          + embedding.settings.parts.map(\.network).joined(separator: ", "))
    }
    networks = model.embedding.map { NetworkLoader($0, weights: weights, device: device) }
  }

  /// Judges some images; answers are in their order.
  ///
  /// - Throws: ``PipelineError`` if the model's networks cannot be loaded.
  package func judge(_ images: [NewImage]) throws -> [JudgedImage] {
    var answers: [JudgedImage] = []
    // Decoded images are large, rows of features are not.
    let hasFeatures = images.allSatisfy { if case .features = $0.content { true } else { false } }
    let size = hasFeatures ? Self.featureBatch : Self.batch
    for start in stride(from: 0, to: images.count, by: size) {
      answers += try judgeBatch(images[start..<min(start + size, images.count)])
    }
    return answers
  }

  private func judgeBatch(_ images: ArraySlice<NewImage>) throws -> [JudgedImage] {
    let rows = Tensor.full([images.count, model.featureDimension], .nan)
    var errors = [String?](repeating: nil, count: images.count)
    var sources: [(source: ImageSource, place: Int)] = []
    for (place, image) in images.enumerated() {
      do throws(ImageProblem) {
        switch image.content {
        case .location(let location):
          sources.append((try access.source(location, key: image.key), place))
        case .bytes(let bytes): sources.append((.encoded(name: image.key, bytes: bytes), place))
        case .features(let values): errors[place] = fill(rows, place, values)
        case .problem(let what): errors[place] = what
        }
      } catch {
        errors[place] = error.explanation
      }
    }
    if !sources.isEmpty {
      guard let networks else {
        throw PipelineError(
          .badInput, "The model was trained on imported features, so it cannot judge images",
          remedy: "Give features: --features FILE, or \"features\" in JSON lines")
      }
      let embedder = ImageEmbedder(worker: try networks.worker(), threads: threads)
      for (place, problem) in embedder.embed(sources, into: rows) { errors[place] = problem.explanation }
    }
    return try answers(images, rows, errors)
  }

  /// - Returns: The fault of the features.
  private func fill(_ rows: Tensor, _ place: Int, _ values: [Float]) -> String? {
    guard values.count == model.featureDimension else {
      return "The row has \(values.count) features, and the model judges \(model.featureDimension)."
    }
    guard values.allSatisfy(\.isFinite) else { return "Some features are not finite numbers." }
    rows[place].copyInPlace(Tensor(values))
    return nil
  }

  private func answers(
    _ images: ArraySlice<NewImage>, _ rows: Tensor, _ errors: [String?]
  ) throws -> [JudgedImage] {
    var labels: [Int] = []
    var answers: [JudgedImage] = []
    for (image, error) in zip(images, errors) {
      let number = image.label.flatMap(model.classNumber)
      labels.append(number ?? -1)
      var answer = JudgedImage(key: image.key, label: image.label, error: error)
      if error == nil, let label = image.label, number == nil {
        answer.error = "The label \"\(label)\" is none of the model's \(model.classNames.count) classes."
      }
      answers.append(answer)
    }
    switch model.method {
    case .evidence(let judge, let verdicts):
      let judged = judge.judge(rows, labels: labels, verdicts: verdicts, neighbors: nearest)
      for place in answers.indices {
        fill(
          &answers[place], probability: judged.probability[place], score: judged.probability[place],
          cosine: judged.cosine[place], suggested: judged.suggestedClass[place],
          suggestedCosine: judged.suggestedCosine[place])
        answers[place].disagreement = judged.disagreement[place].finite
        if nearest > 0, errors[place] == nil {
          answers[place].nearest = try near(judged.nearest[place], judge)
        }
      }
    case .cosine(let network):
      let cosines = network.scorers[0].batchInvariantCosines(rows)
      let top = cosines.argmax(dim: 1).ints()
      let values = cosines.floats()
      let classes = model.classNames.count
      for place in answers.indices where values[place * classes].isFinite {
        let cosine = labels[place] < 0 ? Float.nan : values[place * classes + labels[place]]
        let probability = network.decision.map { Float($0.probability(Double(cosine))) } ?? .nan
        fill(
          &answers[place], probability: probability, score: cosine, cosine: cosine, suggested: top[place],
          suggestedCosine: values[place * classes + top[place]])
      }
    }
    return answers
  }

  private func fill(
    _ answer: inout JudgedImage, probability: Float, score: Float, cosine: Float, suggested: Int,
    suggestedCosine: Float
  ) {
    answer.suggestedLabel = suggested >= 0 ? model.classNames[suggested] : nil
    answer.suggestedCosine = suggestedCosine.finite
    guard let score = score.finite else { return }
    answer.probability = probability.finite
    answer.cosine = cosine.finite
    answer.threshold = model.threshold
    answer.verdict = Double(score) >= model.threshold ? "right" : "wrong"
  }

  private func near(_ neighbors: [LabelJudge.Neighbor], _ judge: LabelJudge) throws -> [JudgedImage.Near] {
    let names = try model.names(neighbors.map(\.place))
    return zip(neighbors, names).map { neighbor, name in
      JudgedImage.Near(
        key: name, label: model.classNames[judge.labels[neighbor.place]], cosine: neighbor.cosine)
    }
  }
}

extension Float {
  fileprivate var finite: Float? { isFinite ? self : nil }
}

/// The networks by which a model sees images, loaded when the first image comes.
final class NetworkLoader: Sendable {
  private let embedding: JudgeModel.Embedding
  private let weights: [String]
  private let device: DeviceChoice
  private let loaded = Mutex<EmbedWorker?>(nil)

  init(_ embedding: JudgeModel.Embedding, weights: [String], device: DeviceChoice) {
    self.embedding = embedding
    self.weights = weights
    self.device = device
  }

  func worker() throws -> EmbedWorker {
    try loaded.withLock { loaded in
      if let loaded { return loaded }
      try Vips.load()
      let device = try self.device.device()
      let plans = try embedding.settings.parts.enumerated().map { place, part in
        try plan(part, at: place, on: device)
      }
      let worker = try EmbedWorker(plans, device: device)
      loaded = worker
      return worker
    }
  }

  private func plan(_ part: EmbedStage.Settings.Part, at place: Int, on device: Device) throws -> NetworkPlan
  {
    let use = NetworkUse(
      size: part.preparation.size, pooling: part.pooling ?? .auto,
      precision: part.precision == "bf16" ? .bfloat16 : .float32, device: device)
    let known = embedding.paths.indices.contains(place) ? embedding.paths[place] : ""
    let named = weights.indices.contains(place) ? weights[place] : nil
    let path = named ?? (FileManager.default.isReadableFile(atPath: known) ? known : nil)
    let source: NetworkSource
    if let kind = part.backbone, named == nil || BackboneKind(rawValue: named ?? "") == nil {
      source = .builtIn(kind, weights: path)
    } else if let path {
      source = .file(path)
    } else {
      throw PipelineError(
        .missingInput, "The network \(known), which the model uses, is not here",
        remedy: "Copy it here and name it: --network FILE")
    }
    let plan = try NetworkPlan(source, use)
    guard plan.settings.weights == part.weights else {
      throw PipelineError(
        .badInput, "\(plan.path) holds weights that the model was not trained with",
        remedy: "Name the file of \(part.network) from training: --network FILE")
    }
    return plan
  }
}
