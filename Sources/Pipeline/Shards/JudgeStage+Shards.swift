import Datasets
import Files
import Foundation
import Workspace

/// Judging by several processes: each writes the answers about its part to a folder as JSON lines, and the parts follow
/// each other in what one process would have written.
extension JudgeStage {
  /// Judges one part of a data set.
  ///
  /// - Parameter folder: Where the part is written, completely or not at all.
  package func run(
    _ shard: Shard, of dataset: Dataset, features: NpyMatrix? = nil, to folder: String,
    progress: some ProgressReporter
  ) throws -> Outcome {
    var hash = StableHash()
    var total = 0
    try dataset.read { sample in
      hash.combine(sample.key)
      hash.combine(sample.label)
      total += 1
    }
    let size = features == nil ? ImageJudge.batch : ImageJudge.featureBatch
    let mine = shard.part(of: (total + size - 1) / size)
    let range = min(total, mine.lowerBound * size)..<min(total, mine.upperBound * size)
    let path = ShardRecord.path(.judge, shard, in: folder, "jsonl")
    var record = ShardRecord(
      kind: .judge, index: shard.index, count: shard.count, first: range.lowerBound, rows: range.count,
      total: total, identity: judge.model.identity, source: hash.text,
      file: URL(fileURLWithPath: path).lastPathComponent, digest: "")
    try makeShardFolder(folder)
    let output = try JudgementOutput(path, format: .jsonl)
    let outcome = try run(dataset, features: features, range: range, progress: progress) {
      try output.write($0)
    }
    try output.finish()
    record.digest = try ContentDigest.ofFile(path).text
    try record.write(in: folder)
    return outcome
  }
}

/// Joins the parts of a job.
package struct MergeStage: Sendable {
  package init() {}

  package struct Outcome: Sendable, Encodable {
    /// `embed` or `judge`.
    package var kind: String
    package var shards: Int
    package var rows: Int
    /// Of embeddings: what the workspace has now.
    package var features: EmbedStage.Outcome?
    /// Of judgements: the file.
    package var out: String?
  }

  /// - Parameters:
  ///   - workspace: Opens the workspace that embeddings are joined in.
  ///   - out: The file that answers are joined in; nil: stdout.
  /// - Throws: ``PipelineError`` of kind `tryAgain` where parts are missing, and of kind `badInput` where some are damaged
  ///   or do not belong together.
  package func run(
    _ folder: String, workspace: () throws -> Workspace, out: String?, progress: some ProgressReporter
  ) throws -> Outcome {
    let records = try ShardRecord.all(in: folder)
    var outcome = Outcome(kind: records[0].kind.rawValue, shards: records.count, rows: records[0].total)
    switch records[0].kind {
    case .embed:
      if out != nil {
        throw PipelineError(
          .badInput, "The parts in \(folder) are features; leave --out out, and they go into the workspace",
          remedy: "Leave --out out")
      }
      outcome.features = try EmbedStage.merge(records, in: folder, into: workspace(), progress: progress)
    case .judge:
      let output = try TextOutput(out)
      for record in records {
        let path = "\(folder)/\(record.file)"
        guard let part = FileHandle(forReadingAtPath: path) else {
          throw PipelineError(.badInput, "\(path) cannot be read", remedy: "Check its permissions")
        }
        while let piece = try part.read(upToCount: 1 << 20), !piece.isEmpty { try output.write(piece) }
      }
      try output.finish()
      outcome.out = out ?? "-"
    }
    return outcome
  }
}
