import Backbones
import Classifier
import Foundation
import Images
import Torch
import Workspace

/// The state that embedding's threads share: one or more networks, each with its own size of images.
struct EmbedWorker: Sendable {
  /// A network, and how images become its input.
  struct Part: Sendable {
    let network: any FeatureNetwork
    let decoder: ImageDecoder
  }

  let parts: [Part]
  /// Images that a thread decodes before it runs the networks.
  let batchSize: Int
  let access: ImageAccess

  init(_ plans: [NetworkPlan], device: Device, access: ImageAccess = ImageAccess()) throws {
    self.access = access
    batchSize = device == .cpu ? EmbedStage.batchSize : EmbedStage.deviceBatchSize
    parts = try plans.map {
      Part(network: try $0.load(), decoder: ImageDecoder($0.settings.preparation, limits: access.limits))
    }
  }

  var dimension: Int { parts.reduce(0) { $0 + $1.network.featureDimension } }

  /// Fills in the rows of some images.
  ///
  /// - Parameters:
  ///   - places: The row of each image in `rows`, `[N, D]`.
  /// - Returns: The faults of images that get no row, by their index.
  func embed(_ sources: [ImageSource], at places: [Int], into rows: Tensor) -> [Int: ImageProblem] {
    var problems: [Int: ImageProblem] = [:]
    var column = 0
    for part in parts {
      let batch = part.decoder.decodeBatch(sources)
      for (index, problem) in batch.problems where problems[index] == nil { problems[index] = problem }
      let width = part.network.featureDimension
      if batch.count > 0 {
        let features = part.network.features(batch.pixels)
        let targets = Tensor(batch.indices.map { places[$0] })
        // Networks side by side count alike, however large their numbers are.
        rows.narrow(dim: 1, start: column, count: width)
          .indexCopyInPlace(dim: 0, index: targets, parts.count == 1 ? features : features.unitRows())
      }
      column += width
    }
    return problems
  }
}

extension Tensor {
  /// Rows `[N, D]` of length √D, so that their numbers are about 1.
  fileprivate func unitRows() -> Tensor {
    normalized() * Double(size(1)).squareRoot()
  }
}
