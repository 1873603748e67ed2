import Files
import Foundation

/// A download on its way to the disk: `<file>.part`, which gets its name when all of it is there.
struct PartialFile: ~Copyable {
  private let path: String
  private let descriptor: CInt
  private var isFinished = false
  private(set) var count = 0
  /// The first bytes, by which an image is known.
  private(set) var head: [UInt8] = []

  static let headLength = 64

  /// - Throws: `DownloadFailure` if the disk refuses.
  init(_ path: String) throws(DownloadFailure) {
    descriptor = try Self.create(path)
    self.path = path
  }

  private static func create(_ path: String) throws(DownloadFailure) -> CInt {
    do throws(FileError) {
      try makeDurableFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    } catch {
      throw failure(path)
    }
    let descriptor = open("\(path).part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure(path) }
    return descriptor
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink("\(path).part") }
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(DownloadFailure) {
    if head.count < Self.headLength { head += bytes.prefix(Self.headLength - head.count) }
    var done = 0
    while done < bytes.count {
      let got = write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
      if got >= 0 {
        done += got
      } else if errno != EINTR {
        throw Self.failure(path)
      }
    }
    count += bytes.count
  }

  /// Flushes the bytes and gives the file its name, so that no loss of power leaves a name without them.
  mutating func finish() throws(DownloadFailure) {
    guard fsync(descriptor) == 0, rename("\(path).part", path) == 0 else { throw Self.failure(path) }
    isFinished = true
    do throws(FileError) {
      try flushFolder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    } catch {
      throw Self.failure(path)
    }
  }

  private static func failure(_ path: String) -> DownloadFailure {
    DownloadFailure(
      "It cannot be written to \(path): \(String(cString: strerror(errno))). Check the folder and the free space.",
      isTemporary: true)
  }
}
