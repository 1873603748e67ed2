import Datasets
import Images
import Synchronization

/// Finds the bytes of samples' images. IDX files, which hold thousands, are read once and kept.
final class ImageAccess: Sendable {
  private let idxFiles = Mutex<[String: IDXFile]>([:])

  /// - Throws: `ImageProblem` where there is no image to read.
  func source(_ location: ImageLocation, key: String) throws(ImageProblem) -> ImageSource {
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
        explanation: "came as features, without an image; there is nothing to embed")
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
