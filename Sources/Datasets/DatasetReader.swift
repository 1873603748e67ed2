/// Opens data sets: by the format that the user names, else by the first that recognises the source.
public enum DatasetReader {
  /// All formats, the most telling first: an image folder is any folder, a manifest any text.
  public static let formats: [any DatasetFormat.Type] = [
    Food101N.self, Food101.self, Clothing1M.self, WebVision.self, HuggingFaceFolder.self, IDXFolder.self,
    CIFAR.self,
    COCO.self, WebDataset.self, TarImages.self, ZipImages.self, LabelMe.self, ImageFolder.self,
    CleanNetTable.self, URLList.self, Manifest.self,
  ]

  /// - Throws: `DatasetProblems` if nothing is there, the format is unknown, or none recognises the source.
  public static func open(source path: String, options: DatasetOptions = DatasetOptions()) throws -> Dataset {
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
            file: path, what: "no format recognises it",
            remedy: "Name one with --format: \(formats.map { $0.name }.joined(separator: ", "))"))
      }
      type = detected
    }
    return Dataset(format: type.init(source: source, options: options), options: options)
  }
}

/// A data set that was opened: its format, and its samples as a stream.
public struct Dataset: Sendable {
  let format: any DatasetFormat
  private let options: DatasetOptions

  /// A data set in a format of the caller's own.
  ///
  /// - Parameter options: Their `labelMap` renames labels, here and in the `truthColumns`; labels that it lacks stay.
  public init(format: any DatasetFormat, options: DatasetOptions = DatasetOptions()) {
    self.format = format
    self.options = options
  }

  public var formatName: String { type(of: format).name }

  /// The format, if it brings features instead of images.
  public var features: (any FeatureFormat)? { format as? any FeatureFormat }

  /// Passes every sample to `each`; see `DatasetFormat.read`.
  @discardableResult
  public func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    guard !options.labelMap.isEmpty || !options.truthColumns.isEmpty else { return try format.read(each) }
    var missing = Set(options.truthColumns)
    let summary = try format.read { sample in
      var sample = sample
      sample.label = options.labelMap[sample.label] ?? sample.label
      for index in sample.attributes.indices
      where options.truthColumns.contains(sample.attributes[index].name) {
        missing.remove(sample.attributes[index].name)
        let value = sample.attributes[index].value
        let name = options.className(value) ?? value
        sample.attributes[index].value = options.labelMap[name] ?? name
      }
      try each(sample)
    }
    guard missing.isEmpty else { throw options.missingColumns(missing) }
    return summary
  }
}
