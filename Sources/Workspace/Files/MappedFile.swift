import Files
import Foundation

/// A file mapped into memory, read only.
///
/// Files of a workspace are replaced by renaming others over them, never changed in place, so that the bytes
/// stay what they are as long as the mapping lives.
final class MappedFile: @unchecked Sendable {
  // Safe: nothing is ever written through the pointer, and it lives as long as the object.
  let bytes: UnsafeRawBufferPointer
  let path: String

  init(path: String) throws(WorkspaceError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .system(errno == ENOENT ? .notFound : .cannotWrite, file: path, "cannot be opened")
    }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      throw WorkspaceError(.invalidInput, file: path, "is not a regular file", remedy: "Name a file")
    }
    guard info.st_size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, Int(info.st_size), PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else {
      throw .system(file: path, "cannot be mapped into memory")
    }
    bytes = UnsafeRawBufferPointer(start: start, count: Int(info.st_size))
    MemoryLimit.add(bytes)
  }

  deinit {
    MemoryLimit.remove(bytes)
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }

  /// Tells the system how the bytes will be read (`MADV_…`); it may ignore it.
  func advise(_ advice: CInt) {
    guard let start = bytes.baseAddress else { return }
    madvise(UnsafeMutableRawPointer(mutating: start), bytes.count, advice)
  }
}
