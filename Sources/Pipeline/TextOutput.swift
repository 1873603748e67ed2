import Foundation
import Workspace

/// Text that goes to stdout, or to a file that is written completely or not at all, or to one that grows piece by
/// piece.
final class TextOutput {
  private var file: AtomicFile?
  private var growing: FileHandle?
  private var pending: [UInt8] = []

  /// - Parameters:
  ///   - path: nil or `-`: stdout.
  ///   - grows: Whether what is written is in the file at once.
  init(_ path: String?, grows: Bool = false) throws {
    guard let path, path != "-" else { return }
    guard grows else {
      file = try AtomicFile(path: URL(fileURLWithPath: path).path)
      return
    }
    try Data().write(to: URL(fileURLWithPath: path))
    growing = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }

  func write(_ text: String) throws { try write(text.utf8) }

  func write(_ bytes: some Sequence<UInt8>) throws {
    pending.append(contentsOf: bytes)
    if growing != nil || pending.count >= 1 << 16 { try flush() }
  }

  private func flush() throws {
    defer { pending.removeAll(keepingCapacity: true) }
    if file != nil {
      try pending.withUnsafeBytes { try file?.write($0) }
    } else if let growing {
      try growing.write(contentsOf: pending)
    } else {
      try FileHandle.standardOutput.write(contentsOf: pending)
    }
  }

  /// Puts what was written before whoever reads stdout; a file that is written whole is not touched.
  func show() throws {
    if file == nil { try flush() }
  }

  /// Writes what is left, and gives the file its name. Nothing may follow.
  func finish() throws {
    try flush()
    if let file = file.take() { try file.finish() }
  }
}
