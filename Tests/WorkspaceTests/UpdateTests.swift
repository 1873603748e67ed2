import Datasets
import Foundation
import GRDB
import Testing

@testable import Workspace

@Suite("Data sets that change")
struct UpdateTests {
  private let temporary: TemporaryWorkspace
  private let workspace: Workspace

  init() throws {
    temporary = try TemporaryWorkspace()
    workspace = try temporary.open()
  }

  private var options: DatasetOptions {
    var options = DatasetOptions()
    options.featuresOnly = true
    return options
  }

  private func update(_ table: String, scope: UpdateScope = .all) throws -> UpdateSummary {
    let source = try #require(try workspace.source(at: DatasetSource(path: table)))
    return try workspace.updateSamples(
      of: source, from: try DatasetReader.open(source: table, options: options), options: options,
      scope: scope)
  }

  /// The sums that are kept are those of the rows.
  private func expectSound() throws {
    #expect(try workspace.catalogueFindings().isEmpty)
  }

  @Test("added, removed, relabelled and returned samples are told; verdicts stay with what they judged")
  func changes() throws {
    let table = try temporary.write("t.csv", "key,label,note\na,x,1\nb,x,2\nc,y,3\n")
    try importTable(table, into: workspace)
    try workspace.addVerifications([
      VerificationRecord(sample: 1, label: 0, answer: .wrong, person: "p", origin: .reviewed),
      VerificationRecord(sample: 2, label: 1, answer: .right, person: "p", origin: .reviewed),
    ])
    let before = try workspace.fingerprint(of: .images, .labels)
    try expectSound()
    try temporary.write("t.csv", "key,label,note\na,x,one\nb,y,2\nd,z,4\n")
    let refused = try refusal { _ = try update(table, scope: .additions) }
    #expect(refused.kind == .alreadyImported)
    #expect(refused.what.contains("1 removed, 1 relabelled, 1 added"))
    #expect(try workspace.fingerprint(of: .images, .labels) == before)
    let summary = try update(table)
    #expect(summary.added == 1)
    #expect(summary.removed == 1)
    #expect(summary.relabelled == 1)
    #expect(summary.described == 1)
    try expectSound()
    #expect(try workspace.classNames() == ["x", "y", "z"])
    #expect(try workspace.labels() == [0, 1, -1, 2])
    #expect(try workspace.sample(key: "c") == nil)
    #expect(try workspace.sample(key: "d")?.id == 3)
    #expect(try workspace.sample(0)?.attributes.map(\.value) == ["one"])
    #expect(try workspace.currentAnswers().isEmpty)
    #expect(try workspace.status().samples == 3)
    #expect(try workspace.sources().count == 1)
    try temporary.write("t.csv", "key,label,note\na,x,1\nb,x,2\nc,y,3\n")
    let back = try update(table)
    #expect(back.returned == 1 && back.removed == 1 && back.relabelled == 1)
    try expectSound()
    #expect(try workspace.verifications().map(\.sample) == [1, 2])
    #expect(try update(table).isEmpty)
  }

  @Test("an update of nothing that was there is refused")
  func nothingLeft() throws {
    let table = try temporary.write("t.csv", "key,label\na,x\nb,x\n")
    try importTable(table, into: workspace)
    try temporary.write("t.csv", "key,label\nc,x\n")
    let error = try refusal { _ = try update(table) }
    #expect(error.what.contains("none of the 2 images"))
    #expect(try workspace.sample(key: "a") != nil)
  }

  @Test("a verdict of the table is imported once, and does not undo a later one")
  func verdicts() throws {
    let table = try temporary.write("t.csv", "key,label,verification\na,x,1\nb,x,\n")
    try importTable(table, into: workspace)
    try workspace.addVerifications([
      VerificationRecord(sample: 0, label: 0, answer: .wrong, person: "p", origin: .reviewed)
    ])
    try temporary.write("t.csv", "key,label,verification\na,x,1\nb,x,0\n")
    _ = try update(table)
    #expect(try workspace.verifications().map(\.isRight) == [false, false])
    try expectSound()
  }

