import Datasets
import Files
import Foundation
import Images
import Pipeline
import Torch
import Workspace

/// An error as the shell sees it: a message on stderr and an exit status of sysexits.h.
struct Failure {
  let message: String
  let status: Int32

  /// Whether the error is one of this program's own, which say what is wrong and what to do.
  static func describes(_ error: any Error) -> Bool {
    error is PipelineError || error is WorkspaceError || error is DatasetProblems || error is EngineError
      || error is VipsError || error is CheckpointError || error is FileError
  }

  init(_ error: any Error) {
    message = "\(error)"
    status =
      switch error {
      case let error as PipelineError:
        switch error.kind {
        case .badInput: EX_DATAERR
        case .missingInput: EX_NOINPUT
        case .missingComponent: EX_UNAVAILABLE
        case .unreachable, .tryAgain: EX_TEMPFAIL
        }
      case let error as WorkspaceError:
        switch error.kind {
        case .notFound: EX_NOINPUT
        case .newerVersion, .damaged, .alreadyImported, .invalidInput: EX_DATAERR
        case .locked, .removed: EX_IOERR
        case .cannotWrite: EX_CANTCREAT
        }
      case let error as DatasetProblems:
        Self.status(of: error)
      case let error as CheckpointError: error.isWriting ? EX_CANTCREAT : EX_DATAERR
      case let error as FileError: error.code == EIO ? EX_IOERR : EX_CANTCREAT
      case is EngineError, is VipsError: EX_UNAVAILABLE
      default: EX_DATAERR
      }
  }

  private static func status(of problems: DatasetProblems) -> Int32 {
    func begins(_ beginnings: String...) -> Bool {
      problems.first.contains { problem in beginnings.contains { problem.what.hasPrefix($0) } }
    }
    if begins("cannot be opened") { return EX_NOINPUT }
    if begins(DuckDB.missing) { return EX_UNAVAILABLE }
    return begins("cannot be created", "cannot be written", "cannot be put in place", "cannot be flushed")
      ? EX_CANTCREAT : EX_DATAERR
  }

  func exit() -> Never {
    FileHandle.standardError.write(Data("error: \(message)\n".utf8))
    Foundation.exit(status)
  }
}
