import Datasets
import Foundation
import Testing
import Workspace

@testable import Report

@Suite("How scores were made")
final class HistoryTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  @Test("the commands that make all of it again have every option that changed the outcome")
  func commands() throws {
    let workspace = try Workspace(path: "\(folder)/w", create: true)
    let table = "\(folder)/images.csv"
    try Data("id,path,class\nk0,0.jpg,a\nk1,1.jpg,b\n".utf8).write(to: URL(fileURLWithPath: table))
    var options = DatasetOptions()
    options.keyColumn = "id"
    options.labelColumn = "class"
    options.keyPrefix = "shop/"
    options.featuresOnly = true
    options.labelMap = ["a": "cat", "b": "dog"]
    options.pathPrefixes = [(from: "/old data", to: "/new")]
    _ = try workspace.importSamples(
      from: try DatasetReader.open(source: table, options: options), source: try DatasetSource(path: table),
      options: options)
    for (stage, settings) in [
      (
        "train",
        #"{"kMeans":{"clusters":7},"normalization":"columns","recall":0.99,"seed":3,"training":{"steps":40}}"#
      ), ("score", #"{"recall":0.98,"targetNoise":0.02}"#),
    ] {
      let run = try workspace.beginRun(stage: stage, key: stage, settings: settings)
      try workspace.finishRun(run, .done, metrics: #"{"objective":"paper"}"#)
    }
    let commands = try HistoryGatherer(workspace: workspace).commands()
    #expect(
      commands == [
        "cleannet import \(table) --format manifest --label-column class --key-column id --key-prefix shop/ "
          + "--path-prefix '/old data=/new' --features FILE --label-map FILE",
        "cleannet train --objective paper --references 7 --recall 0.99 --steps 40 --normalization columns --seed 3",
        "cleannet score --target-noise 0.02 --recall 0.98", "cleannet report",
      ])
  }
}
