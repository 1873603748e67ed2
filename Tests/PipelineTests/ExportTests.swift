import Datasets
import Foundation
import Testing
import Workspace

@testable import Pipeline

@Suite("Exports")
final class ExportTests {
  private let folder: String
  private let workspace: Workspace

  /// Ten images of two classes with a score each: every third is found wrong, to be the other class.
  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    var table = "path,label,key,split,note\n"
    for index in 0..<10 {
      let path = "in/\(index), \(index).jpg"
      try Self.write("\(folder)/\(path)", [UInt8(index)])
      table += "\"\(path)\",\(index % 2 == 0 ? "cat" : "dög"),k\(index),\(index == 9 ? "test" : "train"),\n"
    }
    try Self.write("\(folder)/list.csv", Array(table.utf8))
    workspace = try Workspace(path: "\(folder)/w", create: true)
    let source = try DatasetSource(path: "\(folder)/list.csv")
    try workspace.importSamples(from: DatasetReader.open(source: source.path), source: source)
    let scores = try workspace.scoreWriter(key: "s", count: 10)
    for index in 0..<10 {
      let isWrong = index % 3 == 0
      try scores.append(
        index == 8
          ? ScoreRow(
            cosine: .nan, probability: .nan, threshold: .nan, verdict: .unknown, softWeight: .nan,
            hardWeight: .nan,
            suggestedLabel: -1, suggestedCosine: .nan)
          : ScoreRow(
            cosine: Float(index) / 10, probability: Float(index) / 16, threshold: 0.5,
            verdict: isWrong ? .wrong : .right, softWeight: Float(index) / 8, hardWeight: isWrong ? 0 : 1,
            suggestedLabel: Int32(isWrong ? 1 - index % 2 : index % 2), suggestedCosine: 0.9))
    }
    try scores.finish()
    let run = try workspace.beginRun(stage: "score", key: "s")
    try workspace.finishRun(run, .done)
    // A person disagrees twice.
    try workspace.addVerifications([
      VerificationRecord(sample: 3, label: 1, answer: .right, person: "p", origin: .reviewed),
      VerificationRecord(sample: 4, label: 0, answer: .wrong, person: "p", origin: .reviewed),
    ])
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private static func write(_ path: String, _ bytes: [UInt8]) throws {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  private func read(_ name: String) throws -> [Sample] {
    var samples: [Sample] = []
    try DatasetReader.open(source: "\(folder)/\(name)").read { samples.append($0) }
    return samples
  }

  private func number(_ sample: Sample) throws -> Int {
    Int(try ImageBytes().read(sample.location, key: "")[0])
  }

  @Test(
    "wrong labels are dropped: what a person said before what was found; test images stay",
    arguments: ["image-folder", "webdataset", "tar", "zip", "hf-image-folder"])
  func drop(format: String) throws {
    let outcome = try DatasetExport(format: format).write(workspace, to: "\(folder)/out")
    #expect(outcome.written == 7)
    #expect(outcome.dropped == 3)
    #expect(outcome.unknown == 1)
    let samples = try read("out")
    #expect(try samples.map(number).sorted() == [1, 2, 3, 5, 7, 8, 9])
    #expect(try samples.allSatisfy { try $0.label == (number($0) % 2 == 0 ? "cat" : "dög") })
    #expect(try samples.filter { $0.split == "test" }.map(number) == [9])
  }

  @Test(
    "a person's word on the right class goes before what was found; accepted suggestions are no verification")
  func corrections() throws {
    try workspace.addVerifications([
      // 2 was found right; 6 was found to be a dög, and that is accepted unseen.
      VerificationRecord(sample: 2, label: 0, answer: .wrong, person: "p", origin: .reviewed, correction: 1),
      VerificationRecord(sample: 6, label: 0, answer: .wrong, person: "p", origin: .accepted, correction: 1),
    ])
    var export = DatasetExport(format: "source")
    export.wrong = .relabel
    let outcome = try export.write(workspace, to: "\(folder)/out.csv")
    #expect((outcome.written, outcome.relabelled, outcome.dropped) == (9, 3, 1))
    let samples = Dictionary(uniqueKeysWithValues: try read("out.csv").map { ($0.key, $0) })
    #expect(samples["k2"]?.label == "dög" && samples["k2"]?.verification == true)
    #expect(samples["k6"]?.label == "dög" && samples["k6"]?.verification == nil)
    #expect(try workspace.verifications().map(\.sample) == [2, 3, 4])
  }

  @Test("wrong labels are replaced, and the old ones kept in a column")
  func relabel() throws {
    var export = DatasetExport(format: "source")
    export.wrong = .relabel
    export.weights = .soft
    let outcome = try export.write(workspace, to: "\(folder)/out.csv")
    // 0 and 6 get the other label; a person said that 4 is wrong, but nothing fits better.
    #expect((outcome.written, outcome.relabelled, outcome.dropped) == (9, 2, 1))
    #expect(outcome.format == "manifest")
    let samples = try read("out.csv")
    #expect(samples.map(\.key) == ["k0", "k1", "k2", "k3", "k5", "k6", "k7", "k8", "k9"])
    #expect(samples.map(\.label) == ["dög", "dög", "cat", "dög", "dög", "dög", "dög", "cat", "dög"])
    #expect(samples.map { $0.attribute("given_label") } == ["cat", nil, nil, nil, nil, "cat", nil, nil, nil])
    #expect(
      samples.map { $0.attribute("weight") } == ["1", "0.125", "0.25", "1", "0.625", "1", "0.875", "0", "0"])
    #expect(samples.map(\.verification) == [nil, nil, nil, true, nil, nil, nil, nil, nil])
  }

