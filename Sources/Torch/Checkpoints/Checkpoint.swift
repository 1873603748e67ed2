import Files
import Foundation

/// The tensors of a file of weights, and the short values that lie beside them.
///
/// Three formats are read, told apart by content and never by the file's name: safetensors, and what `torch.save`
/// writes: zip archives (PyTorch 1.6 and later) and the bare pickles of before. Pickles are read by an interpreter
/// that knows tensors, dictionaries, lists, tuples, numbers and strings, and refuses everything else, so reading a
/// file never runs code from it.
///
/// A PyTorch file may keep its weights deep inside. A dictionary may hold no tensor itself but, under `state_dict`,
/// `model_state_dict` or `model`, another one with tensors somewhere in it. Then the first of these is taken, and the
/// rest, such as an optimizer's state, is left out. Dictionaries and lists in the one taken are flattened, their names
/// joined by dots: `{"encoder": {"weight": …}}` gives `encoder.weight`. Numbers, truth values and strings, there and in
/// the dictionaries passed on the way (`{"epoch": 3}`), become ``metadata``.
public struct Checkpoint: Sendable {
  public var tensors: TensorTable
  /// Safetensors: the `__metadata__`. PyTorch: numbers, truth values and strings beside the tensors, as text.
  public var metadata: [String: String]

  public init(tensors: TensorTable = TensorTable(), metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The tensor of that name.
  public subscript(name: String) -> StoredTensor? { tensors[name] }

  /// Reads a file, mapping it into memory; only strided tensors are copied.
  ///
  /// - Parameter stripModulePrefix: drop the `module.` that `DataParallel` puts before every name.
  public static func read(
    path: String, stripModulePrefix: Bool = false
  ) throws(CheckpointError) -> Checkpoint {
    let bytes: FileBytes
    do { bytes = try FileBytes.map(path: path) } catch { throw error.error(in: path) }
    return try read(bytes, name: path, stripModulePrefix: stripModulePrefix)
  }

  /// Reads the bytes of a file; `name` stands for it in errors.
  public static func read(
    bytes: Data, name: String, stripModulePrefix: Bool = false
  ) throws(CheckpointError) -> Checkpoint {
    try read(FileBytes(bytes), name: name, stripModulePrefix: stripModulePrefix)
  }

  private static func read(
    _ bytes: FileBytes, name: String, stripModulePrefix: Bool
  ) throws(CheckpointError) -> Checkpoint {
    do throws(CheckpointFault) {
      let checkpoint =
        if bytes.hasBytes([UInt8(ascii: "{")], at: 8) {
          // After the header's length. A zip archive has its (stored) method there, a legacy file its magic number.
          try SafeTensors.read(bytes)
        } else if bytes.hasBytes(zipSignature, at: 0) {
          try TorchZipFile.read(bytes)
        } else if bytes.hasBytes([PickleOpcode.protocolVersion.rawValue], at: 0) {
          try TorchLegacyFile.read(bytes)
        } else {
          throw CheckpointFault(
            "is neither safetensors nor a file that torch.save wrote", remedy: CheckpointFault.resave)
        }
      return stripModulePrefix ? checkpoint.strippingPrefix("module.") : checkpoint
    } catch {
      throw error.error(in: name)
    }
  }

  /// The same tensors without a prefix that every name has; unchanged where some name lacks it.
  public func strippingPrefix(_ prefix: String) -> Checkpoint {
    guard tensors.allSatisfy({ $0.name.hasPrefix(prefix) && $0.name != prefix }) else { return self }
    var stripped = Checkpoint(metadata: metadata)
    for (name, tensor) in tensors {
      // Names that differ after a common prefix differ without it.
      stripped.tensors.append(tensor, named: String(name.dropFirst(prefix.count)))
    }
    return stripped
  }
}
