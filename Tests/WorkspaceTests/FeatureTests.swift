import Foundation
import Testing

@testable import Workspace

@Suite("Features and scores")
struct FeatureTests {
  private let temporary: TemporaryWorkspace
  private let workspace: Workspace
  private static let rows = FeatureSet.rowsPerShard

  init() throws {
    temporary = try TemporaryWorkspace()
    workspace = try temporary.open()
  }

  /// Numbers that tell row and column, exact in half precision.
  private static func value(_ row: Int, _ column: Int) -> Float { Float(row % 1021) + Float(column) / 2 }

  private static func values(_ rows: Range<Int>, _ dimension: Int) -> [Float] {
    rows.flatMap { row in (0..<dimension).map { value(row, $0) } }
  }

  private func write(_ set: FeatureSet, _ range: Range<Int>) throws {
    try Self.values(range, set.dimension).withUnsafeBufferPointer { try set.write(range, $0) }
  }

  private func read(_ matrix: FeatureMatrix, _ range: Range<Int>) -> [Float] {
    [Float](unsafeUninitializedCapacity: range.count * matrix.dimension) { buffer, count in
      matrix.copyRows(range, into: buffer)
      count = range.count * matrix.dimension
    }
  }

  @Test("rows come back, in any order and across shards", arguments: [NpyType.float16, .float32])
  func roundTrip(type: NpyType) throws {
    let set = try workspace.featureSet(key: "k", dimension: 3, type: type, about: ["backbone": "b"])
    let count = Self.rows * 2 + 5
    for range in set.missing(of: count) { try write(set, range) }
    let matrix = try FeatureMatrix(try #require(try workspace.featureSet(key: "k")), samples: count)
    #expect(matrix.featureSet.about == ["backbone": "b"])
    let across = (Self.rows - 2)..<(Self.rows * 2 + 3)
    #expect(read(matrix, across) == Self.values(across, 3))
    let ids = [count - 1, 0, Self.rows, Self.rows - 1, 0]
    let picked = [Float](unsafeUninitializedCapacity: ids.count * 3) { buffer, count in
      matrix.copyRows(ids, into: buffer)
      count = ids.count * 3
    }
    #expect(picked == ids.flatMap { Self.values($0..<($0 + 1), 3) })
    #expect(try workspace.status().features.map(\.samples) == [0])
  }

  @Test("all rows are written to one file")
  func export() throws {
    let set = try workspace.featureSet(key: "k", dimension: 3, type: .float16)
    let count = Self.rows + 9
    for range in set.missing(of: count) { try write(set, range) }
    let path = "\(temporary.path)/all.npy"
    try FeatureMatrix(set, samples: count - 2).write(to: path)
    let matrix = try NpyMatrix(path: path)
    #expect(matrix.count == count - 2)
    #expect(matrix.type == .float16)
    var values = [Float](repeating: 0, count: (count - 2) * 3)
    values.withUnsafeMutableBufferPointer { matrix.copyRows(0..<(count - 2), into: $0.baseAddress!) }
    #expect(values == Self.values(0..<(count - 2), 3))
  }

  @Test("leftovers of killed writers are removed by the next one, nothing else")
  func leftovers() throws {
    let set = try workspace.featureSet(key: "k", dimension: 1, type: .float32)
    try write(set, 0..<3)
    let left = try temporary.write("workspace/features/k/.00000.npy.1234", "")
    try workspace.withWriteLock("embed") {}
    #expect(!FileManager.default.fileExists(atPath: left))
    #expect(set.coverage(of: 3) == 3)
    #expect(try workspace.featureSets() == [set])
  }

  @Test("a row of NaN stays one", arguments: [NpyType.float16, .float32])
  func nan(type: NpyType) throws {
    let set = try workspace.featureSet(key: "k", dimension: 20, type: type)
    let values = [Float](repeating: .nan, count: 20) + [Float](repeating: 1, count: 20)
    try values.withUnsafeBufferPointer { try set.write(0..<2, $0) }
    let back = read(try FeatureMatrix(set, samples: 2), 0..<2)
    #expect(back[..<20].allSatisfy { $0.isNaN })
    #expect(back[20...].allSatisfy { $0 == 1 })
  }

  @Test("the last shard grows, and missing rows are known", arguments: [1, 5, 4095, 4096, 4097])
  func growth(first: Int) throws {
    let set = try workspace.featureSet(key: "k", dimension: 2, type: .float16)
    for range in set.missing(of: first) { try write(set, range) }
    #expect(set.missing(of: first).isEmpty)
    let count = first + Self.rows
    #expect(set.missing(of: count).first?.lowerBound == first)
    #expect(set.coverage(of: count) == first)
    #expect(try refusal { _ = try FeatureMatrix(set, samples: count) }.what.contains("\(Self.rows) samples"))
    for range in set.missing(of: count) { try write(set, range) }
    #expect(read(try FeatureMatrix(set, samples: count), 0..<count) == Self.values(0..<count, 2))
    try set.trim(to: first)
    #expect(set.missing(of: count).first?.lowerBound == first)
    #expect(read(try FeatureMatrix(set, samples: first), 0..<first) == Self.values(0..<first, 2))
  }

  @Test("a damaged shard is named, and counts as missing for who computes features")
  func damage() throws {
    let set = try workspace.featureSet(key: "k", dimension: 2, type: .float32)
    try write(set, 0..<10)
    let path = set.path(shard: 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.dropLast(3).write(to: URL(fileURLWithPath: path))
    let error = try refusal { _ = try FeatureMatrix(set, samples: 10) }
    #expect(error.kind == .damaged)
    #expect(error.file == path)
    #expect(error.remedy.contains("embed"))
    #expect(set.missing(of: 10) == [0..<10])
    try write(set, 0..<10)
    #expect(set.missing(of: 10).isEmpty)
  }

  @Test("halves are widened as Swift does, all 65,536 of them")
  func widen() {
    let halves = (0...UInt16.max).map { $0 }
    // At an odd address, as a foreign file may have them.
    let bytes = [UInt8(0)] + halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    var floats = [Float](repeating: 0, count: halves.count)
    bytes.withUnsafeBytes { raw in
      floats.withUnsafeMutableBufferPointer {
        HalfFloat.widen(raw.baseAddress! + 1, into: $0.baseAddress!, count: $0.count)
      }
    }
    let differing = halves.filter { half in
      let expected = Float(Float16(bitPattern: half))
      return expected.isNaN ? !floats[Int(half)].isNaN : expected.bitPattern != floats[Int(half)].bitPattern
    }
    #expect(differing.isEmpty)
  }

  @Test("a number too large for half precision is refused")
  func overflow() throws {
    let set = try workspace.featureSet(key: "k", dimension: 1, type: .float16)
    let error = try refusal { try [Float(1), 70_000].withUnsafeBufferPointer { try set.write(0..<2, $0) } }
    #expect(error.what.contains("70000"))
    #expect(set.coverage(of: 2) == 0)
  }

  @Test("a set of another dimension or type is refused under the same key")
  func otherSet() throws {
    _ = try workspace.featureSet(key: "k", dimension: 4, type: .float16)
    #expect(
      try refusal { _ = try workspace.featureSet(key: "k", dimension: 5, type: .float16) }.kind
        == .invalidInput)
    #expect(try workspace.featureSets().map(\.key) == ["k"])
  }

  private func npy(_ name: String, _ header: String, _ values: [UInt8], version: UInt8 = 1) throws -> String {
    let length = header.utf8.count
    let bytes =
      [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
      + (version > 1 ? [0, 0] : []) + Array(header.utf8) + values
    let path = "\(temporary.path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test("foreign .npy files are read, whatever their version and spacing")
  func foreign() throws {
    let doubles = [1.5, -2, 3, 1e-3].flatMap { value in
      (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    for version in [UInt8(1), 2] {
      let path = try npy(
        "a.npy", "{\"descr\": \"<f8\", 'fortran_order':False,'shape':(2,2)}\n", doubles, version: version)
      let matrix = try NpyMatrix(path: path)
      #expect(matrix.count == 2)
      #expect(matrix.dimension == 2)
      var values = [Float](repeating: 0, count: 4)
      values.withUnsafeMutableBufferPointer { matrix.copyRows(0..<2, into: $0.baseAddress!) }
      #expect(values == [1.5, -2, 3, 1e-3])
    }
  }

  @Test(
    "unreadable files are refused with the reason",
    arguments: [
      ("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }\n", "Fortran"),
      ("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 1), }\n", ">f4"),
      ("{'descr': '<i4', 'fortran_order': False, 'shape': (1, 1), }\n", "<i4"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n", "bytes"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }\n", "bytes"),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }\n", "shape"),
      ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", "descr"),
      ("", "descr"),
    ])
  func refusals(header: String, reason: String) throws {
    let path = try npy("a.npy", header, [0, 0, 0x80, 0x3F])
    let error = try refusal { _ = try NpyMatrix(path: path) }
    #expect(error.what.contains(reason))
    #expect(error.file == path)
  }

  @Test("features that come with the samples are paired by row, also over two imports")
  func imported() throws {
    func features(_ name: String, _ range: Range<Int>) throws -> NpyMatrix {
      let bytes = Self.values(range, 2).withUnsafeBytes { Array($0) }
      return try NpyMatrix(
        path: try npy(
          name, "{'descr': '<f4', 'fortran_order': False, 'shape': (\(range.count), 2), }\n", bytes))
    }
    let first = try temporary.table("a", count: 4000)
    let wrong = try refusal {
      try importTable(first, into: workspace, features: try features("x.npy", 0..<3999))
    }
    #expect(wrong.what.contains("3999 rows"))
    #expect(try workspace.sampleCount() == 0)
    try importTable(first, into: workspace, features: try features("a.npy", 0..<4000))
    try importTable(
      try temporary.table("b", count: 200), into: workspace, features: try features("b.npy", 4000..<4200))
    let set = try #require(try workspace.featureSet(key: FeatureSet.imported))
    #expect(read(try FeatureMatrix(set, samples: 4200), 0..<4200) == Self.values(0..<4200, 2))
    #expect(try workspace.status().features.map(\.samples) == [4200])
  }

  @Test("rows that an interrupted import left are not taken for the next one's")
  func orphans() throws {
    try importTable(try temporary.table("a", count: 10), into: workspace)
    let set = try workspace.featureSet(key: "k", dimension: 2, type: .float32)
    try write(set, 0..<30)
    try importTable(try temporary.table("b", count: 10), into: workspace)
    #expect(set.missing(of: 20) == [10..<20])
  }

  @Test("features for some of the samples only are refused")
  func mixed() throws {
    try importTable(try temporary.table("a", count: 1), into: workspace)
    let path = try npy(
      "b.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }\n", [0, 0, 0, 0])
    let table = try temporary.table("b", count: 1)
    #expect(
      try refusal { try importTable(table, into: workspace, features: try NpyMatrix(path: path)) }.kind
        == .invalidInput)
    #expect(try workspace.sampleCount() == 1)
    // Nothing says that features came with the samples.
    #expect(try workspace.featureSet(key: FeatureSet.imported) == nil)
  }

  @Test("features of an import that did not reach its end say nothing of the next one")
  func unfinished() throws {
    _ = try workspace.featureSet(key: FeatureSet.imported, dimension: 3, type: .float32)
    try importTable(try temporary.table("a", count: 1), into: workspace)
    #expect(try workspace.featureSet(key: FeatureSet.imported) == nil)
    #expect(try workspace.sampleCount() == 1)
  }

  @Test("scores come back row by row, and only when all are written")
  func scores() throws {
    func row(_ index: Int) -> ScoreRow {
      ScoreRow(
        cosine: Float(index), probability: 0.25, threshold: -0.5, verdict: index % 2 == 0 ? .right : .wrong,
        softWeight: 0.125, hardWeight: 1, suggestedLabel: index == 3 ? -1 : Int32(index), suggestedCosine: 2,
        disagreement: Float(index % 4) / 4)
    }
    let count = 20_000
    do {
      let unfinished = try workspace.scoreWriter(key: "k", count: count)
      try unfinished.append(row(0))
      #expect(try workspace.scores(key: "k") == nil)
    }
    for _ in 0..<2 {
      let writer = try workspace.scoreWriter(key: "k", count: count)
      for index in 0..<count { try writer.append(row(index)) }
      try writer.finish()
    }
    let table = try #require(try workspace.scores(key: "k"))
    #expect(table.count == count)
    #expect(table.elementsEqual((0..<count).map(row)))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(workspace.path)/scores") == ["k"])
    // Older workspaces have no such column.
    try FileManager.default.removeItem(atPath: "\(workspace.path)/scores/k/disagreement.npy")
    let older = try #require(try workspace.scores(key: "k"))
    #expect(older[7].disagreement.isNaN && older[7].suggestedCosine == 2)
    let column = "\(workspace.path)/scores/k/verdict.npy"
    try Data(contentsOf: URL(fileURLWithPath: column)).dropLast(1).write(to: URL(fileURLWithPath: column))
    let error = try refusal { _ = try workspace.scores(key: "k") }
    #expect(error.kind == .damaged)
    #expect(error.file == column)
  }
}
