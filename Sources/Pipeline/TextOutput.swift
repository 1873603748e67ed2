import Foundation
import Workspace

/// Text that goes to stdout, or to a file that is written whole or not at all.
final class TextOutput {
  private var file: AtomicFile?
  private var pending: [UInt8] = []

  /// - Parameter path: nil or `-`: stdout.
  init(_ path: String?) throws {
    if let path, path != "-" { file = try AtomicFile(path: URL(fileURLWithPath: path).path) }
  }

  func write(_ text: String) throws {
    pending.append(contentsOf: text.utf8)
    if pending.count >= 1 << 16 { try flush() }
  }

  private func flush() throws {
    defer { pending.removeAll(keepingCapacity: true) }
    if file != nil {
      try pending.withUnsafeBytes { try file?.write($0) }
    } else {
      try FileHandle.standardOutput.write(contentsOf: pending)
    }
  }

  /// Writes what is left, and gives the file its name. Nothing may follow.
  func finish() throws {
    try flush()
    if let file = file.take() { try file.finish() }
  }
}
