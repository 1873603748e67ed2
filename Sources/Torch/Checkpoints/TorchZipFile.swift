import Foundation

/// The format that `torch.save` writes since PyTorch 1.6: a zip archive with the pickle and one entry per storage.
enum TorchZipFile {
  /// The longest pickle that is read: state dictionaries take some hundred bytes a tensor.
  private static let maximumPickleLength = 64 << 20

  static func read(_ file: FileBytes) throws(CheckpointFault) -> Checkpoint {
    let archive = try ZipArchive(file)
    let folder = try folder(of: archive)
    if archive.names.contains(folder + "byteorder") {
      let order = try archive.contents(of: folder + "byteorder")
      guard order.elementsEqual("little".utf8) else {
        throw CheckpointFault("was written big endian", remedy: "Save it again on a little-endian machine")
      }
    }
    let pickle = try archive.contents(of: folder + "data.pkl")
    guard pickle.count <= maximumPickleLength else {
      throw CheckpointFault("its pickle of \(pickle.count) bytes is too long", remedy: CheckpointFault.resave)
    }
    var machine = PickleMachine()
    var cursor = PickleCursor(FileBytes(pickle))
    let root = try machine.run(&cursor)

    var reader = TensorReader(fileCount: file.count)
    var sizes: [String: (dtype: StoredDType, count: Int)] = [:]
    for storage in machine.heap.storages {
      if let known = sizes[storage.key] {
        guard known == (storage.dtype, storage.count) else { throw TensorReader.conflict(over: storage.key) }
        continue
      }
      sizes[storage.key] = (storage.dtype, storage.count)
      try reader.add(archive.contents(of: folder + "data/" + storage.key), for: storage)
    }
    return try StateDictionary(machine: machine, reader: reader).checkpoint(from: root)
  }

  /// The one folder that holds everything, with its slash; its name is that of the file when it was saved.
  private static func folder(of archive: ZipArchive) throws(CheckpointFault) -> String {
    let pickle = "/data.pkl"
    let folders = archive.names.filter { $0.hasSuffix(pickle) && $0.split(separator: "/").count == 2 }
      .map { String($0.dropLast(pickle.count)) + "/" }
    guard folders.count == 1 else {
      throw CheckpointFault(
        "is a zip archive but not one that torch.save wrote: it holds \(folders.count) files */data.pkl",
        remedy: "Unpack it and name the weights inside")
    }
    if archive.names.contains(folders[0] + "constants.pkl") {
      throw CheckpointFault("is a TorchScript program, not weights", remedy: CheckpointFault.resave)
    }
    return folders[0]
  }
}
