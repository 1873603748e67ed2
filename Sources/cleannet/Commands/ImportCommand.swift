import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Workspace

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Read a data set into the workspace.",
    discussion: """
      SOURCE can be a folder with one folder per class, a tar or zip file, a Hugging Face image folder, or a published \
      data set in its own layout (see --format). It can be a manifest: CSV, TSV or JSONL with the columns path and \
      label. With a column url instead of path, `embed` downloads the images. It can be WebDataset shards: one file, a \
      folder of them, or a pattern in quotes ('train-{000000..000127}.tar'). Further columns are kept; a column with \
      true labels serves `verify simulate` and `evaluate`. Several sources are combined. Images on disk are never copied or \
      changed.
      """)

  @Argument(help: "Folders, files, or patterns of shards.", completion: .file())
  var sources: [String] = []

  @Flag(
    help: ArgumentHelp(
      "Import the changes in sources that were imported before; without SOURCE, in all of them.",
      discussion: """
        Images that are gone take no further part; their verdicts are kept. Renamed images are recognized by their \
        bytes. `embed` then computes the missing features. Without this option, importing a source again adds new \
        images, and is refused if others were removed, relabelled or moved.
        """))
  var update = false

  @Flag(help: "Show what would be imported, and import nothing.")
  var dryRun = false

  @OptionGroup var importing: ImportOptions
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var format: String
    /// New ones.
    var images: Int
    var classes: Int
    var splits: [DatasetTally.Entry]
    var imagesOfClasses: [DatasetTally.Entry]
    /// The guesses about the sources.
    var guesses: [String]
    var notices: [String]
    /// Of sources that were there, what became of them.
    var updates: [UpdateSummary] = []
  }

  func validate() throws {
    if sources.isEmpty, !update {
      throw ValidationError("Name a source: a folder, a file, or a pattern of shards.")
    }
    if update, dryRun {
      throw ValidationError(
        "--dry-run shows what an import would take; --update compares with what was imported.")
    }
    if sources.isEmpty, importing.isGiven {
      throw ValidationError("Options of a source need its name: cleannet import --update SOURCE …")
    }
    if importing.features != nil, sources.count > 1 {
      throw ValidationError("--features belong to one source; import sources with features one by one.")
    }
  }

  func run() throws {
    // One that is not there is named before others are read.
    let datasets = try sources.map {
      try DatasetReader.open(source: $0, options: importing.datasetOptions())
    }
    try ImportOptions.refuseIdle(datasets)
    let readings = try SourceReadings(sources, importing)
    if dryRun { return try show(readings) }
    if update {
      try updateSources(of: try workspace.open())
    } else {
      try workspace.filling { try importSources(into: $0, readings) }
    }
  }

  private func importSources(into store: Workspace, _ readings: SourceReadings) throws {
    let progress = workspace.output.progress
    var outcome = ImportOutcome(readings)
    for notice in readings.notices { progress.warn(notice) }
    for (index, source) in sources.enumerated() {
      do {
        outcome.add(
          try importing.importSource(source, readings.sources[index], into: store, progress: progress))
      } catch {
        if index > 0 {
          progress.warn(
            "\(sources[..<index].joined(separator: ", ")) is in the workspace already; "
              + "correct what follows and import it without")
        }
        throw error
      }
    }
    for warning in outcome.tally.warnings { progress.warn(warning) }
    let classes = try store.classNames().count
    try workspace.output.print(outcome.result(classes: classes)) {
      outcome.text("; the workspace \(workspace.path) now has \(classes) classes.")
    }
  }

  private func updateSources(of store: Workspace) throws {
    let progress = workspace.output.progress
    var outcome = ImportOutcome()
    for earlier in try sources.isEmpty ? store.sources() : sources.map({ try importing.known($0, in: store) })
    {
      let summary = try ImportOptions.update(
        earlier, options: try importing.givenOptions(), in: store, scope: .all, progress: progress)
      outcome.add(
        ImportOptions.Imported(
          format: earlier.format, images: summary.added, notices: summary.notices, update: summary))
    }
    let classes = try store.classNames().count
    try workspace.output.print(outcome.result(classes: classes)) { outcome.text("") }
  }

  /// Reads the sources without keeping anything.
  private func show(_ readings: SourceReadings) throws {
    var outcome = ImportOutcome(readings)
    for notice in readings.notices { workspace.output.progress.warn(notice) }
    for (source, reading) in zip(sources, readings.sources) {
      var options = try importing.datasetOptions()
      reading.apply(to: &options)
      options.downloads = "downloads"
      options.readsOnly = true
      let dataset = try DatasetReader.open(source: source, options: options)
      var tally = DatasetTally()
      tally.classesAreFolders = dataset.classesAreFolders
      let summary = try dataset.read { tally.add(label: $0.label, split: $0.split) }
      for notice in summary.notices { workspace.output.progress.warn(notice) }
      outcome.add(dataset.formatName, tally, guesses: summary.guesses, notices: summary.notices)
    }
    // In a workspace, classes of earlier imports count as well.
    outcome.add(notices: DatasetTally.alike(outcome.tally.classes.map(\.name)), workspace.output.progress)
    for warning in outcome.tally.warnings { workspace.output.progress.warn(warning) }
    let classes = outcome.tally.classes.count
    try workspace.output.print(outcome.result(classes: classes)) {
      outcome.text(" of \(classes) classes; nothing was imported.")
    }
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

/// The outcome of importing the sources of one command.
private struct ImportOutcome {
  private static let shown = 12

  private var formats: [String] = []
  private(set) var tally = DatasetTally()
  private var guesses: [String] = []
  private var notices: [String] = []
  private var updates: [UpdateSummary] = []

  init() {}

  init(_ readings: SourceReadings) {
    guesses = readings.guesses
    notices = readings.notices
  }

  mutating func add(_ imported: ImportOptions.Imported) {
    if let update = imported.update { updates.append(update) }
    add(imported.format, imported.tally, guesses: imported.guesses, notices: imported.notices)
  }

  mutating func add(_ format: String, _ tally: DatasetTally, guesses: [String], notices: [String]) {
    if !formats.contains(format) { formats.append(format) }
    self.tally.add(tally)
    for guess in guesses where !self.guesses.contains(guess) { self.guesses.append(guess) }
    self.notices += notices
  }

  mutating func add(notices: [String], _ progress: ConsoleProgress) {
    for notice in notices { progress.warn(notice) }
    self.notices += notices
  }

  func result(classes: Int) -> ImportCommand.Result {
    ImportCommand.Result(
      format: formats.joined(separator: ", "), images: tally.samples + updates.reduce(0) { $0 + $1.added },
      classes: classes, splits: tally.splits,
      imagesOfClasses: tally.classes, guesses: guesses, notices: notices + tally.warnings, updates: updates)
  }

  /// - Parameter end: Of the first line.
  func text(_ end: String) -> String {
    let changes = updates.map(\.text)
    if tally.samples == 0, !changes.isEmpty { return changes.joined(separator: "\n") }
    let first = "\(tally.samples) images (\(formats.joined(separator: ", ")))\(end)"
    let lines = ["splits: \(Self.list(tally.splits))", "classes: \(Self.list(tally.classes))"] + guesses
    return (changes + [first] + lines.map { "  \($0)" }).joined(separator: "\n")
  }

  private static func list(_ entries: [DatasetTally.Entry]) -> String {
    entries.prefix(shown).map { "\($0.name) \($0.images)" }.joined(separator: ", ")
      + (entries.count > shown ? ", … (\(entries.count) in all)" : "")
  }
}

/// The user's statements about a source.
struct ImportOptions: ParsableArguments {
  @Option(
    help:
      "The format, instead of detecting it: \(DatasetReader.formats.map { $0.name }.joined(separator: ", "))."
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
  @Option(help: "Put all images into this split. Images of `test` are never trained on and never scored.")
  var split: String?
  @Option(
    help:
      "Import features instead of images (.npy, .npz or .safetensors): row i belongs to row i of the manifest.",
    completion: .file())
  var features: String?
  @Option(
    help:
      "A CSV table of two columns, label and new label: renames classes, so that those of several sources agree.",
    completion: .file())
  var labelMap: String?
  @Option(
    help: "A text file with one class name per line, for sources that number classes from 0.",
    completion: .file()
  )
  var classNames: String?
  @Option(
    help:
      "Further columns with labels, such as true labels, comma-separated. --class-names and --label-map apply to them, too."
  )
  var truthColumns: String?
  @Option(
    help:
      "Which folder of an image's path is its class: 1 is the topmost in the source, -1 the innermost (default: detected)."
  )
  var classLevel: Int?
  @Option(
    help:
      "Take the class from images' names, such as '{label}_*.jpg'; {split} and * stand for other parts."
  )
  var labelPattern: String?
  @Option(
    name: .customLong("path-prefix"),
    help: ArgumentHelp(
      "Replace the beginning of a manifest's paths, for images that moved; may be repeated.",
      valueName: "from=to"))
  var pathPrefixes: [String] = []
  @Option(
    help:
      "Build the paths from a manifest's rows: 'images/{}.jpg' inserts the path column, {column} any other one."
  )
  var pathTemplate: String?
  @Option(
    help:
      "Put this before every key, for sources that use the same keys (default: the source's folder, if keys collide)."
  )
  var keyPrefix: String?

  func validate() throws {
    if classLevel == 0 {
      throw ValidationError("--class-level counts from 1 at the top, or from -1 at the image.")
    }
    if let odd = pathPrefixes.first(where: { !$0.dropFirst().contains("=") }) {
      throw ValidationError("--path-prefix \(odd) is not FROM=TO.")
    }
  }

  func datasetOptions() throws -> DatasetOptions {
    var options = DatasetOptions()
    options.format = format
    options.root = root
    options.split = split
    options.pathColumn = pathColumn
    options.labelColumn = labelColumn
    options.keyColumn = keyColumn
    options.verificationColumn = verificationColumn
    options.splitColumn = splitColumn
    options.featuresOnly = features != nil
    if let labelMap { options.labelMap = try LabelMap.read(path: labelMap) }
    options.truthColumns = truthColumns?.split(separator: ",").map(String.init) ?? []
    options.classLevel = classLevel
    options.labelPattern = labelPattern
    options.pathTemplate = pathTemplate
    options.pathPrefixes = pathPrefixes.compactMap { text in
      text.firstIndex(of: "=").map { (String(text[..<$0]), String(text[text.index(after: $0)...])) }
    }
    options.keyPrefix = keyPrefix ?? ""
    if let classNames { options.classNames = try LabelMap.readNames(path: classNames) }
    return options
  }

  /// - Throws: `DatasetProblems` if an option has an effect on none of the sources.
  static func refuseIdle(_ datasets: [Dataset]) throws {
    guard let first = datasets.first else { return }
    let idle = datasets.reduce(first.idleOptions) { $0.intersection($1.idleOptions) }
    guard let option = idle.map(\.rawValue).min() else { return }
    let formats = Set(datasets.map(\.formatName)).sorted().joined(separator: ", ")
    throw DatasetProblems(
      DatasetProblem(
        file: option, what: "has no effect on what is imported (\(formats))",
        remedy: "Leave it out, or name the format that it belongs to with --format"))
  }

  /// Whether anything is said about the source.
  var isGiven: Bool {
    features != nil || labelMap != nil || truthColumns != nil || classNames != nil
      || classLevel != nil || !pathPrefixes.isEmpty
      || [
        format, root, split, pathColumn, labelColumn, keyColumn, verificationColumn, splitColumn,
        labelPattern,
        pathTemplate, keyPrefix,
      ].contains { $0 != nil }
  }

  /// The options of this command; nil if none is given, so that the earlier settings count.
  func givenOptions() throws -> DatasetOptions? { isGiven ? try datasetOptions() : nil }

  /// The outcome of an import.
  struct Imported {
    var format: String
    /// New ones.
    var images: Int
    var notices: [String]
    /// The guesses about the source, and its images by split and class, if it is new.
    var guesses: [String] = []
    var tally = DatasetTally()
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
  /// - Parameter options: The options of this command; nil: the earlier ones.
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
    _ source: String, _ reading: SourceReadings.Reading? = nil, into store: Workspace,
    progress: ConsoleProgress
  ) throws -> Imported {
    var options = try datasetOptions()
    reading?.apply(to: &options)
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
    var tally = summary.tally
    tally.classesAreFolders = dataset.classesAreFolders
    for notice in summary.notices { progress.warn(notice) }
    return Imported(
      format: dataset.formatName, images: summary.source.samples.count, notices: summary.notices,
      guesses: summary.guesses, tally: tally)
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
    for warning in imported.tally.warnings { progress.warn(warning) }
    if let update = imported.update, !update.isEmpty { progress.warn(update.text) }
  }
}
