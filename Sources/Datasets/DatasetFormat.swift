/// A layout of data sets on disk. To add one, write a type in a file of its own and name it in
/// `DatasetReader.formats`.
package protocol DatasetFormat: Sendable {
  /// The name that `--format` takes.
  static var name: String { get }
  /// One line for `--help`: what such a data set looks like.
  static var summary: String { get }
  /// Whether classes are named by folders, of which one of another level may be meant.
  static var classesAreFolders: Bool { get }
  /// Which options have an effect, beyond the options of all formats.
  static var takes: Set<DatasetOption> { get }
  /// Whether the source looks like this format, judged from names and first bytes alone.
  static func detect(_ source: DatasetSource) -> Bool

  init(source: DatasetSource, options: DatasetOptions)

  /// Passes every sample to `each`, in the source's order, holding a bounded number of them in memory.
  ///
  /// Reading goes on after a bad row, so that all are named together.
  /// - Throws: `DatasetProblems` at the end (the samples passed until then should be undone); what `each` throws,
  ///   at once.
  @discardableResult
  func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary
}

extension DatasetFormat {
  package static var classesAreFolders: Bool { false }
  package static var takes: Set<DatasetOption> { [] }
}

/// The result of reading a source.
package struct DatasetSummary: Sendable, Hashable {
  /// How many samples were passed on.
  package var samples = 0
  /// Things that were passed over without harm, such as hidden files: one line per kind.
  package var notices: [String] = []
  /// The guesses about things that the source does not say: which folders are the classes, which columns hold the labels.
  package var guesses: [String] = []

  package init(samples: Int = 0, notices: [String] = []) {
    self.samples = samples
    self.notices = notices
  }
}

extension DatasetSummary {
  init(_ outcome: ManifestTable.Outcome) {
    self.init(samples: outcome.samples, notices: outcome.notices)
    guesses = outcome.guesses
  }
}

/// A format that brings feature vectors instead of images.
package protocol FeatureFormat: DatasetFormat {
  /// Passes the features of every sample, in the order of `read`, all of one length.
  ///
  /// - Throws: `DatasetProblems` at the end if rows are bad; what `each` throws, at once.
  func readFeatures(_ each: (UnsafeBufferPointer<Float>) throws -> Void) throws
}
