import Foundation
import GRDB
import Testing

@testable import Workspace

@Suite("Workspaces that cannot be used")
struct DamageTests {
  private let temporary: TemporaryWorkspace

  init() throws { temporary = try TemporaryWorkspace() }

  /// A workspace that was closed, its log written into the catalogue.
  private func closedWorkspace() throws -> String {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 5000), into: workspace)
    try workspace.pool.close()
    return workspace.catalogue
  }

  private func change(_ path: String, _ body: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    body(&bytes)
    try bytes.write(to: URL(fileURLWithPath: path))
  }

  @Test("where there is none, only an import makes one")
  func nothing() throws {
    let error = try refusal { _ = try temporary.open(create: false) }
    #expect(error.kind == .notFound)
    #expect(error.remedy.contains("import"))
    #expect(!FileManager.default.fileExists(atPath: temporary.folder))
    #expect(!Workspace.exists(at: temporary.folder))
    _ = try temporary.open()
    #expect(Workspace.exists(at: temporary.folder))
  }

  @Test("a newer schema is refused with the version that wrote it")
  func newer() throws {
    let path = try closedWorkspace()
    try DatabaseQueue(path: path).write { db in
      try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 later')")
      try db.execute(sql: "UPDATE meta SET value = '7.1' WHERE name = 'writer'")
    }
    let error = try refusal { _ = try temporary.open() }
    #expect(error.kind == .newerVersion)
    #expect(error.what.contains("cleannet 7.1"))
  }

  @Test("another program's database is refused and left alone")
  func foreign() throws {
    try FileManager.default.createDirectory(atPath: temporary.folder, withIntermediateDirectories: true)
    let path = "\(temporary.folder)/catalogue.sqlite"
    try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE meta (x)") }
    #expect(try refusal { _ = try temporary.open() }.kind == .invalidInput)
    #expect(try DatabaseQueue(path: path).read { try $0.columns(in: "meta").map(\.name) } == ["x"])
  }

  @Test("a catalogue whose making was killed before its first table is made after all")
  func killedWhileMade() throws {
    try FileManager.default.createDirectory(atPath: temporary.folder, withIntermediateDirectories: true)
    try DatabaseQueue(path: "\(temporary.folder)/catalogue.sqlite").write {
      try $0.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
    }
    #expect(try refusal { _ = try temporary.open(create: false) }.kind == .notFound)
    #expect(try temporary.open().sampleCount() == 0)
    #expect(try temporary.open(create: false).sampleCount() == 0)
  }

  @Test("an overwritten header is told as damage")
  func header() throws {
    let path = try closedWorkspace()
    try change(path) { $0.replaceSubrange(0..<100, with: [UInt8](repeating: 0x55, count: 100)) }
    let error = try refusal { _ = try temporary.open() }
    #expect(error.kind == .damaged)
    #expect(error.description.contains(path))
    #expect(error.remedy.contains("Restore"))
  }

  @Test("a catalogue that was cut short is told as damage")
  func truncated() throws {
    let path = try closedWorkspace()
    try change(path) { $0.removeLast($0.count / 2) }
    let error = try refusal {
      let workspace = try temporary.open()
      try workspace.check()
    }
    #expect(error.kind == .damaged)
  }

  @Test("overwritten pages are found by a check")
  func pages() throws {
    let path = try closedWorkspace()
    try change(path) { bytes in
      for page in stride(from: 20 * 4096, to: bytes.count - 4096, by: 4096) {
        bytes.replaceSubrange(page..<(page + 64), with: [UInt8](repeating: 0x77, count: 64))
      }
    }
    let error = try refusal { try temporary.open().check() }
    #expect(error.kind == .damaged)
  }

  @Test("a second writer is told that it must wait; readers need not")
  func locked() throws {
    let workspace = try temporary.open()
    try importTable(try temporary.table("a", count: 3), into: workspace)
    let other = try temporary.open(create: false)
    try workspace.withWriteLock("embed") {
      let error = try refusal { try other.withWriteLock("train") {} }
      #expect(error.kind == .locked)
      #expect(error.what.contains("embed"))
      #expect(try other.sampleCount() == 3)
      try other.addVerifications([
        VerificationRecord(sample: 0, label: 0, answer: .right, person: "p", origin: .reviewed)
      ])
    }
    try other.withWriteLock("train") {}
    try workspace.write { _ in
      let error = try refusal { try other.clearProblems(stage: "embed", in: 0..<1) }
      #expect(error.kind == .locked)
      #expect(try other.verifications().count == 1)
    }
  }

  @Test("a folder that cannot be written is told so")
  func unwritable() throws {
    let file = try temporary.write("file", "")
    let error = try refusal { _ = try Workspace(path: "\(file)/workspace", create: true) }
    #expect(error.kind == .cannotWrite)
  }
}
