import Datasets
import Images
import Synchronization

/// Finds the bytes of samples' images, wherever they lie. IDX files, which hold thousands, are read once and kept.
///
/// Usable from any number of threads at once.
package final class ImageAccess: Sendable {
  private let idxFiles = Mutex<[String: IDXFile]>([:])
  private let workspace: Workspace?
  /// Which images are decoded: what the workspace says, else the usual.
  package let limits: ImageLimits
  /// The state of containers when they were imported, as known last.
  private let containers = Mutex<[String: ImageIdentity]?>(nil)

  /// - Parameter workspace: Whose samples are read: images of archives that have changed since they were imported are
  ///   refused, since others may lie in their places.
  package init(_ workspace: Workspace? = nil) {
    self.workspace = workspace
    limits = (try? workspace?.imageLimits()) ?? ImageLimits()
  }

  /// For images that lie in no workspace: their places were read just now, and are as they were found.
  package init(limits: ImageLimits) {
    workspace = nil
    self.limits = limits
  }

  /// A sample's image as a small JPEG; see `thumbnailJPEG(_:maximumSide:quality:limits:)`.
  ///
  /// - Throws: `ImageProblem` if the sample has no image or it cannot be decoded.
  package func thumbnail(
    of sample: StoredSample, maximumSide: Int, quality: Int = 80
  ) throws(ImageProblem) -> [UInt8] {
    try thumbnailJPEG(
      source(sample.location, key: sample.key), maximumSide: maximumSide, quality: quality, limits: limits)
  }

  /// The bytes to decode.
  ///
  /// - Parameter key: The sample's name in errors.
  /// - Throws: `ImageProblem` where there is no image to read.
  package func source(_ location: ImageLocation, key: String) throws(ImageProblem) -> ImageSource {
    if let container = location.container, !isAsImported(container) {
      throw ImageProblem(
        kind: .unreadable, image: container,
        explanation: "\(container) \(Workspace.containerChange). Run: cleannet import --update")
    }
    switch location {
    case .file(let path): return .file(path)
    case .archiveMember(let archive, let offset, let length):
      return .bytes(file: archive, offset: offset, length: length)
    case .deflatedMember(let archive, _, _, _):
      do {
        return .encoded(name: key, bytes: try ImageBytes().read(location, key: key))
      } catch {
        throw ImageProblem(kind: .unreadable, image: archive, explanation: "\(error)")
      }
    case .idx(let path, let index): return try pixels(path, index)
    case .planes(let path, let offset, let width, let height):
      do {
        let pixels = try RawImage.interleaved(file: path, offset: offset, width: width, height: height)
        return .pixels(RawPixels(width: width, height: height, bands: 3, bytes: pixels[...]))
      } catch {
        throw ImageProblem(kind: .unreadable, image: path, explanation: "\(error)")
      }
    case .none:
      throw ImageProblem(
        kind: .missing, image: key,
        explanation: "The sample was imported as features, without an image.")
    }
  }

  /// Whether a file that holds many images looks as it did; one that is not there fails where it is opened.
  private func isAsImported(_ path: String) -> Bool {
    guard let workspace, let now = ImageIdentity(ofFile: path) else { return true }
    return containers.withLock { known in
      func holds() -> Bool { known?[path].map(now.looksLike) ?? true }
      if known != nil, holds() { return true }
      // Another process may have taken the changes over.
      known = try? workspace.containers()
      return holds()
    }
  }

  private func pixels(_ path: String, _ index: Int) throws(ImageProblem) -> ImageSource {
    let file: IDXFile
    do {
      file = try idxFiles.withLock { files in
        if let known = files[path] { return known }
        let read = try IDXFile(path: path)
        files[path] = read
        return read
      }
    } catch {
      throw ImageProblem(kind: .unreadable, image: path, explanation: "\(error)")
    }
    guard file.shape.count == 3, index < file.shape[0] else {
      throw ImageProblem(
        kind: .missing, image: "\(path)#\(index)",
        explanation: "the file holds \(file.shape.first ?? 0) images; import it again")
    }
    let size = file.shape[1] * file.shape[2]
    return .pixels(
      RawPixels(
        width: file.shape[2], height: file.shape[1], bands: 1,
        bytes: file.bytes[(index * size)..<((index + 1) * size)]))
  }
}