  @Test("weights need a format with columns")
  func weightsWithoutColumns() {
    var export = DatasetExport(format: "image-folder")
    export.weights = .hard
    #expect { try export.write(workspace, to: "\(folder)/out") } throws: { "\($0)".contains("npy") }
  }

  @Test("a data set of features is written with its features")
  func features() throws {
    let set = try workspace.featureSet(key: FeatureSet.imported, dimension: 4, type: .float32)
    let values = (0..<40).map { $0 / 4 == 8 ? Float.nan : Float($0) / 3 }
    try values.withUnsafeBufferPointer { try set.write(0..<10, $0) }
    var export = DatasetExport(format: "cleannet-tsv")
    export.wrong = .keep
    let outcome = try export.write(workspace, to: "\(folder)/out.tsv")
    #expect((outcome.written, outcome.dropped) == (9, 1))
    let dataset = try DatasetReader.open(source: "\(folder)/out.tsv")
    let other = try Workspace(path: "\(folder)/w2", create: true)
    let source = try DatasetSource(path: "\(folder)/out.tsv")
    try FeatureInput.withOwn(of: dataset, in: other.path) { own in
      _ = try other.importSamples(from: dataset, source: source, features: own)
    }
    #expect(try other.keys() == (0..<10).filter { $0 != 8 }.map { "k\($0)" })
    let matrix = try FeatureMatrix(#require(try other.featureSet(key: FeatureSet.imported)), samples: 9)
    var row = [Float](repeating: 0, count: 4)
    row.withUnsafeMutableBufferPointer { matrix.copyRows([8], into: $0) }
    #expect(row == (36..<40).map { Float($0) / 3 })
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: other.path).allSatisfy {
        !$0.hasPrefix(".features")
      })
  }

  @Test("weights are arrays in the order of the import, never negative nor NaN")
  func weights() throws {
    let outcome = try WeightExport.writeNpy(workspace, .soft, to: "\(folder)/soft.npy")
    #expect((outcome.rows, outcome.unknown) == (10, 1))
    let matrix = try NpyMatrix(path: "\(folder)/soft.npy")
    var values = [Float](repeating: -1, count: matrix.count)
    values.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { matrix.copyRows(0..<10, into: base) }
    }
    #expect(values == [0, 0.125, 0.25, 1, 0, 0.625, 0.75, 0.875, 0, 0])
    _ = try WeightExport.writeNpz(workspace, to: "\(folder)/w.npz")
    // One array of several, taken where it lies.
    #expect { try FeatureInput.open("\(folder)/w.npz", in: folder) } throws: {
      "\($0)".contains("weight_hard")
    }
    try StoredZip.write(
      [("x.npy", Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/soft.npy"))))],
      to: "\(folder)/one.npz")
    let inner = try FeatureInput.open("\(folder)/one.npz", in: folder)
    var copy = [Float](repeating: -1, count: inner.count)
    copy.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { inner.copyRows(0..<10, into: base) }
    }
    #expect(copy == values)
  }

  @Test("cleanlab's columns")
  func cleanlab() throws {
    #expect(try CleanlabExport.write(workspace, to: "\(folder)/c.csv") == 10)
    let lines = try String(contentsOfFile: "\(folder)/c.csv", encoding: .utf8).split(separator: "\n")
    #expect(lines[0] == "key,path,is_label_issue,label_score,given_label,predicted_label,split")
    #expect(lines[1] == "k0,\"in/0, 0.jpg\",True,0,cat,dög,train")
    #expect(lines[4] == "k3,\"in/3, 3.jpg\",False,0.1875,dög,cat,train")
    #expect(lines[5] == "k4,\"in/4, 4.jpg\",True,0.25,cat,cat,train")
    #expect(lines[9] == "k8,\"in/8, 8.jpg\",False,,cat,cat,train")
  }

  @Test(
    "verdicts go out and come back",
    arguments: [("v.csv", nil), ("v.jsonl", nil), ("v.json", nil), ("v.tsv", .food101N)]
      as [(String, VerificationFormat?)])
  func verdicts(name: String, format: VerificationFormat?) throws {
    let path = "\(folder)/\(name)"
    #expect(try VerificationStages.exporting(workspace, to: path, format: format) == 2)
    let other = try Workspace(path: "\(folder)/w2", create: true)
    let source = try DatasetSource(path: "\(folder)/list.csv")
    try other.importSamples(from: DatasetReader.open(source: source.path), source: source)
    let outcome = try VerificationStages.importing(path, into: other, person: "q")
    #expect((outcome.right, outcome.wrong, outcome.unknown) == (1, 1, 0))
    let got = try other.verifications(), expected = try workspace.verifications()
    #expect(got.map(\.sample) == expected.map(\.sample))
    #expect(got.map(\.isRight) == expected.map(\.isRight))
  }

  @Test(
    "verdicts come back with all that belongs to them, and the random sample as it was",
    arguments: ["v.csv", "v.jsonl"])
  func verdictsWhole(name: String) throws {
    let line = try workspace.chooseDrawOrder(seed: 5).sorted(
      try workspace.labels().indices.filter { index in
        try workspace.labels()[index] == 0
      })
    func record(
      _ sample: Int, _ answer: VerificationAnswer, _ selection: VerificationRecord.Selection?,
      correction: Int? = nil
    ) -> VerificationRecord {
      VerificationRecord(
        sample: sample, label: 0, answer: answer, person: "Ann",
        date: Date(timeIntervalSince1970: 1_700_000_000.25),
        origin: .reviewed, correction: correction, selection: selection)
    }
    try workspace.addVerifications([
      record(line[0], .right, .drawn), record(line[1], .unsure, .drawn),
      record(line[2], .wrong, .drawn, correction: 1), record(line[4], .wrong, .suspect),
    ])
    let path = "\(folder)/\(name)"
    _ = try VerificationStages.exporting(workspace, to: path)
    let other = try Workspace(path: "\(folder)/w2", create: true)
    let source = try DatasetSource(path: "\(folder)/list.csv")
    try other.importSamples(from: DatasetReader.open(source: source.path), source: source)
    let outcome = try VerificationStages.importing(path, into: other, person: "q")
    #expect(outcome.unsure == 1 && outcome.random == 3)
    // The same file again says nothing new.
    let history = try other.verificationHistory()
    _ = try VerificationStages.importing(path, into: other, person: "q")
    #expect(try other.verificationHistory() == history)
    let got = try other.verifiedImages(), expected = try workspace.verifiedImages()
    func facts(_ images: VerifiedImages) -> [[String]] {
      images.images.map { image in
        [
          "\(image.sample)", "\(image.answer)", image.person, "\(image.correction ?? -1)", "\(image.isDrawn)",
        ]
      }
    }
    #expect(facts(got) == facts(expected))
    // Tables keep milliseconds.
    #expect(zip(got.images, expected.images).allSatisfy { abs($0.date.timeIntervalSince($1.date)) < 0.002 })
    #expect(Set(got.samples.flatMap(\.drawn)) == Set(line[..<3]))
    #expect(got.images.first { $0.sample == line[4] }?.selection == .suspect)
  }

  @Test("a table that does not say how its images were chosen stands for none unless declared")
  func declared() throws {
    try Data("key,verification\nk0,0\nk2,1\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/t.csv"))
    let before = try workspace.verifiedImages().samples
    #expect(try VerificationStages.importing("\(folder)/t.csv", into: workspace, person: "q").random == 0)
    #expect(try workspace.verifiedImages().samples == before)
    let outcome = try VerificationStages.importing(
      "\(folder)/t.csv", into: workspace, person: "q", drawn: .random)
    #expect(outcome.random == 2)
    #expect(Set(try workspace.verifiedImages().samples.flatMap(\.drawn)).isSuperset(of: [0, 2]))
    for (text, fault) in [
      ("key,verification,selection\nk0,0,luck\n", "luck"),
      ("key,verification,correction\nk0,0,fish\n", "fish"),
      ("key,verification,correction\nk0,1,dög\n", "not judged wrong"),
      ("key,verification,time\nk0,1,noon\n", "noon"),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/bad.csv"))
      #expect {
        try VerificationStages.importing("\(folder)/bad.csv", into: workspace, person: "q")
      } throws: {
        "\($0)".contains(fault) && "\($0)".contains("bad.csv, line 2")
      }
    }
  }

  @Test("Label Studio's tasks: addresses are encoded, unverified images have no annotation")
  func labelStudio() throws {
    let path = "\(folder)/tasks.json"
    #expect(try VerificationStages.exporting(workspace, to: path, unverified: 2) == 6)
    let tasks = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [[String: Any]]
    )
    #expect(tasks.count == 6)
    #expect(tasks.count { $0["annotations"] != nil } == 2)
    let image = try #require((tasks[0]["data"] as? [String: String])?["image"])
    #expect(image.hasPrefix("/data/local-files/?d="))
    #expect(image.hasSuffix(".jpg") && image.contains(",%20"))
    let other = try VerificationStages.importing(path, into: workspace, person: "q")
    #expect((other.right, other.wrong, other.unknown) == (1, 1, 4))
  }
}
