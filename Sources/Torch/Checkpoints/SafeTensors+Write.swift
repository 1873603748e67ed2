import Files
import Foundation

extension SafeTensors {
  /// Writes tensors so that other programs see either the whole new file or what was there before.
  ///
  /// The bytes go to a temporary file beside `path`, are flushed to the disk, and the file is renamed. Equal arguments
  /// give equal bytes: the header lists metadata by key and tensors in the order given. The data lie by falling element
  /// size, in the order given among equals, so that each tensor is aligned.
  ///
  /// - Throws: ``CheckpointError`` for a name given twice or `__metadata__`, and where the file cannot be written.
  public static func write(
    tensors: some Sequence<(name: String, tensor: StoredTensor)>, metadata: [String: String] = [:],
    to path: String
  ) throws(CheckpointError) {
    let tensors = Array(tensors)
    do throws(CheckpointFault) {
      let order = tensors.indices.sorted {
        (-tensors[$0].tensor.dtype.byteCount, $0) < (-tensors[$1].tensor.dtype.byteCount, $1)
      }
      let header = try header(of: tensors, order: order, metadata: metadata)
      try AtomicFile.write([header] + order.map { tensors[$0].tensor.bytes }, to: path)
    } catch {
      throw error.error(in: path)
    }
  }

  private static func header(
    of tensors: [(name: String, tensor: StoredTensor)], order: [Int], metadata: [String: String]
  ) throws(CheckpointFault) -> Data {
    var starts = [Int](repeating: 0, count: tensors.count)
    var end = 0
    for index in order {
      starts[index] = end
      end += tensors[index].tensor.bytes.count
    }
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
      members.append("\(JSONText.quoted(SafeTensorsHeader.metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var names: Set<String> = [SafeTensorsHeader.metadataKey]
    for (index, (name, tensor)) in tensors.enumerated() {
      guard names.insert(name).inserted else {
        throw CheckpointFault("the tensor name '\(name)' is taken", remedy: "Give every tensor its own name")
      }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let place = "\(starts[index]),\(starts[index] + tensor.bytes.count)"
      members.append(
        "\(JSONText.quoted(name)):{\"dtype\":\"\(tensor.dtype.safeTensorsCode)\",\"shape\":[\(shape)],\"data_offsets\":[\(place)]}"
      )
    }
    var json = Data("{\(members.joined(separator: ","))}".utf8)
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: -json.count & 7))
    guard json.count <= maximumHeaderLength else {
      throw CheckpointFault("the header would be longer than 100 MB", remedy: "Shorten names and metadata")
    }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
  }
}
