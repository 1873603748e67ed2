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
  var sources: [String] = []

  @Flag(
    help: ArgumentHelp(
      "Take over what changed in sources that are imported already; without SOURCE in all of them.",
      discussion: """
        Images that are gone take part in nothing any more, and what was said of them is kept; renamed ones are known by \
        their bytes. `embed` then embeds what is new or changed, and nothing else. Without this option, a source that \
        is imported again may bring new images, and is refused if others were removed, relabelled or moved.
        """))
  var update = false

  @OptionGroup var importing: ImportOptions
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var format: String
    /// New ones.
    var images: Int
    var classes: Int
    var notices: [String]
    /// Of sources that were there, what became of them.
    var updates: [UpdateSummary] = []
  }

  func validate() throws {
    if sources.isEmpty, !update {
      throw ValidationError("Name a source: a folder, a file, or a pattern of shards.")
    }
    if sources.isEmpty, importing.isGiven {
      throw ValidationError("Options of a source go with its name: cleannet import --update SOURCE …")
    }
    if importing.features != nil, sources.count > 1 {
      throw ValidationError("--features belong to one source; import sources with features one by one.")
    }
  }

  func run() throws {
    // One that is not there is named before others are read.
    for source in sources { _ = try DatasetReader.open(source: source, options: importing.datasetOptions()) }
    if update {
      try updateSources(of: try workspace.open())
    } else {
      try workspace.filling { try importSources(into: $0) }
    }
  }

  private func importSources(into store: Workspace) throws {
    let progress = workspace.output.progress
    var result = Result(format: "", images: 0, classes: 0, notices: [])
    var formats: [String] = []
    for (index, source) in sources.enumerated() {
      let imported: ImportOptions.Imported
      do {
        imported = try importing.importSource(source, into: store, progress: progress)
      } catch {
        if index > 0 {
          progress.warn(
            "\(sources[..<index].joined(separator: ", ")) is in the workspace already; "
              + "correct what follows and import it without")
        }
        throw error
      }
      if !formats.contains(imported.format) { formats.append(imported.format) }
      result.images += imported.images
      result.notices += imported.notices
      if let update = imported.update { result.updates.append(update) }
    }
    (result.format, result.classes) = (formats.joined(separator: ", "), try store.classNames().count)
    try workspace.output.print(result) { result.text(workspace.path) }
  }

  private func updateSources(of store: Workspace) throws {
    let progress = workspace.output.progress
    var result = Result(format: "", images: 0, classes: 0, notices: [])
    let all = try store.sources()
    var formats: [String] = []
    for earlier in try sources.isEmpty ? all : sources.map({ try importing.known($0, in: store) }) {
      let options = try importing.givenOptions()
      let summary = try ImportOptions.update(
        earlier, options: options, in: store, scope: .all, progress: progress)
      if !formats.contains(earlier.format) { formats.append(earlier.format) }
      result.images += summary.added
      result.notices += summary.notices
      result.updates.append(summary)
    }
    (result.format, result.classes) = (formats.joined(separator: ", "), try store.classNames().count)
    try workspace.output.print(result) { result.text(workspace.path) }
  }
}

extension ImportCommand.Result {
  fileprivate func text(_ workspace: String) -> String {
    let sum =
      updates.isEmpty
      ? ["\(images) images (\(format)); the workspace \(workspace) now has \(classes) classes."] : []
    return (updates.map(\.text) + sum).joined(separator: "\n")
  }
}

