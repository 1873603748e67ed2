import Files
import Foundation

/// Files that one program writes and reads for itself, such as the state of a training that may be interrupted, carry a
/// digest of their content. So bytes that a disk has changed are not taken for the written ones.
extension Checkpoint {
  private static let sealName = "digest"

  /// Reads a file that ``writeSealed(to:)`` left; nil where there is none, or another bit in it.
  package static func readSealed(path: String) -> Checkpoint? { (try? read(path: path))?.unsealed }

  package var isSealed: Bool { metadata[Self.sealName] != nil }

  /// Without its digest; nil where there is none, or it differs.
  package var unsealed: Checkpoint? {
    var checkpoint = self
    guard let seal = checkpoint.metadata.removeValue(forKey: Self.sealName), seal == checkpoint.digest else {
      return nil
    }
    return checkpoint
  }

  /// Writes a safetensors file with a digest of its tensors and metadata.
  package func writeSealed(to path: String) throws(CheckpointError) {
    try SafeTensors.write(
      tensors: tensors, metadata: metadata.merging([Self.sealName: digest]) { $1 }, to: path)
  }

  /// Of everything in it, whatever the order of the tensors.
  private var digest: String {
    var digest = ContentDigest()
    func add(_ text: String) {
      var text = text
      text.withUTF8 { bytes in
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { digest.update($0) }
        digest.update(UnsafeRawBufferPointer(bytes))
      }
    }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      add(key)
      add(value)
    }
    for (name, tensor) in tensors.sorted(by: { $0.name < $1.name }) {
      add("\(name) \(tensor.dtype.rawValue) \(tensor.shape)")
      tensor.bytes.withUnsafeBytes { digest.update($0) }
    }
    return digest.text
  }
}
