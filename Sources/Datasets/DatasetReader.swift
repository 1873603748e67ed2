/// Opens data sets: by the format that the user names, else by the first that recognizes the source.
package enum DatasetReader {
  /// All formats, the most telling first: an image folder is any folder, a manifest any text.
  package static let formats: [any DatasetFormat.Type] = [
    Food101N.self, Food101.self, Clothing1M.self, WebVision.self, HuggingFaceFolder.self, IDXFolder.self,
    CIFAR.self, COCO.self, Parquet.self, WebDataset.self, TarImages.self, ZipImages.self, LabelMe.self,
    ImageFolder.self,
    CleanNetTable.self, URLList.self, Manifest.self,
  ]

  /// - Throws: `DatasetProblems` if nothing is there, the format is unknown, or none recognizes the source.
  package static func open(source path: String, options: DatasetOptions = DatasetOptions()) throws -> Dataset
  {
    let source = try DatasetSource(path: path)
    let type: any DatasetFormat.Type
    if let name = options.format {
      guard let named = formats.first(where: { $0.name == name }) else {
        throw DatasetProblems(
          DatasetProblem(
            file: path, what: "there is no format \"\(name)\"",
            remedy: "Formats are: \(formats.map { $0.name }.joined(separator: ", "))"))
      }
      type = named
    } else {
      if let problem = source.refusal { throw DatasetProblems(problem) }
      guard let detected = formats.first(where: { $0.detect(source) }) else {
        throw DatasetProblems(
          DatasetProblem(
            file: path, what: "no format recognizes it",
            remedy: "Name one with --format: \(formats.map { $0.name }.joined(separator: ", "))"))
      }
      type = detected
    }
    return Dataset(format: type.init(source: source, options: options), options: options, shown: path)
  }
}

/// A data set that was opened: its format, and its samples as a stream.
package struct Dataset: Sendable {
  let format: any DatasetFormat
  private let options: DatasetOptions
  /// The source's name in messages.
  private var shown: String?

  /// A data set in a format of the caller's own.
  ///
  /// - Parameter options: Their `labelMap` renames labels, here and in the `truthColumns`; labels that it lacks stay.
  package init(format: any DatasetFormat, options: DatasetOptions = DatasetOptions()) {
    self.format = format
    self.options = options
  }

  fileprivate init(format: any DatasetFormat, options: DatasetOptions, shown: String) {
    self.init(format: format, options: options)
    self.shown = shown
  }

  package var formatName: String { type(of: format).name }
  /// Whether classes are named by folders.
  package var classesAreFolders: Bool { type(of: format).classesAreFolders && options.labelPattern == nil }

  /// The options given that have no effect on it.
  package var idleOptions: Set<DatasetOption> { options.given.subtracting(type(of: format).takes) }

  /// The format, if it brings features instead of images.
  package var features: (any FeatureFormat)? { format as? any FeatureFormat }

  /// Passes every sample to `each`; see `DatasetFormat.read`. Labels, splits and keys are what the options make of them.
  @discardableResult
  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    var editor = SampleEditor(options)
    var summary = try format.read { sample in
      var sample = sample
      editor.edit(&sample)
      try each(sample)
    }
    // Whatever was passed over, a data set of nothing is none.
    guard summary.samples > 0 || format is any FeatureFormat else {
      throw DatasetProblems(
        DatasetProblem(
          file: shown ?? formatName,
          what: (["holds no image with a label"] + summary.notices).joined(separator: "; "),
          remedy: "Add labels, or name the source's format with --format"))
    }
    guard editor.missing.isEmpty else { throw options.missingColumns(editor.missing) }
    summary.notices += editor.notices
    summary.guesses += editor.guesses
    return summary
  }
}

/// Brings samples of all formats to one form: splits by their usual names, classes by their names, renamed labels.
private struct SampleEditor {
  private let options: DatasetOptions
  private let classNames: Set<String>
  /// Columns of true labels that no sample had so far.
  private(set) var missing: Set<String>
  /// The form of each split met so far.
  private var splits: [String: String] = [:]
  private var last: (written: String, kept: String) = (SplitName.train, SplitName.train)
  private var renamed: Set<String> = []
  private var hasNamed = false
  private var hasKnownName = false

  init(_ options: DatasetOptions) {
    self.options = options
    classNames = Set(options.classNames ?? [])
    missing = Set(options.truthColumns)
  }

  mutating func edit(_ sample: inout Sample) {
    if !options.keyPrefix.isEmpty { sample.key = options.keyPrefix + sample.key }
    if sample.split != last.kept || last.written != last.kept { keepSplit(&sample) }
    if !classNames.isEmpty {
      if classNames.contains(sample.label) {
        hasKnownName = true
      } else if let name = options.className(sample.label) {
        sample.label = name
        hasNamed = true
      }
    }
    if !options.labelMap.isEmpty { sample.label = mapped(sample.label) }
    guard !options.truthColumns.isEmpty else { return }
    for index in sample.attributes.indices where options.truthColumns.contains(sample.attributes[index].name)
    {
      missing.remove(sample.attributes[index].name)
      let value = sample.attributes[index].value
      sample.attributes[index].value = mapped(options.className(value) ?? value)
    }
  }

  private mutating func mapped(_ label: String) -> String {
    guard let name = options.labelMap[label] else { return label }
    renamed.insert(label)
    return name
  }

  private mutating func keepSplit(_ sample: inout Sample) {
    let written = sample.split
    if last.written != written {
      let kept = splits[written] ?? SplitName.kept(written)
      splits[written] = kept
      last = (written, kept)
    }
    sample.split = last.kept
    // Of a name with more in it, such as test_hard, that is kept as well.
    if last.kept != written, SplitName.canonical(written) == nil {
      sample.attributes.append(SampleAttribute(name: "source_split", value: written))
    }
  }

  var guesses: [String] {
    let changed = splits.filter { $0.key != $0.value }.sorted { $0.key < $1.key }
    return changed.isEmpty
      ? [] : ["splits: " + changed.map { "\($0.key) is \($0.value)" }.joined(separator: ", ")]
  }

  var notices: [String] {
    var notices: [String] = []
    let idle = options.labelMap.keys.filter { !renamed.contains($0) }.sorted()
    if !idle.isEmpty {
      let all =
        renamed.isEmpty ? "the label map renames nothing" : "the label map renames labels that do not occur"
      notices.append("\(all): there is no label \(LevelFinder.list(idle.map { "\"\($0)\"" }))")
    }
    if !classNames.isEmpty, !hasNamed, !hasKnownName {
      notices.append("--class-names had no effect: no label is a number from 0 to \(classNames.count - 1)")
    }
    return notices
  }
}
