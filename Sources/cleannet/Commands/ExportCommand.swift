import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Workspace

extension WeightKind: ExpressibleByArgument {}
extension ImageTransfer: ExpressibleByArgument {}
extension DatasetExport.Wrong: ExpressibleByArgument {}

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write scores, sample weights, or the cleaned data set.",
    discussion: """
      Scores (csv, tsv, jsonl): one row an image, in the order of the import. `probability`: that the label is \
      right. `threshold`: of the probability, or of the cosine for the paper's objective. `weight_soft`, \
      `weight_hard`: sample weights for training a classifier; images verified by a person weigh 1 or 0. The format \
      cleanlab has its columns instead: is_label_issue, label_score, given_label, predicted_label.

      Weights (npy, npz): arrays in the order of the import, as PyTorch's WeightedRandomSampler takes them.

      The cleaned data set: source, which is the format it was imported in, or one of \
      \(DatasetReader.writableFormats.map { $0.name }.joined(separator: ", ")). Wrong labels are dropped, replaced or \
      kept; images are linked, and copied where they lie in archives. A data set is never written over another.

        cleannet export --out scores.csv
        cleannet export --out weights.npy --weights hard
        cleannet export --format image-folder --out clean/
        cleannet export --format webdataset --wrong relabel --out shards/
      """)

  @Option(
    help:
      "csv, tsv, jsonl, cleanlab, npy, npz, source, or a data set's format. By default what the file's name says."
  )
  var format: String?
  @Option(help: "The file or folder; - is stdout.", completion: .file())
  var out = "-"
  @Option(help: "In a data set: what becomes of images with wrong labels.")
  var wrong = DatasetExport.Wrong.drop
  @Option(help: "In a data set: how images come into it.")
  var images = ImageTransfer.symlink
  @Option(
    help:
      "The weights of an .npy file (default: soft); in a data set of format manifest, hf-image-folder or webdataset, adds a column `weight`."
  )
  var weights: WeightKind?
  @Option(help: "Images in a shard of WebDataset.")
  var shardSize = 5000
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var rows: Int
    var out: String
  }

  private enum Kind {
    case scores(ScoreExport.Format?)
    case cleanlab, npy, npz
    case dataset(String)
  }

  private var kind: Kind {
    get throws {
      let name =
        format ?? [".npy", ".npz"].first { out.lowercased().hasSuffix($0) }.map { String($0.dropFirst()) }
      guard let name else { return .scores(nil) }
      if let scores = ScoreExport.Format(rawValue: name) { return .scores(scores) }
      switch name {
      case "cleanlab": return .cleanlab
      case "npy": return .npy
      case "npz": return .npz
      case DatasetExport.sourceFormat: return .dataset(name)
      default:
        guard DatasetReader.writableFormats.contains(where: { $0.name == name }) else {
          throw ValidationError(
            "There is no format \(name). See `cleannet export --help`.")
        }
        return .dataset(name)
      }
    }
  }

  func validate() throws {
    guard shardSize > 0 else { throw ValidationError("--shard-size must be at least 1.") }
    switch try kind {
    case .scores, .cleanlab: return
    case .npy, .npz, .dataset:
      if out == "-" { throw ValidationError("This format needs a file or folder: --out.") }
    }
  }

  func run() throws {
    let store = try workspace.open()
    switch try kind {
    case .scores(let format): try report(ScoreExport.write(store, format: format, to: out))
    case .cleanlab: try report(CleanlabExport.write(store, to: out))
    case .npy: try report(WeightExport.writeNpy(store, weights ?? .soft, to: out))
    case .npz: try report(WeightExport.writeNpz(store, to: out))
    case .dataset(let name): try exportDataset(store, name)
    }
  }

  private func report(_ rows: Int) throws {
    guard out != "-" else { return }
    try workspace.output.print(Result(rows: rows, out: out)) { "\(rows) rows written to \(out)." }
  }

  private func report(_ outcome: WeightExport.Outcome) throws {
    if outcome.unknown > 0 {
      workspace.output.progress.warn("\(outcome.unknown) images without a score weigh 0")
    }
    try report(outcome.rows)
  }

  private func exportDataset(_ store: Workspace, _ name: String) throws {
    var export = DatasetExport(format: name)
    (export.wrong, export.images, export.weights, export.shardSize) = (wrong, images, weights, shardSize)
    let progress = workspace.output.progress
    progress.begin("Writing \(out)", total: try store.sampleCount(), unit: "images")
    let outcome = try export.write(store, to: out) { progress.update($0) }
    progress.end("\(outcome.written) images")
    for notice in outcome.notices { progress.warn(notice) }
    try workspace.output.print(outcome) {
      "\(outcome.written) images written to \(out) (\(outcome.format)); \(outcome.dropped) dropped, "
        + "\(outcome.relabelled) relabelled."
        + (outcome.unknown > 0 ? " \(outcome.unknown) without a score were kept." : "")
    }
  }
}
