import Datasets
import Foundation
import Images
import Synchronization
import Workspace

/// Small copies of images, made once and kept on the disk up to a bound; the oldest go first.
final class ThumbnailCache: Sendable {
  /// The sizes that there are: of a tile, of a large tile, of the large image, and to zoom into.
  static let sides = [256, 512, 1024, 2560]

  private struct Usage {
    var bytes = 0
    var isTrimming = false
  }

  private let folder: String
  private let limit: Int
  private let access: ImageAccess
  private let usage: Mutex<Usage>

  /// - Parameter workspace: Whose samples are copied.
  init(folder: String, limit: Int, workspace: Workspace? = nil) {
    self.folder = folder
    access = ImageAccess(workspace)
    self.limit = limit
    usage = Mutex(Usage(bytes: Self.files(in: folder).reduce(0) { $0 + $1.bytes }))
  }

  /// The copy of an image, its longer side at most `side`. Blocks while it is made.
  ///
  /// - Throws: `ImageProblem` if there is no image or it cannot be decoded.
  func jpeg(of sample: StoredSample, side: Int) throws -> [UInt8] {
    let path = path(sample, side)
    if let kept = FileManager.default.contents(atPath: path), !kept.isEmpty { return Array(kept) }
    let jpeg = try access.thumbnail(of: sample, maximumSide: side, quality: side > 256 ? 88 : 82)
    keep(jpeg, at: path)
    return jpeg
  }

  func isKept(_ sample: StoredSample, side: Int) -> Bool {
    FileManager.default.fileExists(atPath: path(sample, side))
  }

  /// Names the copy after what it is a copy of: where that lies, when it was written and how large it is. A file that was
  /// replaced is copied anew.
  private func path(_ sample: StoredSample, _ side: Int) -> String {
    var hash = StableHash()
    hash.combine("\(sample.location)")
    var status = stat()
    if let file = sample.location.file, stat(file, &status) == 0 {
      hash.combine(Int(status.st_size))
      hash.combine(status.st_mtim.tv_sec)
      hash.combine(status.st_mtim.tv_nsec)
    }
    return "\(folder)/\(side)/\(sample.id % 256)/\(sample.id)-\(hash.text.prefix(16)).jpg"
  }

  /// A copy that cannot be kept is made again next time.
  private func keep(_ jpeg: [UInt8], at path: String) {
    let url = URL(fileURLWithPath: path)
    let parent = url.deletingLastPathComponent()
    try? FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
    let temporary = parent.appendingPathComponent(".\(UUID().uuidString)")
    guard (try? Data(jpeg).write(to: temporary)) != nil, rename(temporary.path, path) == 0 else {
      unlink(temporary.path)
      return
    }
    let isFull = usage.withLock { usage in
      usage.bytes += jpeg.count
      guard usage.bytes > limit, !usage.isTrimming else { return false }
      usage.isTrimming = true
      return true
    }
    if isFull { trim() }
  }

  /// Removes the oldest copies until a fifth of the space is free again.
  private func trim() {
    var files = Self.files(in: folder)
    files.sort { $0.date < $1.date }
    var total = files.reduce(0) { $0 + $1.bytes }
    for file in files {
      guard total > limit / 5 * 4 else { break }
      unlink(file.path)
      total -= file.bytes
    }
    usage.withLock { $0 = Usage(bytes: total) }
  }

  private static func files(in folder: String) -> [(path: String, bytes: Int, date: Date)] {
    let keys: [URLResourceKey] = [.fileSizeKey, .contentModificationDateKey, .isRegularFileKey]
    let walk = FileManager.default.enumerator(
      at: URL(fileURLWithPath: folder), includingPropertiesForKeys: keys)
    var files: [(path: String, bytes: Int, date: Date)] = []
    while let url = walk?.nextObject() as? URL {
      guard let values = try? url.resourceValues(forKeys: Set(keys)), values.isRegularFile == true else {
        continue
      }
      files.append((url.path, values.fileSize ?? 0, values.contentModificationDate ?? .distantPast))
    }
    return files
  }
}
