import Foundation

/// A file opened for reading at any place.
final class Descriptor: Sendable {
  let path: String
  let number: CInt
  let size: Int64

  init(reading path: String) throws(DatasetProblems) {
    self.path = path
    number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "cannot be opened: \(errnoText())", remedy: "Check the path and its permissions"))
    }
    var info = stat()
    size = fstat(number, &info) == 0 ? Int64(info.st_size) : 0
  }

  deinit { close(number) }

  /// - Throws: `DatasetProblems` if the file ends before or cannot be read.
  func bytes(at offset: Int64, count: Int) throws(DatasetProblems) -> [UInt8] {
    guard count >= 0, offset >= 0, offset <= size, Int64(count) <= size - offset else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "ends at byte \(size), before the \(count) bytes at \(offset)",
          remedy: "The file was cut short or changed; get it again and import it again"))
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        pread(number, buffer.baseAddress?.advanced(by: done), count - done, off_t(offset) + off_t(done))
      }
      if got > 0 {
        done += got
      } else if got == 0 || errno != EINTR {
        throw DatasetProblems(
          DatasetProblem(
            file: path, what: "cannot be read at byte \(offset): \(errnoText())", remedy: "Check the disk"))
      }
    }
    return bytes
  }
}

/// A whole file in memory as the system maps it: read once from front to back, it costs no memory of its own.
final class MappedText {
  private let bytes: UnsafeBufferPointer<UInt8>

  init(path: String) throws(DatasetProblems) {
    let file = try Descriptor(reading: path)
    guard file.size > 0, let start = mmap(nil, Int(file.size), PROT_READ, MAP_PRIVATE, file.number, 0),
      start != MAP_FAILED
    else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: file.size == 0 ? "is empty" : "cannot be read", remedy: "Write it again"))
    }
    bytes = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: Int(file.size))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

  /// The bytes are there as long as `body` runs.
  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { extendLifetime(self) }
    return try body(bytes)
  }

  /// The line of a byte, for messages.
  func line(of offset: Int) -> Int { bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1 }
}
