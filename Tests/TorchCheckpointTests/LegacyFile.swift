import Foundation

/// Legacy files made by hand.
enum LegacyFile {
  /// A whole file around the pickle of an object without storages.
  static func bytes(object: [UInt8]) -> Data {
    let magic: [UInt8] = [
      0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
    ]
    let version: [UInt8] = [0x80, 2, 0x4D, 0xE9, 0x03, 0x2E]
    let system: [UInt8] = [0x80, 2, 0x7D, 0x2E]
    let keys: [UInt8] = [0x80, 2, 0x5D, 0x2E]
    return Data(magic + version + system + object + keys)
  }

  /// The pickle of a named object.
  static func global(_ module: String, _ name: String) -> [UInt8] {
    [0x80, 2, 0x63] + Array("\(module)\n\(name)\n".utf8) + [0x2E]
  }

  /// A whole file whose one tensor, "t", lies in a storage of the bytes 0, 1, 2 ….
  static func bytes(storageCount: UInt8, offset: Int, shape: [Int], strides: [Int], declaredCount: Int? = nil)
    -> Data
  {
    let key = text("k")
    let identity =
      [0x28] + text("storage") + global("torch", "ByteStorage")[2...].dropLast() + key + text("cpu")
      + integer(declaredCount ?? Int(storageCount)) + [0x74, 0x51]
    var object: [UInt8] = [0x80, 2, 0x7D] + text("t")
    object += global("torch._utils", "_rebuild_tensor_v2")[2...].dropLast() + [0x28] + identity
    object += integer(offset) + tuple(shape) + tuple(strides) + [0x89, 0x4E, 0x74, 0x52, 0x73, 0x2E]
    let keys: [UInt8] = [0x80, 2, 0x5D] + key + [0x61, 0x2E]
    let storage = [storageCount, 0, 0, 0, 0, 0, 0, 0] + Array(0..<storageCount)
    return bytes(object: object).dropLast(4) + Data(keys + storage)
  }

  private static func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }

  private static func integer(_ value: Int) -> [UInt8] {
    [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func tuple(_ values: [Int]) -> [UInt8] { [0x28] + values.flatMap(integer) + [0x74] }
}
