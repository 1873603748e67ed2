import Backbones
import Foundation
import Images
import Torch
import Workspace

/// Computes the features of all images that have none yet, or whose image has become another.
///
/// Each thread decodes a batch and then runs the network on it, so that neither ever waits for the other and memory
/// holds two batches a thread, whatever the number of images. Rows are written by blocks (``blockSize(_:threads:)``);
/// a program that is killed loses the block it is in.
package struct EmbedStage: Sendable {
  /// The networks whose features lie side by side in an image's row.
  package var networks = Quality.good.networks
  /// Width and height of the images that the networks see; nil: what each was trained for, however small the images are.
  package var size: Int?
  /// The features of an image in networks with tokens.
  package var pooling = Pooling.auto
  package var precision = Precision.auto
  package var device = DeviceChoice.auto
  package var threads = 2
  /// How images that were named by an address are downloaded first.
  package var download = DownloadStage()

  /// The fewest samples whose features are written at a time; divides a shard.
  private static let leastBlock = 1024
  /// Images that a thread decodes before it runs the network.
  static let batchSize = 32
  /// The same where a GPU runs it: what the networks compute at once there, or a multiple.
  static let deviceBatchSize = 64
  static let stage = "embed"

  /// Samples whose features are computed and written at a time: some batches for each thread, so that all have work, and
  /// whole shards at most.
  static func blockSize(_ worker: EmbedWorker, threads: Int) -> Int {
    var size = leastBlock
    while size < 4 * threads * worker.batchSize, size < FeatureSet.rowsPerShard { size *= 2 }
    return size
  }

  /// Decodes images of up to this many million pixels; nil: as the workspace says, at first 100.
  package var maximumMegapixels: Int?
  /// Whether JPEGs whose ends are missing are taken as they are; nil: as the workspace says, at first not.
  package var takesTruncated: Bool?

  package init() {}

  package struct Outcome: Sendable, Codable {
    /// The feature set's key.
    package var features: String
    /// Images embedded now.
    package var embedded: Int
    /// Images that were there already.
    package var present: Int
    /// Images that could not be read, of all.
    package var problems: Int
    /// Images of these that could not be reached, or that this machine cannot decode; each run tries them again.
    package var unreachable: Int
    package var seconds: Double
  }

  /// The settings that the vectors depend on, beside the images; their hash is the feature set's key.
  struct Settings: Codable {
    /// One network's part of every row, in the order of the numbers.
    struct Part: Codable {
      /// The name that users know.
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

  /// The limits that the user names, and the usual ones otherwise.
  func changed(_ limits: ImageLimits) -> ImageLimits {
    ImageLimits(
      pixels: maximumMegapixels.map { $0 * 1_000_000 } ?? limits.pixels, bytes: limits.bytes,
      takesTruncated: takesTruncated ?? limits.takesTruncated)
  }

  @discardableResult
  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    let count = try workspace.sampleCount()
    guard count > 0 else {
      throw PipelineError(
        .missingInput, "The workspace holds no images", remedy: "Run: cleannet import SOURCE")
    }
    if let imported = try workspace.featureSet(key: FeatureSet.imported) {
      throw PipelineError(
        .badInput, "The workspace's features were imported (\(imported.dimension) numbers each)",
        remedy: "There is nothing to embed; go on with: cleannet train")
    }
    let job = try job()
    let settings = job.settings
    let plans = job.plans
    let set = try workspace.featureSet(
      key: job.key, dimension: settings.parts.reduce(0) { $0 + $1.dimension },
      type: .float16, about: settings.about(paths: plans.map(\.path)))
    try download.runIfNeeded(workspace, progress: progress)
    return try workspace.withWriteLock(Self.stage) {
      try workspace.setImageLimits(changed(try workspace.imageLimits()))
      try workspace.refuseChangedContainers()
      try begin(set, of: workspace, count: count)
      let plan = try EmbeddingPlan(workspace, set, count: count, progress: progress)
      var outcome = Outcome(
        features: set.key, embedded: 0, present: plan.present, problems: 0, unreachable: 0, seconds: 0)
      var unreachableNow = 0
      var changed: [Int] = []
      if !plan.todo.isEmpty {
        let run = try workspace.beginRun(stage: Self.stage, key: set.key, settings: job.text)
        let worker = try EmbedWorker(plans, device: job.device, access: ImageAccess(workspace))
        // A GPU is fast, and takes longer to begin than such a measurement is worth.
        if job.device == .cpu, plan.todo.count >= EmbedPace.least {
          let some = try workspace.samples(plan.todo.prefix(EmbedPace.images))
          let pace = EmbedPace(worker, some, threads: threads)
          progress.note(pace.forecast(images: plan.todo.count, settings: settings, threads: threads))
        }
        let start = ContinuousClock.now
        progress.begin("Embedding with \(settings.title)", total: plan.todo.count, unit: "images")
        let embedder = Embedder(worker: worker, threads: threads)
        var done = 0
        for block in plan.blocks(of: Self.blockSize(worker, threads: threads)) {
          let before = done
          let result = try embed(block, of: workspace, into: set, by: embedder) {
            progress.update(before + $0)
          }
          done += block.count
          outcome.embedded += result.rows.count { $0.state == .embedded }
          outcome.present += result.same.count
          unreachableNow += result.unreachable
          changed += result.changed
        }
        outcome.seconds = (ContinuousClock.now - start).inSeconds
        try fill(set, of: workspace, count: count)
        try finish(&outcome, workspace, set, run: run)
        let rate = Double(plan.todo.count) / max(outcome.seconds, 1e-9)
        progress.end("\(outcome.embedded) images, \(Int(rate.rounded()))/s")
      } else {
        try fill(set, of: workspace, count: count)
        // Makes these features the latest, whatever was embedded in between.
        let isLatest = try workspace.finishedRun(stage: Self.stage)?.key == set.key
        let run = try isLatest ? nil : workspace.beginRun(stage: Self.stage, key: set.key, settings: job.text)
        try finish(&outcome, workspace, set, run: run)
      }
      try warn(ofJudged: changed, workspace, progress)
      if unreachableNow >= Self.fewest, unreachableNow * 10 >= plan.todo.count * 9 {
        throw PipelineError(
          .unreachable,
          "\(unreachableNow) of \(plan.todo.count) images could not be reached, such as "
            + (try Self.example(workspace)),
          remedy:
            "Mount the drive, or say where the images are now (cleannet relocate OLD NEW), and run the same "
            + "command again; what could be read is kept")
      }
      return outcome
    }
  }

  /// Names images that have become others since somebody judged them.
  private func warn(ofJudged changed: [Int], _ workspace: Workspace, _ progress: some ProgressReporter) throws
  {
    guard !changed.isEmpty else { return }
    let judged = Set(try workspace.verifiedImages().images.map(\.sample)).intersection(changed).sorted()
    guard !judged.isEmpty else { return }
    let names = try judged.prefix(5).compactMap { try workspace.sample($0)?.path }.joined(separator: ", ")
    progress.warn(
      "\(judged.count) of the images that people judged have been replaced since: \(names)"
        + (judged.count > 5 ? ", …" : "") + ". Look at them again: cleannet review")
  }

  /// An image that could not be read, and why.
  private static func example(_ workspace: Workspace) throws -> String {
    guard let problem = try workspace.problems(limit: 1).first,
      let sample = try workspace.sample(problem.sample)
    else { return "" }
    let what = problem.what.hasSuffix(".") ? String(problem.what.dropLast()) : problem.what
    return "\(sample.path) (\(what))"
  }

  /// From this many images on, a run that reaches hardly any has failed.
  private static let fewest = 10

  /// Counts what there is, and notes that the run is done.
  func finish(_ outcome: inout Outcome, _ workspace: Workspace, _ set: FeatureSet, run: Int?) throws {
    let counts = try workspace.rowCounts(of: set)
    outcome.unreachable = counts[.unreachable, default: 0]
    outcome.problems = counts[.undecodable, default: 0] + outcome.unreachable
    guard let run else { return }
    try workspace.finishRun(
      run, .done, metrics: try outcome.json(), inputs: ["images": try workspace.digest(of: set)])
  }

  /// Begins to keep of which images the rows are made. Those of an earlier version are taken as they are.
  func begin(_ set: FeatureSet, of workspace: Workspace, count: Int) throws {
    guard try !workspace.keepsRows(of: set) else { return }
    let missing = set.missing(of: count)
    let bad = Set(try workspace.problems().filter { $0.stage == Self.stage }.map(\.sample))
    var rows: [FeatureRow] = []
    var probe = ImageProbe()
    if missing.reduce(0, { $0 + $1.count }) < count {
      try workspace.forEachSample { sample in
        guard !bad.contains(sample.id), !missing.contains(where: { $0.contains(sample.id) }) else { return }
        rows.append(FeatureRow(sample: sample.id, state: .embedded, image: probe.look(sample.location)))
      }
    }
    try workspace.beginRows(of: set, with: rows)
  }

  /// Gives samples that are gone from their source an empty row, so that rows stay where they belong.
  func fill(_ set: FeatureSet, of workspace: Workspace, count: Int) throws {
    for range in set.missing(of: count) {
      let rows = range.map { FeatureRow(sample: $0, state: .unreachable, image: nil) }
      try [Float](repeating: .nan, count: range.count * set.dimension).withUnsafeBufferPointer {
        try workspace.put(rows, $0, of: set, problems: [], stage: Self.stage)
      }
    }
  }

  /// Embeds the samples of a block on all threads and writes their rows.
  private func embed(
    _ block: ArraySlice<Int>, of workspace: Workspace, into set: FeatureSet, by embedder: Embedder,
    report: @escaping @Sendable (Int) -> Void
  ) throws -> Embedder.Result {
    guard let first = block.first, let last = block.last else { return Embedder.Result() }
    let samples = try workspace.samples(block)
    let known = try workspace.rows(of: set, in: first..<(last + 1))
    let (values, result) = embedder.embed(samples, known: known, dimension: set.dimension, report: report)
    if !result.changed.isEmpty { try workspace.noteImageChange() }
    try workspace.note(result.same, of: set)
    let order = result.places.indices.sorted { result.places[$0] < result.places[$1] }
    guard !order.isEmpty else { return result }
    let rows = values.indexSelect(Tensor(order.map { result.places[$0] }))
    try rows.withUnsafeBytes {
      try workspace.put(
        order.map { result.rows[$0] }, $0.bindMemory(to: Float.self), of: set, problems: result.problems,
        stage: Self.stage)
    }
    return result
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