  /// An image folder of some files, imported.
  private func folder(_ files: [String: String], at name: String = "photos") throws -> String {
    let folder = "\(temporary.path)/\(name)"
    for (path, content) in files {
      let file = URL(fileURLWithPath: "\(folder)/\(path)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(content.utf8).write(to: file)
    }
    return folder
  }

  private func importFolder(_ folder: String) throws {
    try workspace.importSamples(
      from: try DatasetReader.open(source: folder), source: try DatasetSource(path: folder))
  }

  @Test("an image that was renamed is the same image, with another label")
  func moved() throws {
    let photos = try folder(["cat/1.jpg": "one", "cat/2.jpg": "two", "dog/3.jpg": "three"])
    try importFolder(photos)
    let set = try workspace.featureSet(key: "k", dimension: 1, type: .float32)
    try workspace.beginRows(of: set, with: [])
    let rows = try workspace.samples(in: 0..<3).map { sample in
      guard case .file(let path) = sample.location else { throw CocoaError(.fileNoSuchFile) }
      let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
      return FeatureRow(
        sample: sample.id, state: .embedded,
        image: ImageIdentity(
          size: Int64(size), modified: 0, digest: try ContentDigestOf.file(path)))
    }
    try [Float](repeating: 1, count: 3).withUnsafeBufferPointer {
      try workspace.put(rows, $0, of: set, problems: [], stage: "embed")
    }
    let one = try #require(try workspace.sample(key: "cat/1.jpg"))
    try FileManager.default.moveItem(atPath: "\(photos)/cat/1.jpg", toPath: "\(photos)/dog/new.jpg")
    let source = try #require(try workspace.sources().first)
    let summary = try workspace.updateSamples(
      of: source, from: try DatasetReader.open(source: photos), options: DatasetOptions(), scope: .all)
    #expect(summary.moved == 1 && summary.relabelled == 1 && summary.added == 0 && summary.removed == 0)
    let moved = try #require(try workspace.sample(key: "dog/new.jpg"))
    #expect(moved.id == one.id)
    #expect(moved.location == .file("\(photos)/dog/new.jpg"))
    #expect(try workspace.rows(of: set, in: 0..<3).count == 3)
    try expectSound()
  }

  @Test("a data set that was moved is found again, by its owner's word or by its keys")
  func relocated() throws {
    let photos = try folder(["cat/1.jpg": "one", "dog/2.jpg": "two"])
    try importFolder(photos)
    let before = try workspace.fingerprint(of: .images, .labels)
    let new = "\(temporary.path)/elsewhere"
    let nowhere = try refusal { _ = try workspace.relocate(photos, to: new) }
    #expect(nowhere.kind == .notFound)
    try FileManager.default.moveItem(atPath: photos, toPath: new)
    let dataset = try DatasetReader.open(source: new)
    #expect(try workspace.movedSource(like: dataset, options: DatasetOptions())?.path == photos)
    #expect(try workspace.relocate(photos + "/", to: "\(temporary.path)/x/../elsewhere") == 2)
    #expect(try workspace.sample(0)?.location == .file("\(new)/cat/1.jpg"))
    #expect(try workspace.sources().map(\.path) == [new])
    #expect(try workspace.fingerprint(of: .images, .labels) == before)
    try expectSound()
    let unknown = try refusal { _ = try workspace.relocate(photos, to: new) }
    #expect(unknown.what.contains("no image"))
  }

  @Test("an archive that was moved")
  func archive() throws {
    #expect(ImageLocation(encoded: "tar:512:3:/old/a.tar") != nil)
    let table = try temporary.write("t.csv", "key,label\na,x\n")
    try importTable(table, into: workspace)
    try temporary.write("new.tar", "bytes")
    try workspace.write { db in
      try db.execute(sql: "UPDATE samples SET location = 'tar:512:3:/old/a.tar'")
      try SampleSums.scan(db).store(db)
    }
    #expect(try workspace.relocate("/old/a.tar", to: "\(temporary.path)/new.tar") == 1)
    #expect(
      try workspace.sample(0)?.location
        == .archiveMember(archive: "\(temporary.path)/new.tar", offset: 512, length: 3))
  }

  @Test("the same path in another spelling is the same source")
  func spelling() throws {
    let table = try temporary.write("t.csv", "key,label\na,x\n")
    try importTable(table, into: workspace)
    let other = "\(temporary.path)/./x/../t.csv"
    let error = try refusal { try importTable(other, into: workspace) }
    #expect(error.kind == .alreadyImported)
  }

  @Test("images without features do not go where features came with the samples")
  func mixed() throws {
    let features = "\(temporary.path)/f.npy"
    let output = try NpyOutput(path: features)
    try [Float]([1, 2]).withUnsafeBufferPointer { try output.append($0) }
    try output.finish(dimension: 2)
    try importTable(
      try temporary.write("t.csv", "key,label\na,x\n"), into: workspace,
      features: try NpyMatrix(path: features))
    let error = try refusal {
      try importTable(try temporary.write("u.csv", "key,label\nb,x\n"), into: workspace)
    }
    #expect(error.kind == .invalidInput)
    #expect(error.remedy.contains("--features"))
  }
}
