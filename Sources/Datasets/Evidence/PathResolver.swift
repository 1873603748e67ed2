import Foundation

/// Finds the images that a table's texts mean: paths as other systems write them, ids without folder or extension.
///
/// The rule for all paths is learnt from the first rows: the least change by which they exist. Changes that only single
/// paths need, such as slashes for backslashes, are made to those.
final class PathResolver {
  /// The change that is made to every path.
  enum Rule {
    case asWritten
    case changed(folder: String, Change, suffix: String)
    /// The image is looked up by its name among all below the root.
    case byName
    /// The same, without its extension: images were turned into another format.
    case byStem
  }

  enum Change: CaseIterable {
    case none, percentDecoded, trimmed, lowercasedExtension, uppercasedExtension
  }

  private static let suffixes = [
    "", ".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG", ".webp", ".tif", ".tiff", ".bmp",
  ]
  /// Paths with other letters than ASCII are looked at until this many were there as written.
  private static let patience = 2000

  let places: ImagePlaces
  private let prefixes: [(from: String, to: String)]
  private(set) var rule = Rule.asWritten
  private var checked = 0
  private var hasOtherForms = false
  /// How the first addresses of local files were written.
  private(set) var origins: [String: String] = [:]
  /// The changes that were made to single paths: one line each, and how often.
  let notices = NoticeLog()

  init(_ places: ImagePlaces, options: DatasetOptions) {
    self.places = places
    prefixes = options.pathPrefixes
  }

  /// A path as this system writes it, and where the image lies: absolute, or from the root.
  func resolve(_ written: String) throws(RecordFault) -> (cleaned: String, path: String) {
    if prefixes.isEmpty, case .asWritten = rule, Self.isPlain(written) { return (written, written) }
    let cleaned = try clean(written)
    let path = apply(rule, cleaned)
    return (cleaned, otherForm(of: path))
  }

