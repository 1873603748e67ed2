import CleanNet
import Foundation
import Torch
import Workspace

/// Nearest neighbours in the workspace's folder `models`: those found last, under a hash of the vectors that they belong to.
struct NeighborFile: Sendable {
  private let path: String
  private static let (keyName, tensorName) = ("vectors", "neighbors")

  init(_ workspace: Workspace) { path = workspace.modelFolder(key: "neighbors.safetensors") }

  var store: NeighborStore {
    NeighborStore(
      restore: { vectors, k in
        guard let kept = try? Checkpoint.read(path: path),
          kept.metadata[Self.keyName] == Self.key(vectors, k),
          let tensor = kept[Self.tensorName], tensor.dtype == .int32, tensor.shape == [vectors.size(0), k]
        else { return nil }
        let neighbors = tensor.bytes.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
        return neighbors.allSatisfy { (0..<Int32(vectors.size(0))).contains($0) } ? neighbors : nil
      },
      keep: { vectors, k, neighbors in
        let tensor = StoredTensor(
          dtype: .int32, shape: [vectors.size(0), k], bytes: neighbors.withUnsafeBytes { Data($0) })
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // What cannot be kept is found again.
        try? SafeTensors.write(
          tensors: [(Self.tensorName, tensor)], metadata: [Self.keyName: Self.key(vectors, k)], to: path)
      })
  }

  private static func key(_ vectors: Tensor, _ k: Int) -> String {
    var hash = StableHash()
    hash.combine(k)
    for size in vectors.shape { hash.combine(size) }
    vectors.contiguous().withUnsafeBytes { hash.combine($0) }
    return hash.text
  }
}
