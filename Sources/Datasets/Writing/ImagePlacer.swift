import Foundation

/// Brings images into a folder that is being written, as links or copies.
final class ImagePlacer {
  private let place: OutputPlace
  private let transfer: ImageTransfer
  private let bytes = ImageBytes()
  private let notices: NoticeLog

  init(_ place: OutputPlace, _ transfer: ImageTransfer, notices: NoticeLog) {
    self.place = place
    self.transfer = transfer
    self.notices = notices
  }

  /// Puts the image at a path below the folder. A name that is taken gets a number behind it.
  ///
  /// - Returns: The path at which it is.
  func put(_ sample: Sample, at relative: String) throws -> String {
    var attempt = 1
    while true {
      let name = attempt == 1 ? relative : Self.numbered(relative, attempt)
      if try link(sample, to: try place.prepare(name)) {
        if attempt > 1 { notices.add("images renamed, because two would have the same name", name) }
        return name
      }
      attempt += 1
    }
  }

  /// `false` if the name is taken.
  private func link(_ sample: Sample, to target: String) throws -> Bool {
    guard case .file(let path) = sample.location, transfer != .copy else {
      return try copy(sample, to: target)
    }
    guard access(path, R_OK) == 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "cannot be read: \(errnoText())",
          remedy: "The image was moved; import the data set again"))
    }
    let status = transfer == .symlink ? symlink(path, target) : Foundation.link(path, target)
    if status == 0 { return true }
    if errno == EEXIST { return false }
    if errno == EXDEV || errno == EPERM {
      throw DatasetProblems(
        DatasetProblem(
          file: path,
          what: "cannot be hard-linked: it is on another disk or belongs to somebody else: \(errnoText())",
          remedy: "Use --images symlink or --images copy"))
    }
    throw place.failure("cannot be created", target)
  }

  private func copy(_ sample: Sample, to target: String) throws -> Bool {
    let content = try bytes.read(sample.location, key: sample.key)
    let descriptor = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      if errno == EEXIST { return false }
      throw place.failure("cannot be created", target)
    }
    defer { close(descriptor) }
    var written = 0
    while written < content.count {
      let got = content.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if got >= 0 {
        written += got
      } else if errno != EINTR {
        throw place.failure("cannot be written", target)
      }
    }
    return true
  }

  /// `a/b.jpg` becomes `a/b-2.jpg`.
  static func numbered(_ path: String, _ number: Int) -> String {
    guard let (stem, suffix) = path.parted(atLast: UInt8(ascii: ".")), !suffix.utf8.contains(.slash) else {
      return "\(path)-\(number)"
    }
    return "\(stem)-\(number).\(suffix)"
  }
}

/// Names for folders and files from names of classes and images.
struct SafeNames {
  private let names: [String: String]
  private let notices: NoticeLog

  /// - Parameter areClasses: Whether folders alone tell the classes; else two that would have one folder are told apart by
  ///   a number.
  /// - Throws: `DatasetProblems` if two classes would have one folder, and folders are classes.
  init(_ classes: [String], areClasses: Bool, notices: NoticeLog) throws(DatasetProblems) {
    var taken: [String: String] = [:]
    var names: [String: String] = [:]
    for name in classes {
      var safe = Self.safe(name)
      var number = 1
      while !areClasses, taken[safe] != nil {
        number += 1
        safe = "\(Self.safe(name))-\(number)"
      }
      if let other = taken.updateValue(name, forKey: safe) {
        throw DatasetProblems(
          DatasetProblem(
            file: safe, what: "would be the folder of two classes, \"\(other)\" and \"\(name)\"",
            remedy: "Rename one when importing, with --label-map"))
      }
      names[name] = safe
    }
    self.names = names
    self.notices = notices
  }

  /// The folder of a class.
  func folder(_ label: String) -> String {
    let folder = names[label] ?? Self.safe(label)
    if folder != label { notices.add("classes whose folders are named otherwise", "\(label) → \(folder)") }
    return folder
  }

  /// A file's name, also below the class's folder, from where the image lay.
  static func file(_ sample: Sample) -> String {
    // Of an address, what its owner calls the image.
    var name = ImageAddress.isAddress(sample.path) ? ImageAddress.shownName(of: sample.path) : nil
    for before in ["\(sample.label)/", "\(sample.split)/\(sample.label)/", "images/\(sample.label)/"]
    where name == nil && sample.path.startsExactly(with: before) {
      name = String(sample.path.utf8.dropFirst(before.utf8.count))
    }
    let parts = (name ?? sample.path.parted(atLast: .slash)?.after ?? sample.path).fields(at: .slash)
    let path = parts.filter { !$0.isEmpty && $0 != ".." }.map(safe).joined(separator: "/")
    // Bare pixels become files of another kind.
    let suffix = ImageBytes.suffix(sample)
    return ImageName.isImage(path) ? path : "\(path.isEmpty ? "image" : path).\(suffix)"
  }

  /// Without slashes, and not hidden.
  static func safe(_ name: String) -> String {
    let plain = name.utf8.contains(.slash) ? name.fields(at: .slash).joined(separator: "_") : name
    return JunkName.isJunk(plain.utf8) ? "_" + plain : plain
  }
}
