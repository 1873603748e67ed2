import Files
import Foundation
import Images
import Torch
import Workspace

/// Embedding by several processes: each writes the features of its part to a folder, and the parts are joined in the
/// workspace, which holds then what one process would have written.
extension EmbedStage {
  /// The outcome of one part.
  package struct PartOutcome: Sendable, Codable {
    package var features: String
    /// From 1.
    package var shard: Int
    package var shards: Int
    package var images: Int
    package var problems: Int
    package var out: String
    package var reused: Bool
  }

  /// Rows that are never divided among parts: a whole number of batches, on any device.
  private static let unit = 256

  /// The work that embedding begins with.
  struct Job {
    var settings: Settings
    var text: String
    var plans: [NetworkPlan]
    var device: Device
    var key: String { StableHash.of("features", text) }
  }

  func job() throws -> Job {
    try Vips.load()
    let device = try self.device.device()
    let use = NetworkUse(size: size, pooling: pooling, precision: precision, device: device)
    let plans = try networks.map { try NetworkPlan($0, use) }
    let settings = Settings(parts: plans.map(\.settings))
    return Job(settings: settings, text: try settings.json(), plans: plans, device: device)
  }

  /// Embeds images that lie in no workspace.
  ///
  /// - Returns: The embedder, and the key of its features.
  func embedder() throws -> (ImageEmbedder, key: String) {
    let job = try job()
    let worker = try EmbedWorker(
      job.plans, device: job.device, access: ImageAccess(limits: changed(ImageLimits())))
    return (ImageEmbedder(worker: worker, threads: threads), job.key)
  }

  /// All samples in the pieces that a single process works on, cut so that parts can share them.
  private static func pieces(_ workspace: Workspace) throws -> (pieces: [[Int]], source: String) {
    var hash = StableHash()
    var pieces: [[Int]] = []
    var last: [Int] = []
    try workspace.forEachSample { sample in
      hash.combine(sample.key)
      hash.combine(sample.location.encoded)
      let isNewShard = last.last.map { $0 / FeatureSet.rowsPerShard != sample.id / FeatureSet.rowsPerShard }
      if isNewShard == true || last.count == unit {
        pieces.append(last)
        last.removeAll(keepingCapacity: true)
      }
      last.append(sample.id)
    }
    if !last.isEmpty { pieces.append(last) }
    return (pieces, hash.text)
  }

  /// Embeds one part of a workspace's images. The workspace is only read.
  ///
  /// - Parameter folder: Where the part is written, completely or not at all.
  /// - Throws: ``PipelineError`` of kind `unreachable` if hardly any image of the part could be read.
  package func run(
    _ shard: Shard, of workspace: Workspace, to folder: String, progress: some ProgressReporter
  ) throws -> PartOutcome {
    let workspace = try workspace.snapshot()
    let job = try job()
    let (pieces, source) = try Self.pieces(workspace)
    guard !pieces.isEmpty else {
      throw PipelineError(
        .missingInput, "The workspace holds no images", remedy: "Run: cleannet import SOURCE")
    }
    let mine = shard.part(of: pieces.count)
    let path = ShardRecord.path(.embed, shard, in: folder, "safetensors")
    var record = ShardRecord(
      kind: .embed, index: shard.index, count: shard.count,
      first: pieces[..<mine.lowerBound].reduce(0) { $0 + $1.count },
      rows: pieces[mine].reduce(0) { $0 + $1.count }, total: pieces.reduce(0) { $0 + $1.count },
      identity: job.key, source: source, file: URL(fileURLWithPath: path).lastPathComponent, digest: "")
    var outcome = PartOutcome(
      features: job.key, shard: shard.index + 1, shards: shard.count, images: record.rows, problems: 0,
      out: path, reused: false)
    if let done = ShardRecord.finished(path), done.identity == record.identity, done.source == record.source,
      done.count == record.count
    {
      outcome.reused = true
      return outcome
    }
    try makeShardFolder(folder)
    let worker = try EmbedWorker(job.plans, device: job.device, access: ImageAccess(workspace))
    let embedder = Embedder(worker: worker, threads: threads)
    let name = "Embedding part \(shard.index + 1) of \(shard.count) with \(job.settings.title)"
    progress.begin(name, total: record.rows, unit: "images")
    var part = FeaturePart(dimension: worker.dimension)
    part.settings = job.text
    part.paths = job.plans.map(\.path)
    // Several pieces at a time, so that all threads have work.
    let together = Self.blockSize(worker, threads: threads) / Self.unit
    for block in mine.blocks(of: together) {
      let loaded = try pieces[block].map { try workspace.samples($0) }
      let samples = Array(loaded.joined())
      let ends = loaded.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1.count) }
      let done = part.samples.count
      let parts = zip(ends, ends.dropFirst()).map { $0..<$1 }
      let (values, result) = embedder.embed(samples, parts: parts, known: [:], dimension: worker.dimension) {
        progress.update(done + $0)
      }
      part.append(values, result)
      outcome.problems += result.problems.count
      if result.unreachable >= 10, result.unreachable * 10 >= samples.count * 9 {
        throw PipelineError(
          .unreachable, "Hardly any image can be reached, such as \(result.problems.first?.what ?? "")",
          remedy: "Mount the images at the paths that the workspace has, and run the part again")
      }
    }
    try part.write(to: path)
    record.digest = try ContentDigest.ofFile(path).text
    try record.write(in: folder)
    progress.end("\(record.rows) images")
    return outcome
  }

  /// Joins parts in the workspace.
  ///
  /// - Throws: ``PipelineError`` of kind `tryAgain` where parts are missing, and of kind `badInput` where they are not of
  ///   this workspace's images.
  static func merge(
    _ records: [ShardRecord], in folder: String, into workspace: Workspace, progress: some ProgressReporter
  ) throws -> Outcome {
    let start = ContinuousClock.now
    let first = try FeaturePart(path: "\(folder)/\(records[0].file)")
    return try workspace.withWriteLock(stage) {
      let (_, source) = try pieces(workspace)
      guard source == records[0].source else {
        throw PipelineError(
          .badInput, "The parts in \(folder) do not belong to the workspace's present images",
          remedy: "Run all parts again: cleannet embed --shard")
      }
      let settings = first.settings
      guard let known = try? JSONDecoder().decode(Settings.self, from: Data(settings.utf8)) else {
        throw PipelineError(.badInput, "\(folder) has another version", remedy: "Run all parts again")
      }
      let count = try workspace.sampleCount()
      let set = try workspace.featureSet(
        key: records[0].identity, dimension: first.dimension, type: .float16,
        about: known.about(paths: first.paths))
      let embed = EmbedStage()
      try embed.begin(set, of: workspace, count: count)
      let run = try workspace.beginRun(stage: stage, key: set.key, settings: settings)
      var outcome = Outcome(
        features: set.key, embedded: 0, present: 0, problems: 0, unreachable: 0, seconds: 0)
      progress.begin("Joining", total: records[0].total, unit: "images")
      for record in records where record.rows > 0 {
        let part = try FeaturePart(path: "\(folder)/\(record.file)")
        try part.put(into: set, of: workspace)
        outcome.embedded += part.samples.count { $0.state == .embedded }
        progress.update(record.first + record.rows)
      }
      try embed.fill(set, of: workspace, count: count)
      outcome.seconds = (ContinuousClock.now - start).inSeconds
      try embed.finish(&outcome, workspace, set, run: run)
      progress.end("\(outcome.embedded) images")
      return outcome
    }
  }
}
