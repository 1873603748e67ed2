import Datasets

/// Images that were downloaded lie in the workspace itself. The catalogue names them from there, so that a workspace may
/// be moved.
struct DownloadPlaces: Sendable {
  private static let scheme = "download:"

  let folder: String
  private let prefix: String

  init(workspace: String) {
    folder = "\(workspace)/downloads"
    prefix = folder + "/"
  }

  /// What the catalogue holds of a location; `nil` if it is no download.
  func stored(_ location: ImageLocation) -> String? { name(location).map { Self.scheme + $0 } }

  /// The location that `stored` wrote; `nil` if the text is of another kind.
  func location(_ stored: String) -> ImageLocation? {
    guard stored.utf8.starts(with: Self.scheme.utf8) else { return nil }
    return .file("\(folder)/\(stored.dropFirst(Self.scheme.count))")
  }

  /// The file's name below the folder.
  func name(_ location: ImageLocation) -> String? {
    guard case .file(let path) = location, path.utf8.starts(with: prefix.utf8) else { return nil }
    return String(path.utf8.dropFirst(prefix.utf8.count))
  }
}

extension Workspace {
  var downloads: DownloadPlaces { DownloadPlaces(workspace: path) }

  /// The folder that images named by an address are downloaded to. It is there only if some are.
  public var downloadsFolder: String { downloads.folder }

  /// The name below `downloadsFolder` of an image that is downloaded; `nil` for all others.
  public func downloadName(_ location: ImageLocation) -> String? { downloads.name(location) }
}
