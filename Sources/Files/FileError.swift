import Foundation

/// A refusal of the disk.
package struct FileError: Error, CustomStringConvertible, Sendable, Hashable {
  /// As its user named it.
  package var file: String
  /// The attempted action, and the reason why it failed.
  package var what: String
  /// The system's number of the error.
  package var code: CInt

  package init(file: String, what: String, code: CInt) {
    self.file = file
    self.what = what
    self.code = code
  }

  /// A system call on `file` has just failed.
  package static func system(_ file: String, _ what: String, code: CInt = errno) -> FileError {
    FileError(file: file, what: "\(what): \(String(cString: strerror(code)))", code: code)
  }

  package static let remedy = "Check the folder, its permissions and the free space"

  package var description: String { "\(file): \(what). \(Self.remedy)." }
}
