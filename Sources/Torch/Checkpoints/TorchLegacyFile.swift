import Foundation

/// The format that `torch.save` wrote before PyTorch 1.6: pickles of a magic number, the format's version, the
/// machine's word sizes, the object itself and the storages' keys. Then come the storages, each behind its count of
/// elements.
enum TorchLegacyFile {
  /// 0x1950a86a20f9469cfc6c, which fills ten bytes.
  private static let magicNumber: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
  private static let version = 1001

  static func read(_ file: FileBytes) throws(CheckpointFault) -> Checkpoint {
    var machine = PickleMachine()
    var cursor = PickleCursor(file)
    guard case .longInteger(let magic) = try machine.run(&cursor), magic == magicNumber else {
      throw CheckpointFault("is a pickle, but not one that torch.save wrote", remedy: CheckpointFault.resave)
    }
    guard case .integer(version) = try machine.run(&cursor) else {
      throw CheckpointFault(
        "has another version than \(version) of PyTorch's format", remedy: CheckpointFault.resave)
    }
    try requireLittleEndian(machine.run(&cursor), machine.heap)
    let root = try machine.run(&cursor)
    let list = try machine.run(&cursor)
    guard let keys = machine.sequence(list) else {
      throw CheckpointFault("lacks the list of its storages")
    }
    let reader = try storages(keys, machine.heap, file, from: cursor.position)
    return try StateDictionary(machine: machine, reader: reader).checkpoint(from: root)
  }

  private static func requireLittleEndian(
    _ systemInformation: PickleValue, _ heap: PickleHeap
  ) throws(CheckpointFault) {
    guard case .dictionary(let place) = systemInformation else {
      throw CheckpointFault("does not say on what machine it was written")
    }
    for case (.string("little_endian"), .bool(let isLittle)) in heap.dictionaries[place] where !isLittle {
      throw CheckpointFault("was written big endian", remedy: "Save it again on a little-endian machine")
    }
  }

  /// Finds the storages, which follow the pickles in the order of their keys.
  private static func storages(
    _ keys: [PickleValue], _ heap: PickleHeap, _ file: FileBytes, from start: Int
  ) throws(CheckpointFault) -> TensorReader {
    var declared: [String: PickledStorage] = [:]
    for storage in heap.storages {
      if let known = declared[storage.key], (known.dtype, known.count) != (storage.dtype, storage.count) {
        throw TensorReader.conflict(over: storage.key)
      }
      declared[storage.key] = storage
    }
    var reader = TensorReader(fileCount: file.count)
    var position = start
    for key in keys {
      // Removing it finds keys that are listed twice.
      guard case .string(let key) = key, let storage = declared.removeValue(forKey: key) else {
        throw CheckpointFault("lists a storage that none of its tensors uses, or lists one twice")
      }
      let what = "storage '\(key)'"
      let count = try file.integer(UInt64.self, at: position, of: what)
      guard count == UInt64(storage.count), storage.count <= file.count else {
        throw CheckpointFault("\(what) holds \(count) elements where its tensors expect \(storage.count)")
      }
      let bytes = try file.slice(position + 8, count: storage.count * storage.dtype.byteCount, of: what)
      try reader.add(bytes, for: storage)
      position += 8 + bytes.count
    }
    if let missing = declared.keys.min() { throw CheckpointFault("lacks storage '\(missing)'") }
    guard position == file.count else {
      throw CheckpointFault("holds \(file.count - position) bytes behind its last storage")
    }
    return reader
  }
}
