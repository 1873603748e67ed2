import Artefacts
import Datasets
import Foundation
import Testing
import Workspace

@Suite("Stages")
final class StageTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace(path: "\(folder)/w", create: true)
    let table = "\(folder)/images.csv"
    try Data("key,path,label\nk0,0.jpg,a\nk1,1.jpg,b\nk2,2.jpg,a\n".utf8).write(
      to: URL(fileURLWithPath: table))
    // None of it is looked at.
    var options = DatasetOptions()
    options.featuresOnly = true
    _ = try workspace.importSamples(
      from: try DatasetReader.open(source: table, options: options), source: try DatasetSource(path: table),
      options: options)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Counts the verdicts, and writes how many there are to a file.
  private struct Counting: Stage {
    struct Inputs: StageInputs {
      let count: Int
      let digests: [String: String]
    }
    struct Settings: Codable {}
    let name = "counting"

    func inputs(_ snapshot: Workspace) throws -> Inputs {
      Inputs(
        count: try snapshot.verifications().count,
        digests: [InputName.verdicts: try snapshot.fingerprint(of: .verifications)])
    }
    func settings(_ inputs: Inputs) -> Settings { Settings() }
    func files(key: String) -> [String] { ["models/\(key)/count"] }
    typealias Outcome = Int
  }

  private func count(
    meanwhile: () throws -> Void = {}, cleanUp: (String) -> Void = { _ in }
  ) throws -> StageResult<Int> {
    try StageRunner(workspace).run(
      Counting(),
      make: { inputs, _, key in
        let place = workspace.modelFolder(key: key)
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try Data("\(inputs.count)".utf8).write(to: URL(fileURLWithPath: "\(place)/count"))
        try meanwhile()
        return inputs.count
      }, cleanUp: cleanUp)
  }

  private func judge(_ sample: Int) throws {
    let label = try workspace.labels()[sample]
    try workspace.addVerifications([
      VerificationRecord(sample: sample, label: Int(label), answer: .right, person: "p", origin: .reviewed)
    ])
  }

  @Test("a verdict that comes while a stage runs is none of its inputs, and the next run sees it")
  func meanwhile() throws {
    try judge(0)
    let first = try count(meanwhile: { try judge(1) })
    #expect(first.outcome == 1 && !first.wasThere)
    let second = try count()
    #expect(second.outcome == 2 && !second.wasThere && second.key != first.key)
    #expect(try count().wasThere)
  }

  @Test("files that only an interrupted run needs are removed after the outcome is recorded, not before")
  func order() throws {
    struct Broken: Error {}
    var cleaned: [String] = []
    #expect(throws: Broken.self) { try count(meanwhile: { throw Broken() }, cleanUp: { cleaned.append($0) }) }
    #expect(cleaned.isEmpty)
    #expect(try workspace.finishedRun(stage: "counting") == nil)
    var recorded: [Bool] = []
    let done = try count(cleanUp: { key in
      recorded.append((try? self.workspace.finishedRun(stage: "counting", key: key)) != nil)
    })
    #expect(recorded == [true] && !done.wasThere)
  }

  @Test("an outcome whose file is damaged or gone is made again; so is one that is asked for again")
  func damaged() throws {
    let first = try count()
    let file = "\(workspace.modelFolder(key: first.key))/count"
    try Data("9".utf8).write(to: URL(fileURLWithPath: file))
    #expect(try !count().wasThere)
    unlink(file)
    #expect(try !count().wasThere)
    #expect(try count().wasThere)
    #expect(
      try !StageRunner(workspace).run(Counting(), again: true, make: { inputs, _, _ in inputs.count })
        .wasThere)
  }
}
