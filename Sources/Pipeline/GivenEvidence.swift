import CleanNet
import Files
import Foundation
import Torch
import Workspace

/// Each image's class according to another model, from a file: `[N, C]`, one row per sample in the order of the import.
struct GivenEvidence: Sendable {
  let file: Configuration.GivenFile
  /// Probabilities, `[N, C]`, float32.
  let probabilities: Tensor
  /// Findings about the file, for people.
  let notes: [String]

  /// - Throws: `WorkspaceError` if the file cannot be read, ``PipelineError`` if it does not belong to the workspace.
  init(_ path: String, of workspace: Workspace) throws {
    let matrix = try FeatureInput.open(path, in: workspace.path)
    let classes = try workspace.classNames()
    let count = try workspace.sampleCount()
    guard matrix.count == count, matrix.dimension == classes.count else {
      throw PipelineError(
        .badInput,
        "\(path) has the shape [\(matrix.count), \(matrix.dimension)]; the workspace has \(count) images of \(classes.count) "
          + "classes",
        remedy:
          "Give one row per image, in the order of `cleannet export scores`, and one column per class")
    }
    let digest: String
    do throws(FileError) {
      digest = try ContentDigest.ofFile(path).text
    } catch {
      throw WorkspaceError(.notFound, file: path, error.what, remedy: FileError.remedy)
    }
    file = Configuration.GivenFile(path: URL(fileURLWithPath: path).path, digest: digest)
    var values = [Float](repeating: 0, count: count * classes.count)
    values.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { matrix.copyRows(0..<count, into: base) }
    }
    let table = Tensor(values, shape: [count, classes.count])
    let isKnown = table.sum(dim: 1).floats().map(\.isFinite)
    let known = isKnown.indices.filter { isKnown[$0] }
    guard !known.isEmpty else {
      throw PipelineError(.badInput, "\(path) holds no number", remedy: "Write probabilities, or logits")
    }
    var notes: [String] = []
    var rows = table.indexSelect(Tensor(known))
    let isProbability =
      (rows.amin(dim: 1).floats().min() ?? 0) >= 0
      && rows.sum(dim: 1).floats().allSatisfy { abs($0 - 1) < 0.02 }
    if !isProbability {
      notes.append("\(path): rows do not sum to 1; they are taken as logits")
      rows = rows.logSoftmax(dim: 1).exp()
    }
    let labels = try workspace.trainLabels()
    let order = Self.order(rows, labels: known.map { labels[$0] }, classes: classes)
    if let note = order.note { notes.append("\(path): \(note)") }
    rows = rows.indexSelect(dim: 1, Tensor(order.columns))
    // Nothing is known of the others.
    let all = Tensor.full([count, classes.count], 1 / Double(classes.count))
    all.indexCopyInPlace(dim: 0, index: Tensor(known), rows)
    probabilities = all
    self.notes = notes
  }

  /// Which column belongs to each class: the workspace's order is that of first appearance, other programs sort names. The
  /// one in which predictions agree with more labels counts.
  static func order(
    _ rows: Tensor, labels: [Int], classes: [String]
  ) -> (columns: [Int], note: String?) {
    let byName = classes.indices.sorted { classes[$0] < classes[$1] }
    // The place of each class among the sorted names.
    var sorted = Array(repeating: 0, count: classes.count)
    for (place, label) in byName.enumerated() { sorted[label] = place }
    let own = Array(classes.indices)
    let likeliest = rows.argmax(dim: 1).ints()
    func agreement(_ columns: [Int]) -> Double {
      let pairs = zip(likeliest, labels).filter { $0.1 >= 0 }
      return Double(pairs.count { columns[$0.1] == $0.0 }) / Double(max(1, pairs.count))
    }
    let kept = agreement(own)
    let alphabetical = agreement(sorted)
    let best = max(kept, alphabetical)
    var note: String?
    if sorted != own {
      note =
        alphabetical > kept
        ? "the columns are read as the classes in alphabetical order: \(percent(alphabetical)) of the predictions agree "
          + "with the labels (\(percent(kept)) in the workspace's order)"
        : "the columns are read as the classes in the workspace's order: \(percent(kept)) of the predictions agree with "
          + "the labels (\(percent(alphabetical)) in alphabetical order)"
    }
    if best < 2 / Double(classes.count) {
      note =
        (note.map { $0 + ". " } ?? "")
        + "Only \(percent(best)) of the predictions agree with the labels: check the order of "
        + "rows and columns"
    }
    return (alphabetical > kept ? sorted : own, note)
  }

  private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}
