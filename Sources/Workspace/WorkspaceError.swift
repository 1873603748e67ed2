import Foundation

/// Why a workspace, or a file in it, cannot be used.
public struct WorkspaceError: Error, CustomStringConvertible, Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// There is no workspace, or not what was asked for in it.
    case notFound
    /// A later version of this program wrote it.
    case newerVersion
    /// Another process is writing.
    case locked
    /// The bytes are not what was written.
    case damaged
    /// The source is in the workspace already.
    case alreadyImported
    /// The input does not fit.
    case invalidInput
    /// The disk or its permissions refuse.
    case cannotWrite
    /// Another process removed the workspace, which was still empty, while this one waited for it.
    case removed
  }

  public var kind: Kind
  public var file: String
  public var what: String
  public var remedy: String

  package init(_ kind: Kind, file: String, _ what: String, remedy: String) {
    self.kind = kind
    self.file = file
    self.what = what
    self.remedy = remedy
  }

  public var description: String { "\(file): \(what). \(remedy)." }

  /// A system call on `file` has just failed.
  static func system(_ kind: Kind = .cannotWrite, file: String, _ what: String) -> WorkspaceError {
    WorkspaceError(
      kind, file: file, "\(what): \(String(cString: strerror(errno)))",
      remedy: "Check the folder, its permissions and the free space")
  }
}
