import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Workspace

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Read a data set into the workspace.",
    discussion: """
      SOURCE is a folder with a folder a class, a manifest (CSV, TSV or JSONL with columns path and label), a tar or \
      zip file, WebDataset's shards (one, a folder of them, or a pattern in quotes: 'train-{000000..000127}.tar'), a \
      Hugging Face image folder, a list of addresses (CSV, TSV, JSONL or .txt with columns url and label), whose images \
      `embed` downloads, or a published data set as its owners lay it out; see --format. Further columns are \
      kept, so that a column with true labels can serve `verify simulate` and `evaluate`. Several sources add up. \
      Images on disk are never copied or changed.
      """)

  @Argument(help: "Folders, files, or patterns of shards.", completion: .file())
  var sources: [String]

  @OptionGroup var importing: ImportOptions
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var format: String
    var images: Int
    var classes: Int
    var notices: [String]
  }

  func validate() throws {
    if importing.features != nil, sources.count > 1 {
      throw ValidationError("--features belong to one source; import sources with features one by one.")
    }
  }

  func run() throws {
    // One that is not there is named before others are read.
    for source in sources { _ = try DatasetReader.open(source: source, options: importing.datasetOptions()) }
    try workspace.filling { try importSources(into: $0) }
  }

  private func importSources(into store: Workspace) throws {
    let progress = workspace.output.progress
    var result = Result(format: "", images: 0, classes: 0, notices: [])
    var formats: [String] = []
    for (index, source) in sources.enumerated() {
      let (format, summary): (String, ImportSummary)
      do {
        (format, summary) = try importing.importSource(source, into: store, progress: progress)
      } catch {
        if index > 0 {
          progress.warn(
            "\(sources[..<index].joined(separator: ", ")) is in the workspace already; "
              + "correct what follows and import it without")
        }
        throw error
      }
      if !formats.contains(format) { formats.append(format) }
      result.images += summary.source.samples.count
      result.notices += summary.notices
    }
    (result.format, result.classes) = (formats.joined(separator: ", "), try store.classNames().count)
    try workspace.output.print(result) {
      "\(result.images) images (\(result.format)); the workspace \(workspace.path) now has "
        + "\(result.classes) classes."
    }
  }
}

/// What the user says about a source.
struct ImportOptions: ParsableArguments {
  @Option(
    help:
      "The format, where detection is not wanted: \(DatasetReader.formats.map { $0.name }.joined(separator: ", "))."
  )
  var format: String?
  @Option(
    help: "The folder, or the tar or zip file, that a manifest's paths start from.", completion: .directory)
  var root: String?
  @Option(help: "A manifest's column of paths or addresses, by name or number.")
  var pathColumn: String?
  @Option(help: "A manifest's column of labels.")
  var labelColumn: String?
  @Option(help: "A manifest's column of keys that name images; by default the path.")
  var keyColumn: String?
  @Option(help: "A manifest's column of verification labels: 1 right, 0 wrong, empty unknown.")
  var verificationColumn: String?
  @Option(help: "A manifest's column of splits.")
  var splitColumn: String?
  @Option(help: "Puts all images into this split. Those of `test` are never trained on and never scored.")
  var split: String?
  @Option(
    help:
      "Features that come instead of images (.npy, .npz or .safetensors): row i belongs to the manifest's row i.",
    completion: .file())
  var features: String?
  @Option(
    help:
      "A CSV table of two columns, label and new label: renames labels, so that the classes of several sources meet.",
    completion: .file())
  var labelMap: String?
  @Option(
    help: "A text file with a class name a line, for sources that number classes from 0.", completion: .file()
  )
  var classNames: String?
  @Option(
    help:
      "Further columns that hold labels, such as true ones, comma-separated: they are named and renamed as labels are."
  )
  var truthColumns: String?

  func datasetOptions() throws -> DatasetOptions {
    var options = DatasetOptions()
    (options.format, options.root, options.split) = (format, root, split)
    (options.pathColumn, options.labelColumn, options.keyColumn) = (pathColumn, labelColumn, keyColumn)
    (options.verificationColumn, options.splitColumn) = (verificationColumn, splitColumn)
    options.featuresOnly = features != nil
    if let labelMap { options.labelMap = try LabelMap.read(path: labelMap) }
    options.truthColumns = truthColumns?.split(separator: ",").map(String.init) ?? []
    if let classNames { options.classNames = try LabelMap.readNames(path: classNames) }
    return options
  }

  /// Reads a source into the workspace.
  func importSource(
    _ source: String, into store: Workspace, progress: ConsoleProgress
  ) throws -> (format: String, ImportSummary) {
    var options = try datasetOptions()
    options.downloads = store.downloadsFolder
    let origin = try DatasetSource(path: source)
    let dataset = try DatasetReader.open(source: source, options: options)
    progress.begin("Importing \(source)", total: nil, unit: "images")
    let summary = try FeatureInput.withOwn(of: dataset, in: store.path) { own in
      try store.importSamples(
        from: dataset, source: origin, options: options,
        features: own ?? features.map { try FeatureInput.open($0, in: store.path) }
      ) { progress.update($0) }
    }
    progress.end("\(summary.source.samples.count) images")
    for notice in summary.notices { progress.warn(notice) }
    return (dataset.formatName, summary)
  }

  /// The same, unless the source is in the workspace with the same options.
  func importIfNew(_ source: String, into store: Workspace, progress: ConsoleProgress) throws {
    guard try store.source(DatasetSource(path: source), options: datasetOptions()) == nil else { return }
    _ = try importSource(source, into: store, progress: progress)
  }
}
