import Datasets
import Files
import Foundation
import GRDB
import Testing

@testable import Workspace

/// The digest of a file, for tests that lay rows down themselves.
enum ContentDigestOf {
  static func file(_ path: String) throws -> UInt64 { try ContentDigest.ofFile(path).word }
}

@Suite("Workspaces that can be trusted")
struct TrustTests {
  private let temporary: TemporaryWorkspace

  init() throws { temporary = try TemporaryWorkspace() }

  @Test("of two first imports that begin at once, neither removes the other's")
  func firstImports() throws {
    let loser = try temporary.open()
    let winner = try temporary.open()
    try importTable(try temporary.table("a", count: 3), into: winner)
    try loser.removeIfEmpty()
    #expect(try temporary.open(create: false).sampleCount() == 3)
    // The other way round: the one that waits finds its folder gone.
    let second = try TemporaryWorkspace()
    let left = try second.open()
    let right = try second.open()
    try left.removeIfEmpty()
    #expect(!Workspace.exists(at: second.folder))
    let error = try refusal { try importTable(try second.table("a", count: 3), into: right) }
    #expect(error.kind == .removed)
  }

  @Test("a catalogue cut to nothing is damage, not a new workspace", arguments: [true, false])
  func emptied(create: Bool) throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 3), into: workspace)
    _ = try workspace.featureSet(key: "k", dimension: 1, type: .float32)
    let catalogue = workspace.catalogue
    try workspace.pool.close()
    try Data().write(to: URL(fileURLWithPath: catalogue))
    let error = try refusal { _ = try temporary.open(create: create) }
    #expect(error.kind == .damaged)
    #expect(FileManager.default.fileExists(atPath: "\(temporary.folder)/features/k/features.json"))
    unlink(catalogue)
    let missing = try refusal { _ = try temporary.open(create: create) }
    #expect(missing.kind == (create ? .damaged : .notFound))
  }

  @Test("a snapshot stays as it was, and everything read through it belongs together")
  func snapshot() throws {
    let workspace = try temporary.open()
    let table = try temporary.table("a", count: 6)
    try importTable(table, into: workspace)
    let snapshot = try workspace.snapshot()
    let before = try snapshot.fingerprint(of: .labels, .verifications)
    try workspace.addVerifications([
      VerificationRecord(sample: 0, label: 0, answer: .right, person: "p", origin: .reviewed)
    ])
    try temporary.relabel(table, "a-1", "other", in: workspace)
    #expect(try snapshot.verifications().isEmpty)
    #expect(try snapshot.snapshot().fingerprint(of: .labels, .verifications) == before)
    #expect(try workspace.fingerprint(of: .labels, .verifications) != before)
  }

  @Test(
    "a row that a disk has changed is found",
    arguments: [
      "UPDATE samples SET class = 1 - class WHERE id = 2", "UPDATE samples SET key = 'b-2' WHERE id = 2",
      "UPDATE samples SET split = 1 - split WHERE id = 2", "UPDATE segments SET base = '/other'",
      "UPDATE verifications SET answer = 1 - answer", "UPDATE verifications SET person = 'q'",
      "UPDATE runs SET metrics = '{}'", "UPDATE counts SET samples = samples + 1",
      "UPDATE samples SET class = 77 WHERE id = 2", "DELETE FROM samples WHERE id = 9",
    ])
  func rows(change: String) throws {
    let workspace = try temporary.open()
    let folder = "\(temporary.path)/photos"
    for name in ["x/1.jpg", "y/2.jpg"] {
      let file = URL(fileURLWithPath: "\(folder)/\(name)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("x".utf8).write(to: file)
    }
    try importTable(
      try temporary.write(
        "a.csv",
        "key,label,split\n"
          + (0..<8).map {
            "a-\($0),class \($0 % 2),\($0 % 3 == 0 ? "test" : "")\n"
          }.joined()), into: workspace)
    try workspace.importSamples(
      from: try DatasetReader.open(source: folder), source: try DatasetSource(path: folder))
    try workspace.addVerifications([
      VerificationRecord(sample: 1, label: 1, answer: .right, person: "p", origin: .reviewed, dwell: 3)
    ])
    try workspace.finishRun(try workspace.beginRun(stage: "train", key: "k"), .done, metrics: "{\"a\":1}")
    #expect(try workspace.catalogueFindings().isEmpty)
    try workspace.write { try $0.execute(sql: change) }
    #expect(try !workspace.catalogueFindings().isEmpty)
  }

  @Test("class and split numbers that are not there are damage, not a crash")
  func numbers() throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 6), into: workspace)
    for column in ["class", "split"] {
      try workspace.write { try $0.execute(sql: "UPDATE samples SET \(column) = 99 WHERE id = 3") }
      #expect(try refusal { _ = try workspace.labels() }.kind == .damaged)
      #expect(try refusal { try workspace.forEachSample { _ in } }.kind == .damaged)
      try workspace.write { try $0.execute(sql: "UPDATE samples SET \(column) = 0 WHERE id = 3") }
    }
  }

  @Test("each bit of a file that a stage left counts")
  func files() throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 3), into: workspace)
    try FileManager.default.createDirectory(
      atPath: workspace.modelFolder(key: "k"), withIntermediateDirectories: true)
    let file = "\(workspace.modelFolder(key: "k"))/model.safetensors"
    let bytes = Array("some bytes of a model".utf8)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    let run = try workspace.beginRun(stage: "train", key: "k")
    try workspace.finishRun(run, .done, files: try workspace.digests(of: ["models/k/model.safetensors"]))
    try workspace.verify(["models/k"], remedy: "")
    for bit in stride(from: 0, to: 8 * bytes.count, by: 5) {
      var other = bytes
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      try Data(other).write(to: URL(fileURLWithPath: file))
      let error = try refusal { try workspace.verify(["models/k"], remedy: "train") }
      #expect(error.kind == .damaged && error.remedy == "train")
    }
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    try workspace.verify(["models/k"], remedy: "")
    try workspace.verify(["models/none"], remedy: "")
  }

  @Test("rows of features are put in place with what they were made of")
  func rowsOfFeatures() throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 5000), into: workspace)
    let set = try workspace.featureSet(key: "k", dimension: 2, type: .float16)
    #expect(try !workspace.keepsRows(of: set))
    try workspace.beginRows(of: set, with: [])
    let image = ImageIdentity(size: 1, modified: 2, digest: 3)
    func put(_ samples: [Int], _ value: Float, digest: UInt64 = 3) throws {
      let rows = samples.map {
        FeatureRow(
          sample: $0, state: .embedded, image: ImageIdentity(size: 1, modified: 2, digest: digest))
      }
      try [Float](repeating: value, count: 2 * samples.count).withUnsafeBufferPointer {
        try workspace.put(rows, $0, of: set, problems: [], stage: "embed")
      }
    }
    let empty = try workspace.digest(of: set)
    try put(Array(0..<4096), 1)
    try put([4097, 4099], 2)
    #expect(set.missing(of: 5000) == [4100..<5000])
    #expect(try workspace.rows(of: set, in: 4096..<4100).keys.sorted() == [4097, 4099])
    try put(Array(4100..<5000), 3)
    let matrix = try workspace.featureMatrix(set)
    var row: [Float] = [0, 0]
    row.withUnsafeMutableBufferPointer { matrix.copyRows([4098], into: $0) }
    #expect(row[0].isNaN)
    row.withUnsafeMutableBufferPointer { matrix.copyRows([4099], into: $0) }
    #expect(row == [2, 2])
    let digest = try workspace.digest(of: set)
    #expect(digest != empty)
    try put([7], 9, digest: 4)
    #expect(try workspace.digest(of: set) != digest)
    try put([7], 1, digest: 3)
    #expect(try workspace.digest(of: set) == digest)
    #expect(try workspace.catalogueFindings().isEmpty)
    #expect(try workspace.rows(of: set, in: 7..<8)[7]?.image == image)
    // A bit of a shard.
    let path = set.path(shard: 1)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count - 3] ^= 16
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(try refusal { _ = try workspace.featureMatrix(set) }.kind == .damaged)
    #expect(try workspace.soundRows(of: set, shard: 0, samples: 5000) == 4096)
    #expect(try workspace.soundRows(of: set, shard: 1, samples: 5000) == nil)
    try put(Array(4096..<5000), 5)
    _ = try workspace.featureMatrix(set)
  }

  @Test("a kill between a shard and its record leaves rows to be made again, not damage")
  func killedShard() throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 10), into: workspace)
    let set = try workspace.featureSet(key: "k", dimension: 1, type: .float32)
    try workspace.beginRows(of: set, with: [])
    let rows = (0..<10).map {
      FeatureRow(sample: $0, state: .embedded, image: ImageIdentity(size: 1, modified: 1, digest: 1))
    }
    try [Float](repeating: 1, count: 10).withUnsafeBufferPointer {
      try workspace.put(rows, $0, of: set, problems: [], stage: "embed")
    }
    // As `put` does, broken off before and after the shard is in place.
    for isInPlace in [false, true] {
      [Float](repeating: isInPlace ? 3 : 2, count: 10).withUnsafeBufferPointer { values in
        struct Kill: Error {}
        #expect(throws: Kill.self) {
          try set.put(Array(0..<10), values) { digest in
            try workspace.announce(FileDigest(path: set.relativePath(shard: 0), digest: digest))
            if !isInPlace { throw Kill() }
          }
          throw Kill()
        }
      }
      #expect(try workspace.soundRows(of: set, shard: 0, samples: 10) == 10)
    }
    try [Float](repeating: 4, count: 10).withUnsafeBufferPointer {
      try workspace.put(rows, $0, of: set, problems: [], stage: "embed")
    }
    #expect(try workspace.soundRows(of: set, shard: 0, samples: 10) == 10)
  }

  @Test("a workspace that may not be written is read", .enabled(if: geteuid() != 0))
  func readOnly() throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 3), into: workspace)
    try workspace.pool.close()
    chmod(temporary.folder, 0o555)
    defer { chmod(temporary.folder, 0o755) }
    let reader = try temporary.open(create: false)
    #expect(reader.isReadOnly)
    #expect(try reader.sampleCount() == 3)
    #expect(try refusal { try reader.withWriteLock("embed") {} }.kind == .cannotWrite)
  }
}
