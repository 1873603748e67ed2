import Foundation

/// Notices a wrong root early: when of the first images not one is there.
struct RootProbe {
  /// After so many rows without a single image, the root is taken to be wrong.
  static let rowsProbed = 32

  private let root: String
  private let resolver: PathResolver?
  private var active: Bool
  private var seen = 0
  private var firstMissing: Sample?

  init(root: String, active: Bool = true, resolver: PathResolver? = nil) {
    self.root = root
    self.active = active
    self.resolver = resolver
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
          ? "its image does not exist: \(path)\(origin(path))"
          : "none of the first \(seen) images exists, such as \(path)\(origin(path))",
        remedy: remedy(firstMissing, path)))
  }

  private func origin(_ path: String) -> String {
    resolver?.origins[path].map {
      " (written \($0), which is read as a path of this machine and is not there)"
    } ?? ""
  }

  private func remedy(_ sample: Sample, _ path: String) -> String {
    if let hint = resolver?.hint(for: sample.path) {
      return "Its end, \(hint), or name the folder that paths start from with --root"
    }
    let isAbsolute = sample.path.utf8.first == .slash
    let moved =
      isAbsolute ? "The images are not there; if they moved, say so with --path-prefix 'FROM=TO'. " : ""
    let named =
      ImageName.isImage(path)
      ? "" : "; the text has no extension of an image: --path-template 'FOLDER/{}.jpg' makes a path of an id"
    return "\(moved)Paths start from \(root); name another folder, or a tar file, with --root\(named)"
  }
}
