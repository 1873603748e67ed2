import Backbones
import Images
import Synchronization
import Torch

/// A trained classifier in use: batch norm folded, one thread a batch.
public struct InferenceClassifier: Sendable {
  public let backbone: Backbone
  public let classes: Int

  /// - Throws: ``CheckpointError`` where tensors are missing, the classifier's own among them.
  public init(
    _ kind: BackboneKind, checkpoint: Checkpoint, name: String = "classifier", precision: Precision = .auto
  ) throws(CheckpointError) {
    backbone = try Backbone(kind, checkpoint: checkpoint, name: name, precision: precision)
    guard let classes = backbone.classCount else {
      throw CheckpointError(
        path: name, what: "it holds a backbone without a classifier",
        remedy: "Give the file of a classifier that was trained: cleannet classify train")
    }
    self.classes = classes
  }

  /// Pixels `[N, H, W, 3]`, uint8, to logits `[N, C]`; an image's do not depend on the others of its batch.
  public func logits(_ pixels: Tensor) -> Tensor {
    let features = backbone.features(pixels)
    // A classifier is there: `init` has seen it.
    return backbone.logits(features: features) ?? .zeros([features.size(0), classes])
  }

  /// Calls `body` with the images and logits of each batch of a loader, in the batches' order, and returns what was wrong
  /// with other images.
  @discardableResult
  public func forEachBatch(
    _ loader: BatchLoader, batches: Int, threads: Int, _ body: (_ images: [Int], _ logits: Tensor) -> Void
  ) -> [(index: Int, problem: ImageProblem)] {
    struct Part: Sendable {
      var first: Int
      var images: [Int]
      var logits: Tensor
    }
    var problems: [(index: Int, problem: ImageProblem)] = []
    // Some at a time, so that memory holds few however many there are.
    let group = 16 * threads
    for start in stride(from: 0, to: batches, by: group) {
      let found = Mutex<(parts: [Part], problems: [(index: Int, problem: ImageProblem)])>(([], []))
      concurrently(over: min(group, batches - start), threads: threads) { _ in
        guard let batch = loader.next() else { return }
        let part =
          batch.count > 0
          ? Part(first: batch.indices[0], images: batch.indices, logits: self.logits(batch.pixels)) : nil
        found.withLock {
          if let part { $0.parts.append(part) }
          $0.problems += batch.problems
        }
      }
      let (parts, bad) = found.withLock { $0 }
      for part in parts.sorted(by: { $0.first < $1.first }) { body(part.images, part.logits) }
      problems += bad.sorted { $0.index < $1.index }
    }
    return problems
  }
}
