/// The parts that all writers share: the place, the images that go there, and the notes on the way.
final class WritingSession {
  /// After this many samples that cannot be written, something is wrong with all of them.
  private static let mostProblems = 1000

  let output: DatasetOutput
  let place: OutputPlace
  let images: ImagePlacer
  let names: SafeNames
  let notices = NoticeLog()
  private let log = ProblemLog()
  /// Samples that the format has no place for.
  private(set) var leftOut = 0

  /// - Parameter foldersAreClasses: Whether a reader knows classes by their folders alone.
  init(_ output: DatasetOutput, foldersAreClasses: Bool = false) throws(DatasetProblems) {
    self.output = output
    place = try OutputPlace(output.path)
    images = ImagePlacer(place, output.images, notices: notices)
    names = try SafeNames(output.classNames, areClasses: foldersAreClasses, notices: notices)
  }

  /// Writes a sample; what is wrong with it is thrown at the end, with the others' problems.
  func write(_ sample: Sample, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let fault as RecordFault {
      log.add(sample.key, fault.what, fault.remedy)
    } catch let problems as DatasetProblems {
      for problem in problems.first { log.add(problem) }
    }
    if log.problems.count >= Self.mostProblems { throw log.problems }
  }

  /// Runs what a writer has to do at the end, and puts all in place.
  func finish(_ last: () throws -> Void = {}) throws -> [String] {
    try log.throwIfAny()
    try last()
    try place.finish()
    return notices.notices
  }

  /// Whether a sample belongs to a split that the format knows; the others are left out and noted.
  func has(_ sample: Sample, splits: [String], format: String) -> Bool {
    if splits.contains(sample.split) { return true }
    leftOut += 1
    notices.add("images of splits that \(format) does not have left out", "\(sample.split): \(sample.key)")
    return false
  }

  /// - Throws: `RecordFault` if a text would break a list with one entry per line.
  static func requireLine(_ texts: String..., without: [UInt8] = []) throws(RecordFault) {
    let refused = [UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0] + without
    for text in texts where text.utf8.contains(where: { refused.contains($0) }) {
      throw RecordFault(
        what:
          "has a name with a line end or tab, \(text.debugDescription), which the format's lists cannot hold",
        remedy: "Export it as a manifest, hf-image-folder or webdataset")
    }
  }
}
