import Backbones
import Datasets
import Foundation
import Images
import Synchronization
import Torch
import Workspace

/// Computes the features of all images that have none yet.
///
/// Each thread decodes a batch and then runs the network on it, so that neither ever waits for the other and memory
/// holds two batches a thread, whatever the number of images. Rows are written by blocks of ``blockSize`` samples; a
/// program that is killed loses the block it is in.
public struct EmbedStage: Sendable {
  /// The networks whose features lie side by side in an image's row.
  public var networks = Quality.good.networks
  /// Width and height of the images that the networks see; nil: what each was trained for, however small the images are.
  public var size: Int?
  /// What stands for an image in networks with tokens.
  public var pooling = Pooling.auto
  public var precision = Precision.auto
  public var device = DeviceChoice.auto
  public var threads = 2
  /// How images that were named by an address are downloaded first.
  public var download = DownloadStage()

  /// Samples whose features are written at a time; divides a shard.
  static let blockSize = 1024
  /// Images that a thread decodes before it runs the network.
  static let batchSize = 32
  /// The same where a GPU runs it.
  static let deviceBatchSize = 64
  static let stage = "embed"

  public init() {}

  public struct Outcome: Sendable, Codable {
    /// The feature set's key.
    public var features: String
    /// Images embedded now.
    public var embedded: Int
    /// Images that were there already.
    public var present: Int
    /// Images that could not be read, of all.
    public var problems: Int
    public var seconds: Double
  }

  /// What the vectors depend on but the images; its hash is the feature set's key.
  struct Settings: Codable {
    /// One network's part of every row, in the order of the numbers.
    struct Part: Codable {
      /// What users call it.
      var network: String
      /// nil: none of the built-in kinds.
      var backbone: BackboneKind?
      /// A hash of the file.
      var weights: String
      /// The numbers that are its own. Of several parts each is scaled to a length of √dimension in every row.
      var dimension: Int
      var precision: String
      var preparation: ImagePreparation
      /// nil: what the network was made for.
      var pooling: Pooling?
    }

    var parts: [Part]

    /// The network, where there is one alone.
    var only: Part? { parts.count == 1 ? parts[0] : nil }
  }

