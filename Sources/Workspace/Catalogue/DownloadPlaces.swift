import Datasets

/// Images that were downloaded lie in the workspace itself. The catalogue names them from there, so that a workspace may
/// be moved.
struct DownloadPlaces: Sendable {
  private static let scheme = "download:"
  /// Of images that were taken out of a container into one file of many.
  private static let packedScheme = "packed:"

  let folder: String
  private let prefix: String

  init(workspace: String) {
    folder = "\(workspace)/downloads"
    prefix = folder + "/"
  }

  /// The catalogue's text for a location; `nil` if it does not lie in the workspace.
  func stored(_ location: ImageLocation) -> String? {
    if case .archiveMember(let archive, let offset, let length) = location,
      archive.hasBytePrefix(prefix)
    {
      let name = String(decoding: archive.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
      return "\(Self.packedScheme)\(offset):\(length):\(name)"
    }
    return name(location).map { Self.scheme + $0 }
  }

  /// The location that `stored` wrote; `nil` if the text has another form.
  func location(_ stored: String) -> ImageLocation? {
    if stored.hasBytePrefix(Self.packedScheme) {
      let parts = stored.split(separator: ":", maxSplits: 3)
      guard parts.count == 4, let offset = Int64(parts[1]), let length = Int64(parts[2]) else { return nil }
      return .archiveMember(archive: "\(folder)/\(parts[3])", offset: offset, length: length)
    }
    guard stored.hasBytePrefix(Self.scheme) else { return nil }
    return .file("\(folder)/\(stored.dropFirst(Self.scheme.count))")
  }

  /// The file's name below the folder.
  func name(_ location: ImageLocation) -> String? {
    guard case .file(let path) = location, path.hasBytePrefix(prefix) else { return nil }
    return String(path.utf8.dropFirst(prefix.utf8.count))
  }
}

extension Workspace {
  var downloads: DownloadPlaces { DownloadPlaces(workspace: path) }

  /// The folder that images named by an address are downloaded to. It is there only if some are.
  package var downloadsFolder: String { downloads.folder }

  /// The name below `downloadsFolder` of an image that is downloaded; `nil` for all others.
  package func downloadName(_ location: ImageLocation) -> String? { downloads.name(location) }
}
