import Foundation

/// The bytes of a file, counted from 0, every access checked against the end.
struct FileBytes {
  private let data: Data

  init(_ data: Data) { self.data = data }

  /// Maps a regular file into memory.
  ///
  /// The pages stay tied to the file: replacing it by renaming another over it is safe, cutting it short while its
  /// tensors are in use is not.
  static func map(path: String) throws(CheckpointFault) -> FileBytes {
    var info = stat()
    guard stat(path, &info) == 0 else {
      throw CheckpointFault(
        "cannot be opened: \(String(cString: strerror(errno)))", remedy: "Check the path and its permissions")
    }
    guard info.st_mode & S_IFMT == S_IFREG else {
      throw CheckpointFault("is not a regular file", remedy: "Name a .safetensors, .pt or .pth file")
    }
    do {
      return FileBytes(try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped))
    } catch {
      throw CheckpointFault(
        "cannot be read: \(error.localizedDescription)", remedy: "Check the path and its permissions")
    }
  }

  var count: Int { data.count }

  /// The bytes of a range, without copying them.
  func slice(_ start: Int, count: Int, of what: String) throws(CheckpointFault) -> Data {
    guard start >= 0, count >= 0, start <= data.count, count <= data.count - start else {
      throw shortage(of: what)
    }
    return data[(data.startIndex + start)..<(data.startIndex + start + count)]
  }

  /// A little-endian unsigned integer of the given type.
  func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type, at offset: Int, of what: String
  ) throws(CheckpointFault) -> Value {
    let size = MemoryLayout<Value>.size
    guard offset >= 0, size <= data.count, offset <= data.count - size else { throw shortage(of: what) }
    var value: Value = 0
    for index in 0..<size { value |= Value(data[data.startIndex + offset + index]) << (8 * index) }
    return value
  }

  /// One byte.
  func byte(at offset: Int, of what: String) throws(CheckpointFault) -> UInt8 {
    guard offset >= 0, offset < data.count else { throw shortage(of: what) }
    return data[data.startIndex + offset]
  }

  func hasBytes(_ bytes: [UInt8], at offset: Int) -> Bool {
    guard offset >= 0, offset <= data.count, bytes.count <= data.count - offset else { return false }
    return data[(data.startIndex + offset)...].starts(with: bytes)
  }

  private func shortage(of what: String) -> CheckpointFault {
    CheckpointFault("the file of \(data.count) bytes ends before \(what) does")
  }
}