  @discardableResult
  public func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let count = try workspace.sampleCount()
    guard count > 0 else {
      throw PipelineError(
        .missingInput, "The workspace holds no images", remedy: "Run: cleannet import SOURCE")
    }
    if let imported = try workspace.featureSet(key: FeatureSet.imported) {
      throw PipelineError(
        .badInput, "The workspace's features came with its samples (\(imported.dimension) numbers each)",
        remedy: "There is nothing to embed; go on with: cleannet train")
    }
    try Vips.load()
    let device = try self.device.device()
    let use = NetworkUse(size: size, pooling: pooling, precision: precision, device: device)
    let plans = try networks.map { try NetworkPlan($0, use) }
    let settings = Settings(parts: plans.map(\.settings))
    let text = try settings.json()
    let set = try workspace.featureSet(
      key: StableHash.of("features", text), dimension: settings.parts.reduce(0) { $0 + $1.dimension },
      type: .float16, about: settings.about(paths: plans.map(\.path)))
    try download.runIfNeeded(workspace, progress: progress)
    return try workspace.withWriteLock("embed") {
      let late = try lateImages(workspace, set, count)
      let missing = set.missing(of: count)
      let left = missing.reduce(late.count) { $0 + $1.count }
      var outcome = Outcome(features: set.key, embedded: 0, present: count - left, problems: 0, seconds: 0)
      if left > 0 {
        let run = try workspace.beginRun(stage: Self.stage, key: set.key, settings: text)
        let worker = try EmbedWorker(plans, device: device)
        if let some = missing.first, left >= EmbedPace.least {
          let pace = EmbedPace(
            worker, try workspace.samples(in: some.prefix(EmbedPace.images)), threads: threads)
          progress.note(pace.forecast(images: left, settings: settings, threads: threads))
        }
        let start = ContinuousClock.now
        progress.begin("Embedding with \(settings.title)", total: left, unit: "images")
        var bad = 0
        for start in stride(from: 0, to: late.count, by: Self.blockSize) {
          let block = Array(late[start..<min(start + Self.blockSize, late.count)])
          let problems = try replace(block, of: workspace, in: set, by: worker)
          bad += problems
          outcome.embedded += block.count - problems
        }
        for range in missing {
          for block in range.blocks(of: Self.blockSize) {
            let before = outcome.embedded + bad
            let problems = try embed(block, of: workspace, into: set, by: worker) {
              progress.update(before + $0)
            }
            bad += problems
            outcome.embedded += block.count - problems
          }
        }
        outcome.seconds = (ContinuousClock.now - start).inSeconds
        try workspace.finishRun(run, .done, metrics: try outcome.json())
        let rate = Double(left) / max(outcome.seconds, 1e-9)
        progress.end("\(outcome.embedded) images, \(Int(rate.rounded()))/s")
      } else if try workspace.finishedRun(stage: "embed")?.key != set.key {
        // Makes these features the latest, whatever was embedded in between.
        try workspace.finishRun(
          try workspace.beginRun(stage: "embed", key: set.key, settings: text), .done, metrics: outcome.json()
        )
      }
      outcome.problems = try workspace.problems().count { $0.stage == Self.stage }
      return outcome
    }
  }

  /// Embeds the samples of a block on all threads and writes their rows.
  private func embed(
    _ block: Range<Int>, of workspace: Workspace, into set: FeatureSet, by worker: EmbedWorker,
    report: @escaping @Sendable (Int) -> Void
  ) throws -> Int {
    let (rows, found) = compute(try workspace.samples(in: block), set.dimension, by: worker, report: report)
    try workspace.clearProblems(stage: Self.stage, in: block)
    try workspace.addProblems(found)
    try rows.withUnsafeBytes { try set.write(block, $0.bindMemory(to: Float.self)) }
    return found.count
  }

  /// The samples that got an empty row because their image had not come, and whose image is there now.
  private func lateImages(_ workspace: Workspace, _ set: FeatureSet, _ count: Int) throws -> [StoredSample] {
    let missing = set.missing(of: count)
    return try workspace.problems().filter { problem in
      problem.stage == Self.stage && !missing.contains { $0.contains(problem.sample) }
    }.compactMap { problem in
      guard let sample = try workspace.sample(problem.sample), workspace.downloadName(sample.location) != nil,
        case .file(let path) = sample.location, FileManager.default.isReadableFile(atPath: path)
      else { return nil }
      return sample
    }
  }

  /// Embeds samples whose rows are there, and replaces these.
  private func replace(
    _ samples: [StoredSample], of workspace: Workspace, in set: FeatureSet, by worker: EmbedWorker
  ) throws -> Int {
    let (rows, found) = compute(samples, set.dimension, by: worker) { _ in }
    for sample in samples { try workspace.clearProblems(stage: Self.stage, in: sample.id..<(sample.id + 1)) }
    try workspace.addProblems(found)
    try rows.withUnsafeBytes { try set.replace(samples.map(\.id), $0.bindMemory(to: Float.self)) }
    try workspace.noteImageChange()
    return found.count
  }

  /// The rows of some samples, computed on all threads, and what was wrong with those that have none.
  private func compute(
    _ samples: [StoredSample], _ dimension: Int, by worker: EmbedWorker,
    report: @escaping @Sendable (Int) -> Void
  ) -> (rows: Tensor, problems: [SampleProblem]) {
    let rows = Tensor.full([samples.count, dimension], .nan)
    let problems = Mutex<[SampleProblem]>([])
    let done = Mutex(0)
    let batches = Array((0..<samples.count).blocks(of: worker.batchSize))
    concurrently(over: batches.count, threads: threads) { index in
      let batch = batches[index]
      let found = worker.embed(samples[batch], into: rows[batch])
      problems.withLock { $0 += found }
      report(
        done.withLock {
          $0 += batch.count; return $0
        })
    }
    return (rows, problems.withLock { $0 })
  }
}

extension Range<Int> {
  /// The range in pieces that end at multiples of `size`.
  func blocks(of size: Int) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    var start = lowerBound
    while start < upperBound {
      let end = Swift.min(upperBound, (start / size + 1) * size)
      blocks.append(start..<end)
      start = end
    }
    return blocks
  }
}

extension EmbedStage.Settings {
  /// "efficientnet-lite2 at 260 px".
  var title: String {
    parts.map { "\($0.network) at \($0.preparation.size) px" }.joined(separator: " and ")
  }

  /// About the feature set, for people and for other programs.
  func about(paths: [String]) -> [String: String] {
    func joined(_ value: (Part) -> String) -> String { parts.map(value).joined(separator: " + ") }
    var about = [
      "backbone": joined(\.network), "size": joined { "\($0.preparation.size)" },
      "precision": joined(\.precision),
    ]
    if parts.count == 1 {
      about["weights"] = paths[0]
    } else {
      about["dimensions"] = joined { "\($0.dimension)" }
      for (place, path) in paths.enumerated() { about["weights \(place + 1)"] = path }
    }
    return about
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension Encodable {
  /// The value as one line of JSON with sorted keys, so that equal values give equal text.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
