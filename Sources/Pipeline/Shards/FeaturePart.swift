import Foundation
import Torch
import Workspace

/// The features of some samples with what is known of each, as a file: what a part of an embedding leaves.
struct FeaturePart {
  let dimension: Int
  /// In the order of the values.
  private(set) var samples: [FeatureRow] = []
  private var problems: [SampleProblem] = []
  /// Half precision, `[n, D]`.
  private var values: [Tensor] = []
  /// Of the embedding, as a run keeps them.
  var settings = ""
  /// Where the networks' weights lay.
  var paths: [String] = []

  init(dimension: Int) { self.dimension = dimension }

  /// Adds what became of a piece of the samples.
  mutating func append(_ values: Tensor, _ result: Embedder.Result) {
    let order = result.places.indices.sorted { result.places[$0] < result.places[$1] }
    guard !order.isEmpty else { return }
    samples += order.map { result.rows[$0] }
    problems += result.problems.sorted { $0.sample < $1.sample }
    self.values.append(values.indexSelect(Tensor(order.map { result.places[$0] })).to(.float16))
  }

  // MARK: As a file

  private struct About: Codable {
    struct Problem: Codable {
      var sample: Int
      var what: String
    }

    var dimension: Int
    var settings: String
    var paths: [String]
    var problems: [Problem]
  }

  private static let metadataKey = "cleannet-part"

  func write(to path: String) throws {
    let about = About(
      dimension: dimension, settings: settings, paths: paths,
      problems: problems.map { About.Problem(sample: $0.sample, what: $0.what) })
    let images = samples.map(\.image)
    func numbers(_ value: (ImageIdentity) -> Int64?) -> Tensor {
      Tensor(images.map { $0.flatMap { value($0) }.map(Int.init) ?? 0 })
    }
    let features =
      values.isEmpty ? Tensor.zeros([0, dimension]).to(.float16) : Tensor.concatenate(values)
    var file = Checkpoint(
      [
        ("features", features), ("samples", Tensor(samples.map(\.sample))),
        ("states", Tensor(samples.map(\.state.rawValue))), ("known", Tensor(images.map { $0 != nil })),
        ("digested", Tensor(images.map { $0?.digest != nil })), ("sizes", numbers { $0.size }),
        ("modified", numbers { $0.modified }),
        ("digests", numbers { $0.digest.map { Int64(bitPattern: $0) } }),
      ])
    try file.set(about, key: Self.metadataKey)
    try SafeTensors.write(tensors: file.tensors, metadata: file.metadata, to: path)
  }

  /// - Throws: ``PipelineError`` if the file is no such part.
  init(path: String) throws {
    let damaged = PipelineError(
      .badInput, "\(path) is no part of an embedding", remedy: "Remove it, and run that part again")
    let file = try Checkpoint.read(path: path)
    guard let about = try? file.value(About.self, key: Self.metadataKey) else { throw damaged }
    func tensor(_ name: String) throws -> Tensor {
      guard let found = file[name] else { throw damaged }
      return Tensor(found)
    }
    dimension = about.dimension
    settings = about.settings
    paths = about.paths
    let features = try tensor("features")
    let ids = try tensor("samples").ints()
    let states = try tensor("states").ints()
    let known = try tensor("known").bools()
    let digested = try tensor("digested").bools()
    let sizes = try tensor("sizes").ints()
    let modified = try tensor("modified").ints()
    let digests = try tensor("digests").ints()
    let counts = [states.count, known.count, digested.count, sizes.count, modified.count, digests.count]
    guard features.shape == [ids.count, dimension], counts.allSatisfy({ $0 == ids.count }) else {
      throw damaged
    }
    samples = ids.indices.map { row in
      let digest = digested[row] ? UInt64(bitPattern: Int64(digests[row])) : nil
      let image = ImageIdentity(size: Int64(sizes[row]), modified: Int64(modified[row]), digest: digest)
      return FeatureRow(
        sample: ids[row], state: FeatureRow.State(rawValue: states[row]) ?? .unreachable,
        image: known[row] ? image : nil)
    }
    problems = about.problems.map {
      SampleProblem(sample: $0.sample, stage: EmbedStage.stage, what: $0.what)
    }
    values = [features]
  }

  // MARK: In the workspace

  /// Writes the rows where a single process would have written them.
  func put(into set: FeatureSet, of workspace: Workspace) throws {
    let features = Tensor.concatenate(values)
    var start = 0
    while start < samples.count {
      let shard = samples[start].sample / FeatureSet.rowsPerShard
      var end = start
      while end < samples.count, samples[end].sample / FeatureSet.rowsPerShard == shard { end += 1 }
      let rows = Array(samples[start..<end])
      let ids = Set(rows.map(\.sample))
      try features[start..<end].to(.float32).contiguous().withUnsafeBytes {
        try workspace.put(
          rows, $0.bindMemory(to: Float.self), of: set, problems: problems.filter { ids.contains($0.sample) },
          stage: EmbedStage.stage)
      }
      start = end
    }
  }
}
