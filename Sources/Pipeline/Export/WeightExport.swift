import Datasets
import Foundation
import Workspace

/// The weights that images have in training.
package enum WeightKind: String, Sendable, CaseIterable {
  /// max(0, cosine), as in the paper.
  case soft
  /// 1 or 0.
  case hard
}

/// Sample weights as arrays, one number per image in the order of the import, as PyTorch's `WeightedRandomSampler`
/// takes them. Images of the split `test`, and those without features, weigh nothing.
package enum WeightExport {
  package struct Outcome: Sendable, Codable {
    package var rows: Int
    /// Images that weigh nothing because nothing is known of them.
    package var unknown: Int
    /// The file that names the image of each row, where the array's own file cannot.
    package var keys: String?
  }

  /// A table of keys may be as large as this within an `.npz` file.
  private static let mostKeyBytes = 1 << 30

  /// Writes a table with the columns `key`, `weight` and `split`: CSV, TSV or JSON lines by the file's name.
  ///
  /// - Parameters:
  ///   - format: csv, tsv or jsonl; nil: what the file's name says.
  ///   - path: nil or `-`: stdout.
  package static func writeTable(
    _ workspace: Workspace, _ kind: WeightKind, format: String? = nil, to path: String?
  ) throws -> Outcome {
    let table = try TableOutput(
      path, columns: ["key", "weight", "split"], syntax: format.flatMap(TableOutput.Syntax.init(rawValue:)))
    let outcome = try each(workspace) { sample, known in
      try table.write([
        .text(sample.key), .float(Self.weight(kind, sample, known)), .text(sample.split),
      ])
    }
    try table.finish()
    return outcome
  }

  /// Writes the table that names the image of each row of an array: `weights.npy` gets `weights.keys.csv`.
  private static func writeKeys(_ workspace: Workspace, beside path: String) throws -> String {
    let stem =
      [".npy", ".npz"].first { path.lowercased().hasSuffix($0) }.map { path.dropLast($0.count) } ?? path[...]
    let file = "\(stem).keys.csv"
    let table = try TableOutput(file, columns: ["row", "key", "split"])
    try workspace.forEachSample { sample in
      try table.write([.number("\(sample.id)"), .text(sample.key), .text(sample.split)])
    }
    try table.finish()
    return file
  }

  /// Writes one `.npy` file of float32, and beside it a table of the rows' keys.
  package static func writeNpy(_ workspace: Workspace, _ kind: WeightKind, to path: String) throws -> Outcome
  {
    let output = try NpyOutput(path: URL(fileURLWithPath: path).path)
    var outcome = try each(workspace) { sample, known in
      let weight = Self.weight(kind, sample, known)
      try withUnsafePointer(to: weight) { try output.append(UnsafeBufferPointer(start: $0, count: 1)) }
    }
    try output.finish(dimension: nil)
    outcome.keys = try writeKeys(workspace, beside: path)
    return outcome
  }

  /// Writes an `.npz` file with `weight_soft`, `weight_hard` and `probability` (float32), `label` and `suggested_label`
  /// (int32, class numbers; −1: none), `is_label_issue` (bool), `class_names`, `split_names`, `split` (int32, their
  /// numbers), and `key`. Where keys are too long for that, a table of them lies beside it.
  package static func writeNpz(_ workspace: Workspace, to path: String) throws -> Outcome {
    let count = try workspace.sampleCount()
    var soft = NpyArray("<f4", count), hard = NpyArray("<f4", count), probability = NpyArray("<f4", count)
    var label = NpyArray("<i4", count), suggested = NpyArray("<i4", count), issue = NpyArray("|b1", count)
    var outcome = try each(workspace) { sample, known in
      soft.append(Self.weight(.soft, sample, known))
      hard.append(Self.weight(.hard, sample, known))
      probability.append(known.probability)
      label.append(Int32(sample.label))
      suggested.append(Int32(known.suggestion ?? -1))
      issue.append(UInt8(known.isWrong == true ? 1 : 0))
    }
    var splits = NpyArray("<i4", count)
    for split in try workspace.splits() { splits.append(split) }
    let keys = try workspace.keys()
    let width = keys.lazy.map(\.unicodeScalars.count).max() ?? 0
    let hasRoom = width * keys.count <= mostKeyBytes / 4
    if !hasRoom { outcome.keys = try writeKeys(workspace, beside: path) }
    var members: [(name: String, bytes: [UInt8])] = [
      ("weight_soft.npy", soft.bytes), ("weight_hard.npy", hard.bytes),
      ("probability.npy", probability.bytes),
      ("label.npy", label.bytes), ("suggested_label.npy", suggested.bytes),
      ("is_label_issue.npy", issue.bytes),
      ("class_names.npy", NpyArray.texts(try workspace.classNames())), ("split.npy", splits.bytes),
      ("split_names.npy", NpyArray.texts(try workspace.splitNames())),
    ]
    if hasRoom { members.append(("key.npy", NpyArray.texts(keys))) }
    try StoredZip.write(members, to: path)
    return outcome
  }

  /// Not negative, and never NaN, which samplers refuse.
  static func weight(
    _ kind: WeightKind, _ sample: StoredSample, _ known: KnownLabel
  ) -> Float {
    let weight = kind == .soft ? known.softWeight : known.hardWeight
    return sample.split == "test" || weight.isNaN ? 0 : max(0, weight)
  }

  private static func each(
    _ workspace: Workspace, _ body: (StoredSample, KnownLabel) throws -> Void
  ) throws -> Outcome {
    let knownLabels = try KnownLabels(workspace)
    var outcome = Outcome(rows: 0, unknown: 0)
    try workspace.forEachSample { sample in
      let known = knownLabels[sample]
      outcome.rows += 1
      if sample.split != "test", known.softWeight.isNaN { outcome.unknown += 1 }
      try body(sample, known)
    }
    return outcome
  }
}

/// The bytes of a one-dimensional `.npy` array, version 1.0.
struct NpyArray {
  private(set) var bytes: [UInt8]

  /// - Parameter type: NumPy's name of it, such as `<f4`.
  init(_ type: String, _ count: Int) {
    let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(count),), }"
    let length = (10 + text.utf8.count + 1 + 63) / 64 * 64 - 10
    bytes =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
    bytes += [UInt8](repeating: 0x20, count: length - text.utf8.count - 1) + [0x0A]
  }

  mutating func append(_ value: some BitwiseCopyable) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }

  /// Texts as NumPy's fixed-width Unicode.
  static func texts(_ texts: [String]) -> [UInt8] {
    let width = max(1, texts.map(\.unicodeScalars.count).max() ?? 1)
    var array = NpyArray("<U\(width)", texts.count)
    for text in texts {
      let scalars = text.unicodeScalars.map(\.value)
      for scalar in scalars + Array(repeating: 0, count: width - scalars.count) { array.append(scalar) }
    }
    return array.bytes
  }
}
