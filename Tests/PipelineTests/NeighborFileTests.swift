import CleanNet
import Foundation
import Testing
import Torch
import Workspace

@testable import Pipeline

@Suite("Neighbours that are kept")
final class NeighborFileTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  private let workspace: Workspace
  private var file: String { "\(folder)/models/neighbors.safetensors" }

  init() throws { workspace = try Workspace(path: folder, create: true) }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  @Test("are found again by the vectors that they belong to, and by no others")
  func roundTrip() throws {
    let store = NeighborFile(workspace).store
    let vectors = Generator(seed: 1).normal([6, 3])
    let neighbors: [Int32] = [1, 2, 0, 2, 3, 4, 5, 4, 0, 1, 2, 3]
    #expect(store.restore(vectors, 2) == nil)
    store.keep(vectors, 2, neighbors)
    #expect(store.restore(vectors, 2) == neighbors)
    #expect(store.restore(vectors, 1) == nil && store.restore(vectors * 2, 2) == nil)
    // What is damaged is found anew.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[bytes.count - 1] = 0x70
    try bytes.write(to: URL(fileURLWithPath: file))
    #expect(store.restore(vectors, 2) == nil)
    try bytes.prefix(40).write(to: URL(fileURLWithPath: file))
    #expect(store.restore(vectors, 2) == nil)
  }

  @Test("serve judging and training after more verdicts, with the same outcome")
  func judging() throws {
    let count = 240
    let labels = (0..<count).map { $0 % 3 }
    let centres = Generator(seed: 2).normal([3, 16]) * 2
    let features = DenseFeatures(
      Generator(seed: 3).normal([count, 16]) + centres.indexSelect(Tensor(labels.map { $0 })))
    func data(_ verified: Int) -> TrainingSet {
      TrainingSet(
        features: features, labels: labels, classes: 3,
        verifications: (0..<verified).map { VerificationLabel(image: $0, isRight: $0 % 5 > 0) })
    }
    var configuration = Configuration.extended(dimension: 16)
    configuration.setSteps(20)
    let store = NeighborFile(workspace).store
    let model = try Training(data(30), configuration: configuration, store: store, threads: 2).run().model
    let kept = try Data(contentsOf: URL(fileURLWithPath: file))
    let plain = model.judge(data(40), threads: 2)
    #expect(model.judge(data(40), store: store, threads: 2).probability == plain.probability)
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == kept)
    // They are really read: with every image its successor's neighbour the judgement is another one.
    let wrong = NeighborStore(
      restore: { vectors, k in
        (0..<vectors.size(0)).flatMap { row in (1...k).map { Int32((row + $0) % vectors.size(0)) } }
      }, keep: { _, _, _ in })
    #expect(model.judge(data(40), store: wrong, threads: 2).probability != plain.probability)
  }
}
