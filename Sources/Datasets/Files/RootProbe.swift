import Foundation

/// Notices a wrong root early: when of the first images not one is there.
struct RootProbe {
  /// After this many rows without a single image, the root is taken to be wrong.
  static let rowsProbed = 32

  private let root: String
  private let resolver: PathResolver?
  /// Until the first image was found.
  private var active: Bool
  private let counts: Bool
  private var seen = 0
  private var firstMissing: Sample?
  /// Images that were looked for and are not there.
  private var looked = 0
  private var missing: (count: Int, first: String)?
  private var total = 0

  /// Images beyond these are looked at now and then.
  private static let lookedAtAll = 10_000

  init(root: String, active: Bool = true, resolver: PathResolver? = nil) {
    self.root = root
    self.active = active
    counts = active
    self.resolver = resolver
  }

  mutating func see(_ sample: Sample, file: String) throws(DatasetProblems) {
    guard counts, case .file(let path) = sample.location, !ImageAddress.isAddress(sample.path) else { return }
    total += 1
    guard total <= Self.lookedAtAll || total % 100 == 0 else { return }
    looked += 1
    let isThere = access(path, F_OK) == 0
    if !isThere { missing = ((missing?.count ?? 0) + 1, missing?.first ?? sample.path) }
    guard active else { return }
    seen += 1
    if isThere {
      active = false
    } else if firstMissing == nil {
      firstMissing = sample
    }
    if active, seen == Self.rowsProbed { try finish(file: file) }
  }

  /// Images that are missing although others are there.
  var notices: [String] {
    guard !active, let missing else { return [] }
    let share = looked == total ? "\(missing.count) of \(total)" : "\(missing.count) of \(looked) looked at"
    return ["images that are not there: \(share) (first: \(missing.first)); embed tries them again each time"]
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

  /// An archive beside the table that holds an image.
  private func archive(of path: String) -> String? {
    guard let source = try? DatasetSource(path: root), source.isFolder else { return nil }
    return source.names(limit: 64).first { name in
      guard [".zip", ".tar"].contains(where: name.lowercased().hasSuffix),
        let archive = try? Manifest.archive(DatasetSource(path: "\(root)/\(name)"))
      else { return false }
      return archive[path] != nil
    }
  }

  private func origin(_ path: String) -> String {
    resolver?.origins[path].map {
      " (written \($0), which is read as a path of this machine and is not there)"
    } ?? ""
  }

  private func remedy(_ sample: Sample, _ path: String) -> String {
    if let archive = archive(of: sample.path) {
      return "\(archive) holds it; import the table with --root '\(root)/\(archive)'"
    }
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
