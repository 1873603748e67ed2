import CTorch
import Files
import Foundation

/// A TorchScript program of a file: a network that runs without the code that made it.
///
/// Programs of PyTorch 1.13 to today are read; where the engine's libtorch is older than 2.0, the engine itself brings the
/// operator for attention. A program is code: it computes what its author wrote, with tensors alone; it cannot open files.
///
/// Sendable without a lock: libtorch runs a program from several threads at once, and its weights do not change.
package final class ScriptedProgram: @unchecked Sendable {
  private let handle: OpaquePointer
  private let path: String
  /// The file's `cleannet.json`; empty where it has none.
  package let about: Data

  /// - Parameters:
  ///   - dtype: The type that its weights are converted to; nil: as they are.
  /// - Throws: ``CheckpointError`` where the file is no program, or calls what this libtorch does not know.
  package init(path: String, dtype: DType? = nil, device: Device = .cpu) throws(CheckpointError) {
    let functions = Engine.functions
    guard let handle = functions.program_load(path, dtype?.rawValue ?? -1, device.code) else {
      throw CheckpointError(
        path: path, what: "libtorch \(Engine.version) cannot load the program: \(ScriptedProgram.reason)",
        remedy:
          "Export it again (docs/networks.md), or build the engine for a newer PyTorch: Scripts/build-engine")
    }
    self.handle = handle
    self.path = path
    guard let text = functions.program_about(handle).map(Tensor.init(handle:)) else { Engine.trap("program") }
    about = text.withUnsafeBytes { Data($0) }
  }

  deinit { Engine.functions.program_release(handle) }

  /// The program's result for a tensor; of several results the first, of named ones the pooled one.
  ///
  /// - Throws: ``CheckpointError`` where it fails, as on a batch of a size that it does not take.
  package func callAsFunction(_ input: Tensor) throws(CheckpointError) -> Tensor {
    guard let result = Engine.functions.program_run(handle, input.handle) else {
      if MemoryAttempt.takes(), let substitute = MemoryAttempt.substitute() {
        return Tensor(handle: substitute)
      }
      throw CheckpointError(
        path: path,
        what: "the program fails on an input of \(input.shape), \(input.dtype): \(ScriptedProgram.reason)",
        remedy: "Export it for batches of any size, with this --size (docs/networks.md)")
    }
    return Tensor(handle: result)
  }

  /// Whether a file is a TorchScript program: a zip archive with code in it.
  package static func isProgram(_ path: String) -> Bool {
    guard let bytes = try? FileBytes.map(path: path), bytes.hasBytes(zipSignature, at: 0),
      let archive = try? ZipArchive(bytes)
    else { return false }
    return archive.names.contains { $0.hasSuffix("/constants.pkl") }
  }

  /// The last line of libtorch's message, which says what went wrong after where it did.
  private static var reason: String {
    let text = String(cString: Engine.functions.last_error())
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter {
      !$0.isEmpty
    }
    let told = lines.last { $0.contains("Error") } ?? lines.first ?? "unknown"
    return String(told.prefix(300))
  }
}
