import Files
import Foundation

/// The safetensors format: a length (8 bytes, little endian), a JSON header of that length that names each tensor's
/// type, shape and place, and the tensors' bytes without gaps.
public enum SafeTensors {
  /// The longest header that is read or written, in bytes; the format's own bound.
  static let maximumHeaderLength = 100_000_000

  /// Reads a safetensors file, mapping it into memory.
  ///
  /// Tensors come in the order of the header. Refused are headers over 100 MB, names given twice, places that
  /// overlap, leave gaps or lie outside the file, and shapes that do not fill their place.
  public static func read(path: String) throws(CheckpointError) -> Checkpoint {
    do throws(CheckpointFault) {
      return try read(FileBytes.map(path: path))
    } catch {
      throw error.error(in: path)
    }
  }

  static func read(_ file: FileBytes) throws(CheckpointFault) -> Checkpoint {
    let length = try file.integer(UInt64.self, at: 0, of: "the length of the safetensors header")
    guard length <= UInt64(maximumHeaderLength) else {
      throw CheckpointFault("a safetensors header of \(length) bytes is longer than 100 MB")
    }
    let json = try file.slice(8, count: Int(length), of: "the safetensors header")
    guard json.first == UInt8(ascii: "{") else {
      throw CheckpointFault("is not safetensors: no header begins at byte 8", remedy: CheckpointFault.resave)
    }
    let header = try SafeTensorsHeader(text: Array(json))
    let entries = try SafeTensorsEntry.entries(of: header)
    let dataStart = 8 + Int(length)
    try requireCoverage(entries, count: file.count - dataStart)
    var checkpoint = Checkpoint(metadata: header.metadata)
    for entry in entries {
      let bytes = try file.slice(
        dataStart + entry.start, count: entry.end - entry.start, of: "tensor '\(entry.name)'")
      let tensor = StoredTensor(dtype: entry.dtype, shape: entry.shape, bytes: bytes)
      guard checkpoint.tensors.append(tensor, named: entry.name) else {
        throw CheckpointFault("the header holds tensor '\(entry.name)' twice")
      }
    }
    return checkpoint
  }

  /// Every byte after the header belongs to exactly one tensor.
  private static func requireCoverage(
    _ entries: [SafeTensorsEntry], count: Int
  ) throws(CheckpointFault) {
    var covered = 0
    for entry in entries.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      guard entry.start == covered else {
        throw CheckpointFault(
          "tensor '\(entry.name)' begins at byte \(entry.start) of the data; the tensors before it end at \(covered)"
        )
      }
      covered = entry.end
    }
    guard covered == count else {
      throw CheckpointFault("the tensors take \(covered) bytes, but \(count) follow the header")
    }
  }
}
