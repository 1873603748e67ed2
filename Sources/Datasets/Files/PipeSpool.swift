import Foundation
import Synchronization

/// The bytes that came out of a pipe, in a file without a name, so that they can be read more than once.
///
/// Each pipe is emptied once in the life of the program: opening it again would wait for ever.
final class PipeSpool: Sendable {
  private static let known = Mutex<[String: PipeSpool]>([:])

  /// A path under which this process finds the file.
  let path: String
  private let descriptor: CInt

  static func of(_ pipe: String, shown: String) throws(DatasetProblems) -> PipeSpool {
    if let spool = known.withLock({ $0[pipe] }) { return spool }
    let spool = try PipeSpool(pipe, shown: shown)
    known.withLock { $0[pipe] = spool }
    return spool
  }

  private init(_ pipe: String, shown: String) throws(DatasetProblems) {
    func failure(_ what: String) -> DatasetProblems {
      DatasetProblems(
        DatasetProblem(
          file: shown, what: "\(what): \(errnoText())", remedy: "Write it to a file first, and import that"))
    }
    let name = NSTemporaryDirectory() + "/.cleannet-pipe-\(UUID().uuidString)"
    descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("is a pipe, for which no temporary file can be made") }
    unlink(name)
    path = "/proc/self/fd/\(descriptor)"
    let source = open(pipe, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw failure("cannot be opened") }
    defer { close(source) }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = read(source, &buffer, buffer.count)
      if got == 0 { return }
      if got < 0 {
        if errno == EINTR { continue }
        throw failure("cannot be read")
      }
      var done = 0
      while done < got {
        let written = buffer.withUnsafeBytes {
          write(descriptor, $0.baseAddress?.advanced(by: done), got - done)
        }
        if written > 0 {
          done += written
        } else if errno != EINTR {
          throw failure("does not fit on the disk")
        }
      }
    }
  }

  deinit { close(descriptor) }
}
