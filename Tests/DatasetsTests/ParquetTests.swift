import Foundation
import TestPrograms
import Testing

@testable import Datasets

/// Parquet, where DuckDB's program is.
@Suite("Parquet", .enabled(if: DuckDB.find() != nil)) struct ParquetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func sql(_ text: String) async throws {
    let (status, _, errors) = try await ChildProcess.run(
      try #require(DuckDB.find()), ["-no-init", "-c", text], in: URL(fileURLWithPath: folder.path))
    #expect(status == 0, "\(errors)")
  }

  private func read(_ path: String, _ change: (inout DatasetOptions) -> Void = { _ in }) throws -> [Sample] {
    try samples(path) {
      $0.downloads = "\(folder.path)/kept"
      change(&$0)
    }
  }

  private static let metadata =
    #"{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["cat", "it''s a dog"], "_type": "ClassLabel"}}}}"#

  @Test("Hugging Face's images, class names and splits")
  func huggingFace() async throws {
    for split in ["train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/set/data", withIntermediateDirectories: true)
      try await sql(
        "COPY (SELECT {'bytes': encode('\(split) ' || i), 'path': i || '.jpg'} AS image, i % 2 AS label, 'x' || i AS note "
          + "FROM range(5000) t(i)) TO 'set/data/\(split).parquet' (FORMAT parquet, ROW_GROUP_SIZE 2048, KV_METADATA "
          + "{huggingface: '\(Self.metadata)'})")
    }
    let dataset = try DatasetReader.open(source: "\(folder.path)/set")
    #expect(dataset.formatName == "parquet")
    let all = try read("\(folder.path)/set")
    #expect(all.count == 15_000)
    #expect(Set(all.map(\.key)).count == 15_000)
    #expect(Set(all.map(\.split)) == ["train", "test"])
    #expect(all.count { $0.split == "test" } == 5000)
    let test = all.filter { $0.split == "test" }
    #expect(
      test[0].path == "test/0.jpg" && test[1].label == "it's a dog" && test[0].attribute("note") == "x0")
    for sample in [all[0], all[4999], test[0], test[4999]] {
      let text = String(decoding: try ImageBytes().read(sample.location, key: ""), as: UTF8.self)
      #expect(text.hasSuffix(" " + (sample.attribute("note")?.dropFirst() ?? "")))
      #expect(text.hasPrefix(sample.split))
    }
    // Read again, it is kept under the same name; a dry run keeps nothing.
    let kept = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/kept")
    #expect(try read("\(folder.path)/set").map(\.location) == all.map(\.location))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/kept").sorted() == kept.sorted())
    #expect(
      try samples("\(folder.path)/set") {
        $0.downloads = "/nowhere"; $0.readsOnly = true
      }.count == 15_000)
  }

  @Test("vectors and bytes beside the image are left out, and said, whatever they are called")
  func vectors() async throws {
    for type in ["FLOAT[]", "DOUBLE[3]", "FLOAT[3]"] {
      try await sql(
        "COPY (SELECT {'bytes': encode('x'), 'path': 'a.jpg'} AS image, 'cat' AS label, [0.1, 0.2, 0.3]::\(type) AS embedding, "
          + "[0.5, 0.5, 0.5]::\(type) AS attribute, 'n' AS note) TO 'v.parquet' (FORMAT parquet)")
      var notices: [String] = []
      var options = DatasetOptions()
      options.downloads = "/nowhere"
      options.readsOnly = true
      var read: [Sample] = []
      notices = try DatasetReader.open(source: "\(folder.path)/v.parquet", options: options).read {
        read.append($0)
      }.notices
      #expect(read.map(\.label) == ["cat"])
      #expect(read.first?.attributes == [SampleAttribute(name: "note", value: "n")])
      #expect(notices.joined().contains("left out: embedding, attribute"))
    }
  }

  @Test("tables of paths, of addresses, and images without a path of their own")
  func tables() async throws {
    for name in ["a.jpg", "b.jpg"] { try folder.write(name) }
    try await sql("COPY (VALUES ('a.jpg', 'cat'), ('b.jpg', 'dog')) TO 'x.parquet' (FORMAT parquet)")
    try await sql("COPY (SELECT 'a.jpg' AS file_name, 'cat' AS label) TO 'paths.parquet' (FORMAT parquet)")
    let paths = try read("\(folder.path)/paths.parquet")
    #expect(paths.map(\.label) == ["cat"] && paths[0].location == .file("\(folder.path)/a.jpg"))
    try await sql(
      "COPY (SELECT 'http://x.org/' || i || '.jpg' AS url, 'c' || i AS label FROM range(3) t(i)) TO 'urls.parquet' (FORMAT parquet)"
    )
    #expect(try read("\(folder.path)/urls.parquet").map(\.path) == (0..<3).map { "http://x.org/\($0).jpg" })
    try await sql(
      "COPY (SELECT encode('bytes' || i) AS image, [0.1, 0.2] AS embedding, 'cat' AS label FROM range(2) t(i)) TO 'b.parquet' (FORMAT parquet)"
    )
    let bytes = try read("\(folder.path)/b.parquet")
    #expect(bytes.map(\.path) == ["b/0", "b/1"])
    #expect(
      try bytes.map { String(decoding: try ImageBytes().read($0.location, key: ""), as: UTF8.self) } == [
        "bytes0", "bytes1",
      ])
  }

  @Test("files that are no Parquet, or cut short, are named with duckdb's words")
  func damage() async throws {
    try await sql("COPY (SELECT 'a.jpg' AS path, 'cat' AS label) TO 'x.parquet' (FORMAT parquet)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/x.parquet"))
    try folder.write("cut.parquet", Array(bytes.dropLast(20)))
    #expect(try problems("\(folder.path)/cut.parquet").description.contains("duckdb fails"))
  }

  @Test("a data set written as Parquet reads back: keys, labels, splits, verdicts, attributes, bytes")
  func roundTrip() throws {
    let labels = ["cat", "it's, a \"dog\"", "日本 語", "new\nline"]
    let splits = ["train", "test", "my split"]
    let answers: [Bool?] = [true, false, nil]
    let original = try (0..<40).map { (index: Int) throws -> Sample in
      let file = try folder.write("in/\(index).jpg", [UInt8(index), 0, 0xFF])
      let attributes = [SampleAttribute(name: "truth, \"x\"", value: "v\n\(index)")]
      return Sample(
        key: "\(index):k'\"\n é", path: "\(index % 3)/same name.jpg", location: .file(file),
        label: labels[index % 4], split: splits[index % 3], verification: answers[index % 3],
        attributes: index % 2 == 0 ? attributes : [])
    }
    var output = DatasetOutput(
      path: "\(folder.path)/out", classNames: labels, splits: ["train", "test", "my split"])
    output.attributeNames = ["truth, \"x\""]
    let writer = try DatasetReader.writer(format: "parquet", output)
    for sample in original { try writer.add(sample) }
    _ = try writer.finish()
    let back = try read("\(folder.path)/out")
    func essence(_ samples: [Sample]) throws -> Set<[String]> {
      Set(
        try samples.map { (sample: Sample) throws -> [String] in
          let bytes = try ImageBytes().read(sample.location, key: "")
          return [
            sample.key, sample.label, sample.split, "\(sample.verification as Any)", "\(bytes)",
            "\(sample.attributes)",
          ]
        })
    }
    #expect(try essence(back) == essence(original))
    #expect(Set(back.map(\.key)).count == 40)
  }
}

@Suite("Parquet without DuckDB") struct WithoutDuckDBTests {
  @Test("names in SQL")
  func quoting() {
    #expect(DuckDB.quoted("it's") == "'it''s'")
    #expect(DuckDB.name("a\"b") == "\"a\"\"b\"")
  }
}
