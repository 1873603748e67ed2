import Datasets
import Foundation
import Testing

@testable import Workspace

@Suite("Import")
struct ImportTests {
  private let temporary: TemporaryWorkspace
  private let workspace: Workspace

  init() throws {
    temporary = try TemporaryWorkspace()
    workspace = try temporary.open()
  }

  @Test("a workspace that is opened again holds what was imported")
  func reopen() throws {
    let table = try temporary.write(
      "a.csv",
      "key,path,label,split,verification,truth,note\nk0,x/0.jpg,cat,,1,cat,\nk1,/else/1.jpg,dog,test,0,,n\n")
    let folder = "\(temporary.path)/x"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try temporary.write("x/0.jpg", "image")
    try workspace.importSamples(
      from: try DatasetReader.open(source: table), source: try DatasetSource(path: table))
    let again = try temporary.open(create: false)
    #expect(
      try again.samples(in: 0..<9) == [
        StoredSample(
          id: 0, key: "k0", path: "x/0.jpg", location: .file("\(folder)/0.jpg"), label: 0, split: "train",
          attributes: [SampleAttribute(name: "truth", value: "cat")]),
        StoredSample(
          id: 1, key: "k1", path: "/else/1.jpg", location: .file("/else/1.jpg"), label: 1, split: "test",
          attributes: [SampleAttribute(name: "note", value: "n")]),
      ])
    #expect(try again.classNames() == ["cat", "dog"])
    #expect(try again.attribute("truth") == ["cat", nil])
    #expect(try again.labels { $0 != "test" } == [0, -1])
    #expect(try again.verifications().map(\.sample) == [0, 1])
    #expect(try again.verifications().map(\.isRight) == [true, false])
    #expect(try again.verificationHistory().map(\.origin) == [.imported, .imported])
    try again.check()
  }

  @Test(
    "locations of every kind come back",
    arguments: [
      Sample(key: "p", path: "p", location: .none, label: "a"),
      Sample(key: "p", path: "p", location: .file("/base/p"), label: "a"),
      Sample(key: "k", path: "p", location: .file("/p"), label: "a"),
      Sample(key: "k", path: "b/p", location: .file("/elsep"), label: "a"),
      Sample(key: "p", path: "é", location: .file("/x/e\u{301}"), label: "a"),
      Sample(key: "é", path: "e\u{301}", location: .idx(file: "/i", index: 3), label: "a"),
      Sample(
        key: "p", path: "p", location: .archiveMember(archive: "/t", offset: 512, length: 7), label: "a"),
    ])
  func locations(sample: Sample) throws {
    let other = Sample(key: "other", path: "o", location: .file("/base/o"), label: "b")
    for (order, samples) in [[sample, other], [other, sample]].enumerated() {
      let workspace = try Workspace(path: "\(temporary.path)/\(order)", create: true)
      try workspace.write { db in
        let inserter = try SampleInserter(db, downloads: workspace.downloads)
        for sample in samples { try inserter.add(sample) }
        try inserter.finish()
      }
      let stored = try workspace.samples(in: 0..<2)
      #expect(stored.map(\.location) == samples.map(\.location))
      #expect(stored.map { Array($0.path.utf8) } == samples.map { Array($0.path.utf8) })
      #expect(stored.map(\.key) == samples.map(\.key))
    }
  }

  @Test("numbers of samples and classes go on, and never change")
  func twoSources() throws {
    try importTable(try temporary.table("a", count: 7), into: workspace)
    let before = try workspace.samples(in: 0..<7)
    let second = try temporary.write("b.csv", "key,label\nz,class 9\ny,class 1\n")
    let summary = try importTable(second, into: workspace)
    #expect(summary.source.samples == 7..<9)
    #expect(try workspace.samples(in: 0..<7) == before)
    #expect(try workspace.classNames() == ["class 0", "class 1", "class 2", "class 9"])
    #expect(try workspace.labels().suffix(2) == [3, 1])
    #expect(try workspace.sample(key: "y")?.id == 8)
    #expect(try workspace.ids(ofKeys: ["z", "nobody", "a-3"]) == [7, nil, 3])
    #expect(try workspace.sources().map(\.samples) == [0..<7, 7..<9])
  }

  @Test("keys that occur twice in a source are named with both rows, and nothing is imported")
  func duplicatesWithin() throws {
    let table = try temporary.write("a.csv", "key,label\nx,a\ny,a\nx,b\n\ny,a\n")
    let problems = try #require(throws: DatasetProblems.self) { try importTable(table, into: workspace) }
    #expect(problems.count == 2)
    #expect(problems.first.map(\.line) == [4, 6])
    #expect(problems.first[0].what == "the key \"x\" is also that of \(table):2")
    #expect(try workspace.sampleCount() == 0)
    #expect(try workspace.classNames().isEmpty)
  }

  @Test("a key that another source has is named with both places")
  func duplicatesBetween() throws {
    let first = try temporary.write("a.csv", "key,label\nx,a\ny,a\n")
    let second = try temporary.write("b.csv", "key,label\nz,a\ny,b\n")
    try importTable(first, into: workspace)
    let problems = try #require(throws: DatasetProblems.self) { try importTable(second, into: workspace) }
    #expect(problems.count == 1)
    #expect(problems.description.hasPrefix("\(second), line 3: the key \"y\" is also that of \(first):3."))
    #expect(try workspace.sampleCount() == 2)
  }

  @Test("keys that differ only in case are pointed out, within a source and between two")
  func caseOnly() throws {
    let first = try temporary.write(
      "a.csv", "key,label\nÄ/x.jpg,a\nB.jpg,a\nä/X.jpg,a\nplain,a\nc,a\nC,a\n"
    )
    let summary = try importTable(first, into: workspace)
    let remark = try #require(summary.notices.first)
    #expect(remark.hasPrefix("keys that differ from another only in upper and lower case: 2 "))
    #expect(remark.contains("(\"Ä/x.jpg\" and \"ä/X.jpg\", \"c\" and \"C\"); "))
    let second = try importTable(try temporary.write("b.csv", "key,label\nb.jpg,a\nd,a\n"), into: workspace)
    #expect(second.notices.count == 1)
    #expect(second.notices.first?.contains("case: 1 (\"B.jpg\" and \"b.jpg\"); ") == true)
    let third = try importTable(try temporary.write("c.csv", "key,label\ne,a\n"), into: workspace)
    #expect(third.notices.isEmpty)
    #expect(try workspace.ids(ofKeys: ["B.jpg", "b.jpg", "PLAIN"]) == [1, 6, nil])
  }

  @Test("of many keys that differ only in case the first pairs are named")
  func caseOnlyMany() throws {
    let rows = (0..<50).map { "k\($0),a\nK\($0),a\n" }.joined()
    let summary = try importTable(try temporary.write("a.csv", "key,label\n" + rows), into: workspace)
    let pairs = (0..<3).map { "\"k\($0)\" and \"K\($0)\"" }.joined(separator: ", ")
    #expect(summary.notices.first?.contains(" case: 50 (\(pairs), …); ") == true)
  }

  @Test("a catalogue of before finds its keys after it is brought up to date")
  func oldHashes() throws {
    try importTable(try temporary.write("a.csv", "key,label\nUp,a\nlow,a\n"), into: workspace)
    try workspace.write { db in
      try db.execute(
        sql: """
          DELETE FROM grdb_migrations WHERE identifier LIKE '3%';
          UPDATE sampleKeys SET hash = hash + 1;
          """)
    }
    #expect(try temporary.open(create: false).ids(ofKeys: ["Up", "low", "up"]) == [0, 1, nil])
  }

  @Test("different keys of one hash are not the same")
  func collidingHashes() throws {
    // Found by trying: the first pair of decimal numbers whose 32-bit hashes are equal.
    var seen: [UInt32: Int] = [:]
    var pair: (Int, Int)?
    for number in 0..<1_000_000 {
      if let other = seen.updateValue(number, forKey: KeyHashes.hash(String(number))) {
        pair = (other, number)
        break
      }
    }
    let (left, right) = try #require(pair)
    try importTable(try temporary.write("a.csv", "key,label\n\(left),a\n"), into: workspace)
    try importTable(try temporary.write("b.csv", "key,label\n\(right),a\n"), into: workspace)
    #expect(try workspace.sample(key: String(left))?.id == 0)
    #expect(try workspace.sample(key: String(right))?.id == 1)
  }

  @Test("a source that is there is not imported again, under any name")
  func again() throws {
    let table = try temporary.table("a", count: 5)
    try importTable(table, into: workspace)
    let error = try refusal { try importTable(table, into: workspace) }
    #expect(error.kind == .alreadyImported)
    #expect(error.what.contains("5 samples"))
    let copy = "\(temporary.path)/copy.csv"
    try FileManager.default.copyItem(atPath: table, toPath: copy)
    let other = try refusal { try importTable(copy, into: workspace) }
    #expect(other.kind == .alreadyImported)
    #expect(other.what.contains(table))
    #expect(try workspace.sampleCount() == 5)
  }

  @Test("an import that breaks off leaves nothing, and can be done again")
  func interrupted() throws {
    struct Stop: Error {}
    let table = try temporary.table("a", count: 10_000)
    #expect(throws: Stop.self) {
      try importTable(table, into: workspace) { if $0 > 5000 { throw Stop() } }
    }
    #expect(try workspace.sampleCount() == 0)
    #expect(try workspace.status().splits.isEmpty)
    try importTable(table, into: workspace)
    #expect(try workspace.sampleCount() == 10_000)
  }

  @Test("an import that is killed leaves nothing")
  func killed() throws {
    try importTable(try temporary.table("a", count: 3), into: workspace)
    // More than SQLite keeps in memory, so that much of the transaction is in the log already.
    let note = String(repeating: "x", count: 2000)
    let table = try temporary.write(
      "b.csv", "key,label,note\n" + (0..<9000).map { "b-\($0),a,\(note)\n" }.joined())
    // The files as they are in the middle of the transaction are what a kill leaves.
    let copy = "\(temporary.path)/copy"
    try importTable(table, into: workspace) {
      if $0 == 8192 { try FileManager.default.copyItem(atPath: temporary.folder, toPath: copy) }
    }
    let log = try FileManager.default.attributesOfItem(atPath: "\(copy)/catalogue.sqlite-wal")
    #expect(try #require(log[.size] as? Int) > 1 << 20)
    let left = try Workspace(path: copy)
    #expect(try left.sampleCount() == 3)
    try left.check()
    try importTable(table, into: left)
    #expect(try left.fingerprint(of: .images, .labels) == workspace.fingerprint(of: .images, .labels))
  }

  @Test("the status counts splits, classes, answers and problems")
  func status() throws {
    try importTable(try temporary.table("a", count: 10), into: workspace)
    try workspace.addVerifications([
      VerificationRecord(sample: 0, label: 0, answer: .right, person: "p", origin: .reviewed),
      VerificationRecord(sample: 3, label: 0, answer: .wrong, person: "p", origin: .reviewed),
      VerificationRecord(sample: 4, label: 1, answer: .unsure, person: "p", origin: .reviewed),
    ])
    try workspace.addProblems([
      SampleProblem(sample: 2, stage: "embed", what: "truncated"),
      SampleProblem(sample: 2, stage: "embed", what: "still truncated"),
    ])
    let status = try workspace.status()
    #expect(status.samples == 10)
    #expect(status.splits == [.init(name: "test", samples: 2), .init(name: "train", samples: 8)])
    #expect(status.classes[0] == .init(name: "class 0", samples: 4, right: 1, wrong: 1, unsure: 0))
    #expect(status.classes[1] == .init(name: "class 1", samples: 3, right: 0, wrong: 0, unsure: 1))
    #expect(status.problems == 1)
    #expect(try workspace.problems().map(\.what) == ["still truncated"])
    try workspace.clearProblems(stage: "embed", in: 0..<10)
    #expect(try workspace.status().problems == 0)
  }

  @Test("a fingerprint changes with what it covers, and with nothing else")
  func fingerprints() throws {
    let table = try temporary.write("a.csv", "key,label\nx,a\ny,b\n")
    try importTable(table, into: workspace)
    let other = try Workspace(path: "\(temporary.path)/other", create: true)
    try importTable(try temporary.write("b.csv", "key,label\nx,a\ny,a\n"), into: other)
    #expect(try workspace.fingerprint(of: .images) == other.fingerprint(of: .images))
    #expect(try workspace.fingerprint(of: .labels) != other.fingerprint(of: .labels))
    #expect(try workspace.fingerprint(of: .verifications) == other.fingerprint(of: .verifications))
    let labels = try workspace.fingerprint(of: .labels)
    try temporary.relabel(table, "y", "a", in: workspace)
    #expect(try workspace.fingerprint(of: .labels) != labels)
    try workspace.addVerifications([
      VerificationRecord(sample: 0, label: 0, answer: .wrong, person: "p", origin: .reviewed)
    ])
    #expect(try workspace.fingerprint(of: .verifications) != other.fingerprint(of: .verifications))
  }
}
