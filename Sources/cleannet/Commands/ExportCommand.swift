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
    commandName: "export",
    abstract: "Write scores, sample weights, the cleaned data set, verdicts, or the model.",
    discussion: """
        cleannet export scores --out scores.csv
        cleannet export weights --weights hard --out weights.npy
        cleannet export dataset --format image-folder --out clean/
        cleannet export dataset --format webdataset --wrong relabel --without duplicates,leaks --out shards/
        cleannet export verdicts --out verdicts.csv
        cleannet export model --out model.safetensors

      The spelling of earlier versions, `cleannet export --format FORMAT --out PATH`, still works.
      """,
    subcommands: [
      ExportScores.self, ExportWeights.self, ExportDataset.self, ExportVerdicts.self, ExportModel.self,
      ExportByFormat.self,
    ],
    defaultSubcommand: ExportByFormat.self)
}

/// The result that every kind of export prints in the end.
struct ExportedRows: Encodable {
  var rows: Int
  var out: String
  /// The table that names the images of an array's rows.
  var keys: String?

  func print(_ workspace: WorkspaceOptions) throws {
    guard out != "-" else { return }
    try workspace.output.print(self) {
      "\(rows) rows written to \(out)." + (keys.map { " The keys of the rows are in \($0)." } ?? "")
    }
  }
}

struct ExportScores: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scores", abstract: "Write a table with one row per image.",
    discussion: """
      Rows are in the order of the import. `probability` is the probability that the label is right. `threshold` \
      applies to it, or to the cosine for the paper's objective. `weight_soft` and `weight_hard` are sample weights \
      for training a classifier; images verified by a person weigh 1 or 0. The format cleanlab has cleanlab's columns \
      instead: is_label_issue, label_score, given_label, predicted_label.
      """)

  @Option(help: "csv, tsv, jsonl or cleanlab. By default the file's name decides.")
  var format: String?
  @Option(help: "The output file; - is stdout.", completion: .file())
  var out = "-"
  @OptionGroup var workspace: WorkspaceOptions

  static let formats = ScoreExport.Format.allCases.map(\.rawValue) + ["cleanlab"]

  func validate() throws {
    if let format, !Self.formats.contains(format) {
      throw ValidationError(
        "Scores are written as \(Self.formats.joined(separator: ", ")), not as \(format).")
    }
    try TableName.check(out, hasFormat: format != nil, "Scores")
  }

  func run() throws { try Self.write(workspace.open(), format: format, to: out).print(workspace) }

  static func write(_ store: Workspace, format: String?, to out: String) throws -> ExportedRows {
    let rows =
      format == "cleanlab"
      ? try CleanlabExport.write(store, to: out)
      : try ScoreExport.write(store, format: format.flatMap(ScoreExport.Format.init), to: out)
    return ExportedRows(rows: rows, out: out)
  }
}

/// Names of files that tables are written to.
enum TableName {
  private static let known = ["csv", "tsv", "jsonl", "ndjson", "txt"]

  /// - Throws: `ValidationError` if the name says something else than a table.
  static func check(_ out: String, hasFormat: Bool, _ what: String) throws {
    if out.hasSuffix("/") { throw ValidationError("\(what) are written to a file, and \(out) is a folder.") }
    guard out != "-", !hasFormat else { return }
    let name = out.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return }
    let end = name[name.index(after: dot)...].lowercased()
    guard known.contains(end) else {
      throw ValidationError(
        "\(what) are written to files that end in .csv, .tsv or .jsonl, not .\(end); or name the format with --format."
      )
    }
  }
}

