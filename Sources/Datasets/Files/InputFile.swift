import CZlib
import Foundation

/// A file read from front to back, gzipped or not: the first bytes tell.
final class InputFile {
  let path: String
  private let descriptor: CInt
  /// zlib's stream, for a gzipped file; it owns the descriptor then.
  private let gzip: gzFile?

  init(path: String) throws(DatasetProblems) {
    self.path = path
    let descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    self.descriptor = descriptor
    guard descriptor >= 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: path, what: "cannot be opened: \(errnoText())", remedy: "Check the path and its permissions"))
    }
    var magic: (UInt8, UInt8) = (0, 0)
    let count = withUnsafeMutableBytes(of: &magic) { pread(descriptor, $0.baseAddress, 2, 0) }
    if count == 2, magic == (0x1F, 0x8B) {
      gzip = gzdopen(descriptor, "rb")
      gzbuffer(gzip, 1 << 18)
    } else {
      gzip = nil
    }
  }

  deinit {
    if let gzip { gzclose(gzip) } else { close(descriptor) }
  }

  /// Reads at most `count` bytes; 0 at the end.
  func read(into pointer: UnsafeMutableRawPointer, count: Int) throws(DatasetProblems) -> Int {
    if let gzip {
      let got = gzread(gzip, pointer, UInt32(min(count, 1 << 24)))
      var code: CInt = 0
      let text = gzerror(gzip, &code)
      // A stream that is cut short ends like any other; only the error tells.
      guard got >= 0, code == Z_OK || code == Z_STREAM_END else {
        throw DatasetProblems(
          DatasetProblem(
            file: path, what: "is damaged: \(text.map { String(cString: $0) } ?? "gzip error \(code)")",
            remedy: "Download or write the file again"))
      }
      return Int(got)
    }
    while true {
      let got = Foundation.read(descriptor, pointer, count)
      if got >= 0 { return got }
      if errno != EINTR {
        throw DatasetProblems(
          DatasetProblem(
            file: path, what: "cannot be read: \(errnoText())",
            remedy: "Check the disk and the file's permissions"))
      }
    }
  }
}
