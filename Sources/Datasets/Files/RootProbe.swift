import Foundation

/// Notices a wrong root early: when of the first images not one is there.
struct RootProbe {
  /// After so many rows without a single image, the root is taken to be wrong.
  static let rowsProbed = 32

  private let root: String
  private var active: Bool
  private var seen = 0
  private var firstMissing: Sample?

  init(root: String, active: Bool = true) {
    self.root = root
    self.active = active
  }

  mutating func see(_ sample: Sample, file: String) throws(DatasetProblems) {
    guard active, case .file(let path) = sample.location, !ImageAddress.isAddress(sample.path) else { return }
    seen += 1
    if access(path, F_OK) == 0 {
      active = false
    } else if firstMissing == nil {
      firstMissing = sample
    }
    if active, seen == Self.rowsProbed { try finish(file: file) }
  }

  func finish(file: String) throws(DatasetProblems) {
    guard active, let firstMissing, case .file(let path) = firstMissing.location else { return }
    throw DatasetProblems(
      DatasetProblem(
        file: file, line: firstMissing.line,
        what: seen == 1
          ? "its image does not exist: \(path)" : "none of the first \(seen) images exists, such as \(path)",
        remedy: "Paths start from \(root); name another folder, or a tar file, with --root"))
  }
}