extension UpdateSummary {
  var text: String {
    let changes = [
      (added, "added"), (removed, "removed"), (returned, "are back"), (relabelled, "relabelled"),
      (moved, "moved"), (described, "with other columns"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    let what = changes.isEmpty ? "nothing new" : changes.joined(separator: ", ")
    return "\(source): \(what); \(unchanged) images as they were."
      + (added + returned + moved > 0 ? " Next: cleannet embed" : "")
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

  /// Whether anything is said about the source.
  var isGiven: Bool {
    features != nil || labelMap != nil || truthColumns != nil || classNames != nil
      || [format, root, split, pathColumn, labelColumn, keyColumn, verificationColumn, splitColumn]
        .contains { $0 != nil }
  }

  /// What the user says now; nil where that is nothing, so that what was said before counts.
  func givenOptions() throws -> DatasetOptions? { isGiven ? try datasetOptions() : nil }

  /// What an import came to.
  struct Imported {
    var format: String
    /// New ones.
    var images: Int
    var notices: [String]
    /// Of a source that was there.
    var update: UpdateSummary?
  }

  /// The source of that path as it was imported.
  func known(_ path: String, in store: Workspace) throws -> ImportedSource {
    guard let earlier = try store.source(at: try DatasetSource(path: path)) else {
      throw WorkspaceError(
        .notFound, file: path, "was not imported into the workspace \(store.path)",
        remedy: "Import it without --update, or see what was imported: cleannet status")
    }
    return earlier
  }

  /// Brings a source that was imported up to date.
  ///
  /// - Parameter options: What the user says now; nil: what was said before.
  static func update(
    _ earlier: ImportedSource, options: DatasetOptions?, in store: Workspace, scope: UpdateScope,
    progress: ConsoleProgress
  ) throws -> UpdateSummary {
    var options = options ?? earlier.datasetOptions
    options.downloads = store.downloadsFolder
    let dataset = try DatasetReader.open(source: earlier.path, options: options)
    progress.begin("Reading \(earlier.path)", total: nil, unit: "images")
    let summary = try store.updateSamples(
      of: earlier, from: dataset, options: options, scope: scope
    ) { progress.update($0) }
    progress.end(nil)
    for notice in summary.notices { progress.warn(notice) }
    return summary
  }

  /// Reads a source into the workspace. One that is there, or was moved, is brought up to date.
  func importSource(
    _ source: String, into store: Workspace, progress: ConsoleProgress
  ) throws -> Imported {
    var options = try datasetOptions()
    options.downloads = store.downloadsFolder
    let origin = try DatasetSource(path: source)
    let dataset = try DatasetReader.open(source: source, options: options)
    if features == nil, dataset.features == nil {
      if let earlier = try store.source(origin, options: options) {
        let update = try Self.update(
          earlier, options: options, in: store, scope: .additions, progress: progress)
        return Imported(
          format: dataset.formatName, images: update.added, notices: update.notices, update: update)
      }
      if let moved = try store.movedSource(like: dataset, options: options) {
        _ = try store.relocate(moved.path, to: source)
        progress.warn("\(moved.path) was moved to \(source); features and verdicts stay with its images")
        let update = try Self.update(
          try known(source, in: store), options: options, in: store, scope: .additions, progress: progress)
        return Imported(
          format: dataset.formatName, images: update.added, notices: update.notices, update: update)
      }
    }
    progress.begin("Importing \(source)", total: nil, unit: "images")
    let summary = try FeatureInput.withOwn(of: dataset, in: store.path) { own in
      try store.importSamples(
        from: dataset, source: origin, options: options,
        features: own ?? features.map { try FeatureInput.open($0, in: store.path) }
      ) { progress.update($0) }
    }
    progress.end("\(summary.source.samples.count) images")
    for notice in summary.notices { progress.warn(notice) }
    return Imported(
      format: dataset.formatName, images: summary.source.samples.count, notices: summary.notices)
  }

  /// The same, unless the source is in the workspace with the same options and has not changed.
  func importIfNew(_ source: String, into store: Workspace, progress: ConsoleProgress) throws {
    let origin = try DatasetSource(path: source)
    let options = try datasetOptions()
    let dataset = try DatasetReader.open(source: source, options: options)
    if features != nil || dataset.features != nil, try store.source(origin, options: options) != nil {
      return
    }
    let imported = try importSource(source, into: store, progress: progress)
    if let update = imported.update, !update.isEmpty { progress.warn(update.text) }
  }
}
