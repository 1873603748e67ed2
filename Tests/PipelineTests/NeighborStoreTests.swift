import CleanNet
import Foundation
import Testing
import Workspace

@testable import Pipeline
@testable import Torch

@Suite("Neighbors that are kept")
final class NeighborStoreTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  private let workspace: Workspace

  init() throws { workspace = try Workspace(path: folder, create: true) }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  @Test("serve judging and training after more verdicts, with the same outcome")
  func judging() throws {
    let count = 240
    let labels = (0..<count).map { $0 % 3 }
    let centres = Generator(seed: 2).normal([3, 16]) * 2
    let features = DenseFeatures(
      Generator(seed: 3).normal([count, 16]) + centres.indexSelect(Tensor(labels.map { $0 })))
    func data(_ verified: Int) -> TrainingSet {
      TrainingSet(
        sound: features, labels: labels, classes: 3,
        verifications: (0..<verified).map { VerificationLabel(image: $0, isRight: $0 % 5 > 0) })
    }
    var configuration = Configuration.extended(dimension: 16)
    configuration.setSteps(20)
    let store = workspace.neighborStore
    let model = try Training(data(30), configuration: configuration, store: store, threads: 2).run().model
    let path = "\(folder)/models/neighbors/neighbors.i32"
    let kept = try Data(contentsOf: URL(fileURLWithPath: path))
    let plain = model.judge(data(40), threads: 2)
    #expect(plain.neighbors == .exact(wanted: 0.95, duplicates: 0))
    #expect(model.judge(data(40), store: store, threads: 2).probability == plain.probability)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == kept)
    // They are really read: with every image its successor's neighbor the judgement is another one.
    let table = try #require(MappedBytes(path: path, count: kept.count))
    let values = table.bytes.bindMemory(to: Int32.self)
    let k = kept.count / 4 / count
    for place in values.indices { values[place] = Int32((place / k + place % k + 1) % count) }
    NeighborJournal(table, rows: count, width: k * 4, block: 4096, store: store).markAll()
    #expect(model.judge(data(40), store: store, threads: 2).probability != plain.probability)
  }
}
