import Files
import Foundation

/// Writing a file completely or not at all.
enum AtomicFile {
  /// Writes pieces to a `DurableFile`.
  static func write(_ pieces: [Data], to path: String) throws(CheckpointFault) {
    do throws(FileError) {
      let file = try DurableFile(path)
      for piece in pieces { try file.write(piece) }
      try file.finish()
    } catch {
      throw CheckpointFault(error.what, remedy: FileError.remedy, isWriting: true)
    }
  }
}