  /// Whether no byte asks for a closer look.
  private static func isPlain(_ text: String) -> Bool {
    !text.utf8.contains {
      $0 >= 0x80 || $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "?")
        || $0 == UInt8(ascii: "~")
    }
  }

  // MARK: Single paths

  private func clean(_ written: String) throws(RecordFault) -> String {
    let mapped = mapped(written)
    let isMapped = mapped != nil
    let path = mapped ?? written
    if let studio = Self.studioPath(path) { return studio }
    // `file:img/1.jpg` and `file:/data/1.jpg`, as some programs write.
    if path.utf8.starts(with: "file:".utf8), !path.utf8.starts(with: "file://".utf8) {
      let rest = String(path.utf8.dropFirst(5)) ?? path
      return rest.removingPercentEncoding ?? rest
    }
    if let place = path.range(of: "://"), path[..<place.lowerBound].allSatisfy({ $0.isLetter || $0.isNumber })
    {
      let scheme = path[..<place.lowerBound].lowercased()
      guard scheme == "file" else { throw Self.foreign(path, scheme: scheme) }
      let rest = String(path[place.upperBound...])
      // A host may stand before the path: file://localhost/data.
      let address = rest.parted(atFirst: .slash).map { "/" + $0.after } ?? rest
      let local = address.removingPercentEncoding ?? address
      let place = self.mapped(local) ?? local
      if origins.count < RootProbe.rowsProbed { origins[place] = written }
      return place
    }
    if path.utf8.starts(with: "~/".utf8), !places.exists(path) { return DatasetSource.absolute(path) }
    guard path.utf8.contains(UInt8(ascii: "\\")) || Self.hasDrive(path), isMapped || !places.exists(path)
    else {
      return path
    }
    let slashed = path.fields(at: UInt8(ascii: "\\")).joined(separator: "/")
    if Self.hasDrive(slashed) {
      let folder = slashed.parted(atLast: .slash)?.before ?? slashed
      throw RecordFault(
        what: "names \(written), a Windows path",
        remedy:
          "Say where that folder is on this machine, with --path-prefix '\(written.prefix(folder.count))=FOLDER'"
      )
    }
    notices.add("Windows paths: backslashes read as slashes", written)
    return slashed
  }

  /// The path with another beginning, if one of the beginnings that the user names is its own.
  private func mapped(_ path: String) -> String? {
    prefixes.first { path.startsExactly(with: $0.from) }.map { prefix in
      prefix.to + (String(path.utf8.dropFirst(prefix.from.utf8.count)) ?? "")
    }
  }

  private static func hasDrive(_ path: String) -> Bool {
    let bytes = Array(path.utf8.prefix(3))
    return bytes.count == 3 && bytes[1] == UInt8(ascii: ":")
      && (bytes[2] == .slash || bytes[2] == UInt8(ascii: "\\"))
  }

  /// Label Studio names local files by what follows `?d=`.
  private static func studioPath(_ path: String) -> String? {
    guard path.utf8.contains(UInt8(ascii: "?")), let place = path.range(of: "local-files/?d=") else {
      return nil
    }
    let rest = String(path[place.upperBound...])
    return rest.removingPercentEncoding ?? rest
  }

  private static func foreign(_ path: String, scheme: String) -> RecordFault {
    let folder = path.parted(atLast: .slash)?.before ?? path
    let copy =
      switch scheme {
      case "s3": "aws s3 cp --recursive"
      case "gs": "gsutil cp -r"
      default: "the owner's program"
      }
    return RecordFault(
      what:
        "names \(path), an address of the scheme \(scheme), which is not downloaded: only http and https are",
      remedy: "Copy the files here (\(copy)) and add --path-prefix '\(folder)/=FOLDER/'")
  }

  /// The form of the name, of the several that Unicode has, under which the image is there.
  private func otherForm(of path: String) -> String {
    guard path.utf8.contains(where: { $0 >= 0x80 }), hasOtherForms || checked < Self.patience else {
      return path
    }
    checked += 1
    if places.exists(path) { return path }
    for form in [path.precomposedStringWithCanonicalMapping, path.decomposedStringWithCanonicalMapping]
    where places.exists(form) {
      hasOtherForms = true
      notices.add("paths found under another Unicode form of their names (NFC, NFD)", path)
      return form
    }
    return path
  }

  // MARK: All paths

  /// Learns from the first rows what is to be done to every path.
  func learn(from written: [String]) {
    let cleaned = written.compactMap { try? clean($0) }.filter { !ImageAddress.isAddress($0) }
    rule = Self.rule(for: cleaned, places) ?? .asWritten
  }

  /// Whether texts name images that are there, under any rule.
  func finds(_ texts: [String]) -> Bool {
    let cleaned = texts.compactMap { try? clean($0) }
    return Self.rule(for: cleaned, places) != nil
  }

  /// The least change by which at least half of the texts name images; `nil` if there is none.
  private static func rule(for texts: [String], _ places: ImagePlaces) -> Rule? {
    guard let first = texts.first(where: { !$0.isEmpty }) else { return nil }
    if texts.contains(where: { places.exists($0) }) { return .asWritten }
    let probes = Array(texts.prefix(3))
    let isAbsolute = first.utf8.first == .slash
    for folder in isAbsolute ? [""] : [""] + places.folders {
      for suffix in suffixes where suffix.isEmpty || !ImageName.isImage(first) {
        for change in Change.allCases
        where isOfUse(change, first) || (change == .none && !(folder + suffix).isEmpty) {
          let rule = Rule.changed(folder: folder, change, suffix: suffix)
          func exists(_ text: String) -> Bool { places.exists(apply(rule, text, places)) }
          guard probes.contains(where: exists) else { continue }
          if texts.count(where: exists) * 2 > texts.count { return rule }
        }
      }
    }
    guard !isAbsolute else { return nil }
    if texts.count(where: { places.named($0) != nil }) * 2 > texts.count { return .byName }
    return texts.count { places.named(ImagePlaces.stem($0)) != nil } * 2 > texts.count ? .byStem : nil
  }

  private static func isOfUse(_ change: Change, _ text: String) -> Bool {
    switch change {
    case .none: false
    case .percentDecoded: text.utf8.contains(UInt8(ascii: "%"))
    case .trimmed: text != text.trimmedBlanks
    case .lowercasedExtension, .uppercasedExtension: ImageName.isImage(text)
    }
  }

  private func apply(_ rule: Rule, _ path: String) -> String { Self.apply(rule, path, places) }

  private static func apply(_ rule: Rule, _ path: String, _ places: ImagePlaces) -> String {
    switch rule {
    case .asWritten: return path
    case .byName: return places.named(path) ?? path
    case .byStem: return places.named(path) ?? places.named(ImagePlaces.stem(path)) ?? path
    case .changed(let folder, let change, let suffix):
      let name =
        switch change {
        case .none: path
        case .percentDecoded: path.removingPercentEncoding ?? path
        case .trimmed: path.trimmedBlanks
        case .lowercasedExtension: withExtension(path) { $0.lowercased() }
        case .uppercasedExtension: withExtension(path) { $0.uppercased() }
        }
      return folder + name + suffix
    }
  }

  private static func withExtension(_ path: String, _ change: (String) -> String) -> String {
    path.parted(atLast: UInt8(ascii: ".")).map { "\($0.before).\(change($0.after))" } ?? path
  }

  /// How images are found, if not as written.
  func guess(column: String) -> String? {
    switch rule {
    case .asWritten: return nil
    case .byName: return "images: found by their names anywhere below \(places.root)"
    case .byStem:
      return "images: found by their names without extension; their extensions differ from <\(column)> says"
    case .changed(let folder, let change, let suffix):
      let how =
        switch change {
        case .none: ""
        case .percentDecoded: ", percent signs decoded"
        case .trimmed: ", without blanks at the ends"
        case .lowercasedExtension: ", with the extension in lower case"
        case .uppercasedExtension: ", with the extension in upper case"
        }
      return "images: \(folder)<\(column)>\(suffix)\(how)"
    }
  }

  /// A hint for images that are not there: the ends of their paths may lie below the root.
  func hint(for path: String) -> String? {
    var rest = path.fields(at: .slash).filter { !$0.isEmpty }
    guard rest.count > 1, rest.count < 64 else { return nil }
    // An absolute path may have been meant from the root.
    if path.utf8.first == .slash { rest.insert("", at: 0) }
    while rest.count > 1 {
      rest.removeFirst()
      let end = rest.joined(separator: "/")
      guard places.exists(end) else { continue }
      let before = String(path.utf8.dropLast(end.utf8.count)) ?? ""
      return "\(end) is there: say so with --path-prefix '\(before)=\(places.root)/'"
    }
    return nil
  }
}
