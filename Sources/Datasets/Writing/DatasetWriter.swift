/// Writes a data set in a format's layout, so that the format's reader reads the same samples back.
///
/// For one thread. The output appears under its name at `finish`; an unfinished one leaves nothing.
package protocol DatasetWriter: AnyObject {
  /// Adds a sample. Samples that the format cannot hold are noted, and thrown by `finish`.
  /// - Throws: `DatasetProblems` if the disk refuses.
  func add(_ sample: Sample) throws

  /// How many of the samples added so far the format has no place for, such as samples of a split that it does not
  /// know.
  var leftOut: Int { get }

  /// Puts all in place.
  ///
  /// - Returns: The changes that were made on the way, for example to names: one line per kind.
  /// - Throws: `DatasetProblems` that name every sample that could not be written; then nothing is in place.
  func finish() throws -> [String]
}

extension DatasetWriter {
  package var leftOut: Int { 0 }
}

/// A format that is written as well as read.
package protocol WritableFormat: DatasetFormat {
  /// How a written data set looks, in one line for `--help`.
  static func writer(_ output: DatasetOutput) throws -> any DatasetWriter
}

/// Where a data set is written to, and how.
package struct DatasetOutput: Sendable {
  /// The folder, or file, that is made. It must not be there yet.
  package var path: String
  /// How images come into it.
  package var images = ImageTransfer.symlink
  /// The names of the classes that may occur, in the order of their numbers.
  package var classNames: [String]
  /// The names of the splits that occur.
  package var splits: [String]
  /// The names of the attributes that may occur.
  package var attributeNames: [String] = []
  /// Images in a shard of WebDataset.
  package var shardSize = 5000

  package init(path: String, classNames: [String], splits: [String] = ["train"]) {
    self.path = path
    self.classNames = classNames
    self.splits = splits
  }
}

/// How images come into a folder that is written. Images that lie in archives or arrays are always copied.
package enum ImageTransfer: String, Sendable, CaseIterable {
  /// By a symbolic link to where the image is.
  case symlink
  /// By a second name of the same file: only on the same disk.
  case hardlink
  case copy
}

extension DatasetReader {
  /// The formats that are written as well.
  package static var writableFormats: [any WritableFormat.Type] {
    formats.compactMap { $0 as? any WritableFormat.Type }
  }

  /// Begins to write a data set in the format of that name.
  ///
  /// - Throws: `DatasetProblems` if there is no such format, it is not written, or something is at the output already.
  package static func writer(format: String, _ output: DatasetOutput) throws -> any DatasetWriter {
    guard let type = writableFormats.first(where: { $0.name == format }) else {
      throw DatasetProblems(
        DatasetProblem(
          file: output.path, what: "the format \"\(format)\" cannot be written",
          remedy: "Formats are: \(writableFormats.map { $0.name }.joined(separator: ", "))"))
    }
    return try type.writer(output)
  }
}
