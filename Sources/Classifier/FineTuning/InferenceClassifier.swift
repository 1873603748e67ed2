import Backbones
import Images
import Synchronization
import Torch

/// A trained classifier in use: batch norm folded, one thread per batch.
package struct InferenceClassifier: Sendable {
  package let backbone: Backbone
  package let classes: Int

  /// - Throws: ``CheckpointError`` where tensors are missing, the classifier's own among them.
  package init(
    _ kind: BackboneKind, checkpoint: Checkpoint, name: String = "classifier", precision: Precision = .auto,
    device: Device = .cpu
  ) throws(CheckpointError) {
    backbone = try Backbone(kind, checkpoint: checkpoint, name: name, precision: precision, device: device)
    guard let classes = backbone.classCount else {
      throw CheckpointError(
        path: name, what: "it holds a backbone without a classifier",
        remedy: "Give the file of a classifier that was trained: cleannet classify train")
    }
    self.classes = classes
  }

  /// Pixels `[N, H, W, 3]`, uint8, to logits `[N, C]`; an image's do not depend on the others of its batch.
  package func logits(_ pixels: Tensor) -> Tensor {
    let features = backbone.features(pixels)
    // A classifier is there: `init` has seen it.
    return backbone.logits(features: features) ?? .zeros([features.size(0), classes])
  }

  /// The network's answer for a batch.
  package struct Answer: Sendable {
    /// Images that could be read, in rising order.
    package var images: [Int]
    /// A row for each of them; nil where there are none.
    package var logits: Tensor?
    /// The other images of the batch, in rising order.
    package var problems: [(index: Int, problem: ImageProblem)]

    var first: Int { min(images.first ?? .max, problems.first?.index ?? .max) }
  }

  /// Calls `body` with each batch of a loader, in their order.
  package func forEachBatch(
    _ loader: BatchLoader, batches: Int, threads: Int, _ body: (Answer) throws -> Void
  ) rethrows {
    defer { loader.cancel() }
    // Some at a time, so that memory holds few however many there are.
    let group = 16 * threads
    for start in stride(from: 0, to: batches, by: group) {
      let found = Mutex<[Answer]>([])
      concurrently(over: min(group, batches - start), threads: threads) { _ in
        guard let batch = loader.next() else { return }
        let answer = Answer(
          images: batch.indices, logits: batch.count > 0 ? self.logits(batch.pixels) : nil,
          problems: batch.problems)
        found.withLock { $0.append(answer) }
      }
      for answer in found.withLock({ $0 }).sorted(by: { $0.first < $1.first }) { try body(answer) }
    }
  }
}
