import Files
import Foundation

/// Where a matrix of numbers lies in a file of another format: `.npz` or safetensors.
package struct EmbeddedMatrix: Sendable, Hashable {
  /// As NumPy writes types: `<f2`, `<f4`, `<f8`; or `bfloat16`, which it does not know. `nil`: the bytes at `offset` are a whole `.npy` file.
  package var type: String?
  package var shape: [Int]
  package var offset: Int64
  /// In the file.
  package var length: Int64
  /// Once unpacked, if it is deflated, as numpy.savez_compressed does; then `unpack` it first.
  package var inflatedLength: Int64?

  private static let arrayNames = ["features", "embeddings", "x", "arr_0"]

  /// Finds the features in a file: the only array, or the one named `features`, `embeddings`, `x` or `arr_0`.
  ///
  /// - Returns: `nil` if the file has neither format, as a `.npy` file is.
  /// - Throws: `DatasetProblems` if the array cannot be read where it lies.
  package static func find(in path: String) throws(DatasetProblems) -> EmbeddedMatrix? {
    let source = try DatasetSource(path: path)
    if source.head.starts(with: zipSignature) { return try inArchive(path) }
    guard source.lowercasedName.hasSuffix(".safetensors") else { return nil }
    return try inTensors(path)
  }

  private static func inArchive(_ path: String) throws(DatasetProblems) -> EmbeddedMatrix {
    let zip = try ZipIndex(path: path)
    guard zip.names.contains(where: { $0.hasSuffix(".npy") }) else {
      throw problem(
        path, "holds no array", "Save it with numpy.savez(file, features=array)")
    }
    let names = zip.names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }
    let name = try choose(names, path)
    guard let member = zip["\(name).npy"] else { throw problem(path, "has no \(name)", "Save it again") }
    return EmbeddedMatrix(
      type: nil, shape: [], offset: member.offset, length: member.length,
      inflatedLength: member.inflatedLength)
  }

  /// Unpacks the matrix of a file to another, which must not be there.
  ///
  /// - Throws: `DatasetProblems` if it is damaged, or the disk refuses.
  package func unpack(from path: String, to target: String) throws(DatasetProblems) {
    let place = try OutputPlace(target)
    let output = try OutputFile(place)
    let member = ArchiveMember(offset: offset, length: length, inflatedLength: inflatedLength)
    try Inflation.unpack(Descriptor(reading: path), member) { (piece) throws(DatasetProblems) in
      try output.write(piece)
    }
    try output.finish()
    try place.finish()
  }

  private static func choose(_ names: [String], _ path: String) throws(DatasetProblems) -> String {
    if names.count == 1 { return names[0] }
    let known = arrayNames.lazy.compactMap { known in names.first { $0.lowercased() == known } }.first
    guard let known else {
      throw problem(
        path, "holds several arrays: \(names.sorted().prefix(20).joined(separator: ", "))",
        "Name the one with the features `features`")
    }
    return known
  }

  private static func inTensors(_ path: String) throws(DatasetProblems) -> EmbeddedMatrix {
    let file = try Descriptor(reading: path)
    let length = try file.bytes(at: 0, count: 8).number(0, 8)
    guard length > 0, length <= min(100_000_000, file.size - 8) else {
      throw problem(path, "is no safetensors file", "Write it again with safetensors.save_file")
    }
    let json = try file.bytes(at: 8, count: Int(length))
    let tensors: [SafeTensorsHeader.Entry]
    do throws(JSONScanner.Fault) {
      tensors = try SafeTensorsHeader(json: json).entries
    } catch {
      throw problem(path, "has a damaged header: \(error.what)", "Write it again with safetensors.save_file")
    }
    let name = try choose(tensors.map(\.name), path)
    let types = ["F16": "<f2", "BF16": "bfloat16", "F32": "<f4", "F64": "<f8"]
    guard let tensor = tensors.first(where: { $0.name == name }), let type = types[tensor.type] else {
      throw problem(
        path, "holds \(name) as \(tensors.first { $0.name == name }?.type ?? "nothing")",
        "Save it as float32 or float16: tensor.float()")
    }
    guard (1...2).contains(tensor.shape.count), tensor.shape.allSatisfy({ $0 > 0 }) else {
      throw problem(
        path, "holds \(name) of shape \(tensor.shape), not [rows, dimension]",
        "Save a matrix with one row per image")
    }
    // Numbers of a hostile header may be as large as they like.
    guard Int64(tensor.end) <= file.size - 8 - length else {
      throw problem(
        path,
        "is damaged: \(name) would lie at bytes \(tensor.start) to \(tensor.end), beyond the file's end",
        "Write it again with safetensors.save_file")
    }
    return EmbeddedMatrix(
      type: type, shape: tensor.shape, offset: 8 + length + Int64(tensor.start),
      length: Int64(tensor.end - tensor.start))
  }

  private static func problem(_ path: String, _ what: String, _ remedy: String) -> DatasetProblems {
    DatasetProblems(DatasetProblem(file: path, what: what, remedy: remedy))
  }
}
