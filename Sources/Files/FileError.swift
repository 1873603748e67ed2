import Foundation

/// What the disk refused.
public struct FileError: Error, CustomStringConvertible, Sendable, Hashable {
  /// As its user named it.
  public var file: String
  /// What was tried and why it failed.
  public var what: String
  /// The system's number of the error.
  public var code: CInt

  public init(file: String, what: String, code: CInt) {
    self.file = file
    self.what = what
    self.code = code
  }

  /// A system call on `file` has just failed.
  public static func system(_ file: String, _ what: String, code: CInt = errno) -> FileError {
    FileError(file: file, what: "\(what): \(String(cString: strerror(code)))", code: code)
  }

  public static let remedy = "Check the folder, its permissions and the free space"

  public var description: String { "\(file): \(what). \(Self.remedy)." }
}
