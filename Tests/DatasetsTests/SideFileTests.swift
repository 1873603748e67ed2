import Foundation
import Testing

@testable import Datasets

/// Files beside a data set: maps of labels, verdicts, features.
@Suite("Side files")
struct SideFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("labels are merged by a map, with or without header, quoted")
  func labelMap() throws {
    let path = try folder.write("map.csv", "label,new\n\"a, b\",one\nc,one\n")
    #expect(try LabelMap.read(path: path) == ["a, b": "one", "c": "one"])
    let bare = try folder.write("bare.tsv", "a, b\tone\nc\tone\n")
    #expect(try LabelMap.read(path: bare) == ["a, b": "one", "c": "one"])
    for name in ["1/x.jpg", "2/y.jpg", "3/z.jpg"] { try folder.write("set/\(name)") }
    let map = try folder.write("numbers.csv", "1,cat\n2,cat\n")
    let read = try samples("\(folder.path)/set") { $0.labelMap = (try? LabelMap.read(path: map)) ?? [:] }
    #expect(read.map(\.label) == ["cat", "cat", "3"])
    #expect(read.map(\.key) == ["1/x.jpg", "2/y.jpg", "3/z.jpg"])
  }

  @Test("bad rows of a map are named together")
  func badMap() throws {
    let path = try folder.write("map.csv", "a,x\nb,\na,y\nc\n")
    #expect { try LabelMap.read(path: path) } throws: {
      ($0 as? DatasetProblems)?.first.map(\.line) == [2, 3, 4]
    }
    let wide = try folder.write("wide.csv", "a,b,c\n")
    #expect { try LabelMap.read(path: wide) } throws: { "\($0)".contains("3 columns") }
  }

  private func verdicts(_ path: String) throws -> (rows: [VerificationTable.Row], unknown: Int) {
    var rows: [VerificationTable.Row] = []
    let unknown = try VerificationFile.read(path: path) { rows.append($0) }
    return (rows, unknown)
  }

  @Test("verdicts in Food-101N's table are recognized, with and without header", arguments: [true, false])
  func food101N(header: Bool) throws {
    let path = try folder.write(
      "verified.tsv", (header ? "class_name/key\tverification_label\n" : "") + "a b/1.jpg\t1\na b/2.jpg\t0\n")
    let read = try verdicts(path)
    #expect(read.rows.map(\.key) == ["a b/1.jpg", "a b/2.jpg"])
    #expect(read.rows.map(\.isRight) == [true, false])
    #expect(read.rows[0].otherKeys == ["images/a b/1.jpg", "1.jpg"])
    let table = try folder.write("t.tsv", "key\tverification\nx\t1\ny\t\n")
    #expect(try verdicts(table).rows.map(\.key) == ["x"])
    #expect(try verdicts(table).unknown == 1)
  }

  @Test(
    "Label Studio's results: of each person the last annotation that was not cancelled; all people are heard")
  func labelStudio() throws {
    let path = try folder.write(
      "export.json",
      #"""
      [{"id": 1, "annotations": [{"id": 9, "completed_by": {"id": 1}, "was_cancelled": false, "result": [
         {"value": {"choices": ["wrong"]}, "id": "x", "from_name": "verification", "to_name": "image", "type": "choices"}]},
         {"was_cancelled": true, "result": [{"value": {"choices": ["right"]}, "from_name": "verification"}]}],
        "data": {"image": "/data/x.jpg", "key": "k\"1", "label": "cat"}, "predictions": []},
       {"data": {"key": "k2", "label": "dog"}, "annotations": [
         {"result": [{"value": {"choices": ["wrong"]}, "from_name": "verification"}]},
         {"result": [{"value": {"choices": ["right"]}, "from_name": "verification"}, {"value": {"choices": ["wrong"]}, "from_name": "other"}]}]},
       {"data": {"key": "k3"}, "annotations": []},
       {"data": {"key": "k4"}, "annotations": [{"result": [{"value": {"choices": ["unsure"]}, "from_name": "verification"}]}]},
       {"id": 5, "image": "x", "key": "k5", "label": "cat", "verification": "right", "annotator": 1}]
      """#)
    let read = try verdicts(path)
    #expect(read.rows.map(\.key) == ["k\"1", "k2", "k2", "k4", "k5"])
    #expect(read.rows.map(\.isRight) == [false, false, true, nil, true])
    #expect(read.rows.map(\.label) == ["cat", "dog", "dog", nil, "cat"])
    #expect(read.rows.map(\.person) == ["annotator 1", nil, nil, nil, "annotator 1"])
    #expect(read.unknown == 1)
    let again = try folder.write(
      "again.json",
      #"""
      [{"data": {"key": "k"}, "annotations": [
        {"completed_by": 1, "result": [{"value": {"choices": ["wrong"]}, "from_name": "verification"}]},
        {"completed_by": 2, "result": [{"value": {"choices": ["wrong"]}, "from_name": "verification"}]},
        {"completed_by": 1, "result": [{"value": {"choices": ["right"]}, "from_name": "verification"}]}]}]
      """#)
    #expect(try verdicts(again).rows.map(\.isRight) == [false, true])
    let bad = try folder.write(
      "bad.json", #"[{"verification": "right"}, {"key": "a", "verification": "maybe"}]"#)
    #expect { try verdicts(bad) } throws: { ($0 as? DatasetProblems)?.count == 2 }
    let cut = try folder.write("cut.json", "[{\"key\": 1},\n{\"key\"")
    #expect { try verdicts(cut) } throws: { ($0 as? DatasetProblems)?.first.map(\.line) == [2] }
  }

  @Test(
    "verdicts as pandas, spreadsheets and people write them",
    arguments: [
      ("1", true), ("1.0", true), ("TRUE", true), ("yes", true), (" 1 ", true), ("right", true), ("0", false),
      ("0.0", false), ("FALSE", false), ("No", false), ("wrong", false), ("nan", nil), ("-1", nil),
      ("NaN", nil), ("", nil),
    ] as [(String, Bool?)])
  func verdictTexts(text: String, isRight: Bool?) throws {
    let path = try folder.write("v.csv", "key,verification,annotator\nk,\(text),ann\n")
    let read = try verdicts(path)
    #expect(read.rows.map(\.isRight) == (isRight.map { [$0] } ?? []))
    #expect(read.rows.allSatisfy { $0.person == "ann" })
    #expect(read.unknown == (isRight == nil ? 1 : 0))
    let records = try folder.write("v.json", "[{\"key\": \"k\", \"verification\": \"\(text)\"}]")
    let unknown = try VerificationFile.read(path: records, format: .table) { #expect($0.isRight == isRight) }
    #expect(unknown == read.unknown)
    let bad = try folder.write("bad.csv", "key,verification\nk,maybe\n")
    #expect { try verdicts(bad) } throws: { "\($0)".contains("\"maybe\"") }
  }

  @Test("features lie in safetensors where its header says")
  func safetensors() throws {
    let header =
      #"{"__metadata__":{"a":"b"},"bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"features":{"dtype":"F16","shape":[2,3],"data_offsets":[4,16]}}"#
    let length = UInt64(header.utf8.count)
    let bytes =
      (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: 16)
    let path = try folder.write("f.safetensors", bytes)
    #expect(
      try EmbeddedMatrix.find(in: path)
        == EmbeddedMatrix(type: "<f2", shape: [2, 3], offset: Int64(8 + header.utf8.count + 4), length: 12))
    let npy = try folder.write("f.npy", [0x93] + Array("NUMPY".utf8))
    #expect(try EmbeddedMatrix.find(in: npy) == nil)
    let several = header.replacingOccurrences(of: "\"features\"", with: "\"weight\"  ")
    let other = try folder.write(
      "g.safetensors", bytes.prefix(8) + Array(several.utf8) + [UInt8](repeating: 0, count: 16))
    #expect { try EmbeddedMatrix.find(in: other) } throws: { "\($0)".contains("bias, weight") }
  }

  @Test(
    "features of impossible places and shapes are refused",
    arguments: [
      #"{"features": {"dtype": "F32", "shape": [2, 2], "data_offsets": [9223372036854775800, 9223372036854775816]}}"#,
      #"{"features": {"dtype": "F32", "shape": [2, 2], "data_offsets": [9223372036854775799, 9223372036854775807]}}"#,
      #"{"features": {"dtype": "F32", "shape": [-2, -2], "data_offsets": [0, 16]}}"#,
      #"{"features": {"dtype": "F32", "shape": [2, 2], "data_offsets": [16, 0]}}"#,
    ])
  func impossibleFeatures(header: String) throws {
    let folder = try TemporaryFolder()
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    bytes += Array(header.utf8) + [UInt8](repeating: 0, count: 16)
    let path = try folder.write("f.safetensors", bytes)
    #expect(throws: DatasetProblems.self) { _ = try EmbeddedMatrix.find(in: path) }
  }
}