struct ExportWeights: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights", abstract: "Write one sample weight per image.",
    discussion: """
      Rows are in the order of the import, as PyTorch's WeightedRandomSampler takes them. Images of the split test, \
      and images without a score, weigh 0.

      npy: float32; beside it lies NAME.keys.csv with the key and split of each row. npz: both kinds of weights, \
      probabilities, labels, splits and keys as arrays. csv, tsv, jsonl: the columns key, weight and split.
      """)

  static let formats = ["npy", "npz", "csv", "tsv", "jsonl"]

  @Option(help: "npy, npz, csv, tsv or jsonl. By default the file's name decides.")
  var format: String?
  @Option(help: "The file.", completion: .file())
  var out: String
  @Option(help: "The kind of weights: soft by default; npz holds both.")
  var weights: WeightKind?
  @OptionGroup var workspace: WorkspaceOptions

  private var kind: String? {
    format ?? Self.formats.first { out.lowercased().hasSuffix(".\($0)") }
  }

  func validate() throws {
    guard let kind, Self.formats.contains(kind) else {
      throw ValidationError(
        "Weights are written as \(Self.formats.joined(separator: ", ")): end the file's name so, or name the --format."
      )
    }
    try Self.check(kind, weights)
    if out == "-", kind.hasPrefix("np") { throw ValidationError("Arrays need a file: --out.") }
  }

  static func check(_ kind: String, _ weights: WeightKind?) throws {
    if kind == "npz", weights != nil {
      throw ValidationError("An .npz file holds both kinds of weights; leave --weights out.")
    }
  }

  func run() throws {
    try Self.write(workspace.open(), kind ?? "npy", weights, to: out, workspace).print(workspace)
  }

  static func write(
    _ store: Workspace, _ kind: String, _ weights: WeightKind?, to out: String, _ workspace: WorkspaceOptions
  ) throws -> ExportedRows {
    let outcome =
      switch kind {
      case "npy": try WeightExport.writeNpy(store, weights ?? .soft, to: out)
      case "npz": try WeightExport.writeNpz(store, to: out)
      default: try WeightExport.writeTable(store, weights ?? .soft, format: kind, to: out)
      }
    if outcome.unknown > 0 {
      workspace.output.progress.warn("\(outcome.unknown) images without a score weigh 0")
    }
    return ExportedRows(rows: outcome.rows, out: out, keys: outcome.keys)
  }
}

struct ExportVerdicts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verdicts", abstract: "Write the verdicts; the same as `verify export`.")

  @Option(help: "A .csv, .tsv, .jsonl or .json file; - is stdout.", completion: .file())
  var out = "-"
  @OptionGroup var options: VerdictOutputOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws { try options.write(workspace, to: out) }
}

/// The spelling of earlier versions: one verb, and the format tells the kind.
struct ExportByFormat: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "by-format", abstract: "Write the output that the format implies.", shouldDisplay: false)

  @Option(
    help:
      "csv, tsv, jsonl, cleanlab, npy, npz, source, or a data set's format. By default the file's name decides."
  )
  var format: String?
  @Option(help: "The file or folder; - is stdout.", completion: .file())
  var out = "-"
  @OptionGroup var cleaning: CleaningOptions
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var workspace: WorkspaceOptions

  private enum Kind {
    case scores(String?)
    case weights(String)
    case dataset(String)
  }

  private var kind: Kind {
    get throws {
      let name =
        format ?? ["npy", "npz"].first { out.lowercased().hasSuffix(".\($0)") }
      guard let name else { return .scores(nil) }
      if ExportScores.formats.contains(name) { return .scores(name) }
      if name == "npy" || name == "npz" { return .weights(name) }
      guard ExportDataset.formats.contains(name) else {
        throw ValidationError("There is no format \(name). See `cleannet export --help`.")
      }
      return .dataset(name)
    }
  }

  func validate() throws {
    switch try kind {
    case .scores(let format):
      try cleaning.refuse(in: "scores", weightsToo: true)
      try TableName.check(out, hasFormat: format != nil, "Scores")
    case .weights(let kind):
      try cleaning.refuse(in: "weights", weightsToo: false)
      try ExportWeights.check(kind, cleaning.weights)
      if out == "-" { throw ValidationError("This format needs a file or folder: --out.") }
    case .dataset(let format):
      if out == "-" { throw ValidationError("This format needs a file or folder: --out.") }
      try cleaning.check(format)
    }
  }

  func run() throws {
    let store = try workspace.open()
    switch try kind {
    case .scores(let format): try ExportScores.write(store, format: format, to: out).print(workspace)
    case .weights(let kind):
      try ExportWeights.write(store, kind, cleaning.weights, to: out, workspace).print(workspace)
    case .dataset(let name): try cleaning.write(store, name, to: out, compute, workspace)
    }
  }
}
