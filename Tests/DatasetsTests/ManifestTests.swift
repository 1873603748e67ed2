import Foundation
import Testing

@testable import Datasets

@Suite("Manifests")
struct ManifestTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func manifest(_ name: String, _ text: String) throws -> String {
    for image in ["1.jpg", "2.jpg", "3.jpg", "a, b.jpg"] { try folder.write(image) }
    return try folder.write(name, text)
  }

  @Test("columns are found by name, the rest become attributes")
  func columns() throws {
    let path = try manifest(
      "list.csv",
      "path,label,verification,split,truth\r\n1.jpg,cat,1,train,cat\r\n2.jpg,dog,0,train,cat\r\n3.jpg,cat,,test,\r\n"
    )
    let read = try samples(path)
    #expect(read.map(\.label) == ["cat", "dog", "cat"])
    #expect(read.map(\.verification) == [true, false, nil])
    #expect(read.map(\.split) == ["train", "train", "test"])
    #expect(read.map { $0.attribute("truth") } == ["cat", "cat", nil])
    #expect(read.map(\.line) == [2, 3, 4])
    #expect(read[0].location == .file("\(folder.path)/1.jpg"))
  }

  @Test("quoted fields hold commas, quotes and line ends")
  func quotes() throws {
    let path = try manifest(
      "list.csv", "path,label,note\n\"a, b.jpg\",cat,\"say \"\"hi\"\"\nthere\"\n2.jpg,dog,x\n")
    let read = try samples(path)
    #expect(read[0].path == "a, b.jpg")
    #expect(read[0].attribute("note") == "say \"hi\"\nthere")
    #expect(read.map(\.line) == [2, 4])
  }

  @Test(
    "all of these say the same",
    arguments: [
      ("list.tsv", "path\tlabel\n1.jpg\tcat\n2.jpg\tdog\n"),
      ("list.csv", "1.jpg,cat\n2.jpg,dog\n"),
      ("list.csv", "\u{FEFF}path,label\n1.jpg,cat\n2.jpg,dog"),
      (
        "list.jsonl",
        "{\"path\": \"1.jpg\", \"label\": \"cat\"}\n\n{\"label\":\"d\\u006fg\",\"path\":\"2.jpg\"}\n"
      ),
    ])
  func syntaxes(name: String, text: String) throws {
    let path = try manifest(name, text)
    let read = try samples(path)
    #expect(read.map(\.path) == ["1.jpg", "2.jpg"])
    #expect(read.map(\.label) == ["cat", "dog"])
  }

  @Test("a gzipped table is read, a cut one refused")
  func gzip() async throws {
    let path = try manifest("list.csv", "path,label\n" + String(repeating: "1.jpg,cat\n", count: 5000))
    try await folder.run("gzip", "-k", path)
    #expect(try samples(path + ".gz").count == 5000)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
    let cut = try folder.write("cut.csv.gz", Array(bytes.dropLast(9)))
    #expect(try problems(cut).description.contains("damaged"))
  }

  @Test("bad rows are named together, by line")
  func badRows() throws {
    let path = try manifest(
      "list.csv", "path,label,verification\n1.jpg,,\n2.jpg,dog,maybe\n,cat,\n3.jpg,cat\n1.jpg,cat,1\n")
    let problems = try problems(path)
    #expect(problems.first.map(\.line) == [2, 3, 4, 5])
    #expect(problems.first[1].description.contains("\"maybe\""))
    #expect(problems.count == 4)
  }

  @Test("with features from elsewhere, images that are there are kept, and none is needed")
  func featuresBesideImages() throws {
    let there = try folder.write("there.jpg", [0xFF, 0xD8])
    let path = try manifest("list.csv", "path,label\nthere.jpg,cat\ngone.jpg,cat\n")
    #expect(try samples(path) { $0.featuresOnly = true }.map(\.location) == [.file(there), .none])
  }

  @Test("more than twenty problems are counted, not listed")
  func manyProblems() throws {
    let path = try manifest("list.csv", "path,label\n" + String(repeating: "1.jpg,\n", count: 50))
    let problems = try problems(path)
    #expect(problems.count == 50)
    #expect(problems.first.count == 20)
    #expect(problems.description.contains("30 more"))
  }

  @Test("missing columns are named beside the present ones")
  func missingColumns() throws {
    let path = try manifest("list.csv", "a,b,label\nx,y,cat\n")
    #expect(try problems(path) { $0.hasHeader = true }.description.contains("\"a\", \"b\", \"label\""))
    let other = try manifest("list.csv", "path,thing,kind\n1.jpg,cat,small\n")
    #expect(try problems(other).description.contains("--label-column"))
    #expect(try samples(other) { $0.labelColumn = "thing" }.count == 1)
  }

  @Test("a wrong root is noticed before a million rows are read")
  func wrongRoot() throws {
    let path = try manifest("list.csv", "path,label\n" + String(repeating: "x/1.jpg,cat\n", count: 100))
    let problem = try problems(path)
    #expect(problem.count == 1)
    #expect(problem.description.contains("--root"))
    try folder.write("x/1.jpg")
    #expect(try samples(path).count == 100)
  }

  @Test("a blank parts a path and its label where nothing else does")
  func blanks() throws {
    try folder.write("a.jpg")
    let path = try folder.write("list.txt", "a.jpg 7\nb.jpg 8\n")
    #expect(try samples(path).map(\.label) == ["7", "8"])
    #expect(try samples(path).map(\.path) == ["a.jpg", "b.jpg"])
  }

  @Test("classes that are numbers get names, in columns with true labels too")
  func classNames() throws {
    try folder.write("a.jpg")
    let path = try folder.write("list.csv", "path,label,truth,other\na.jpg,1,0,1\nb.jpg,0,x,1\n")
    func read(_ change: (inout DatasetOptions) -> Void) throws -> [Sample] {
      try samples(path) {
        $0.classNames = ["cat", "dog"]
        $0.truthColumns = ["truth"]
        change(&$0)
      }
    }
    let named = try read { _ in }
    #expect(named.map(\.label) == ["dog", "cat"])
    #expect(named.map { $0.attribute("truth") } == ["cat", "x"])
    #expect(named.map { $0.attribute("other") } == ["1", "1"])
    let renamed = try read { $0.labelMap = ["cat": "katze", "x": "y"] }
    #expect(renamed.map(\.label) == ["dog", "katze"])
    #expect(renamed.map { $0.attribute("truth") } == ["katze", "y"])
    #expect(try problems(path) { $0.classNames = ["cat"] }.description.contains("there are 1 class names"))
    #expect(try problems(path) { $0.truthColumns = ["truht"] }.description.contains("\"truht\""))
  }

  @Test("a bad row and a missing image are named together; a header alone is no manifest")
  func together() throws {
    let path = try folder.write("list.csv", "path,label\na.jpg,\nb.jpg,x\n")
    let found = try problems(path)
    #expect(found.count == 2)
    #expect(found.description.contains("line 2: has no label") && found.description.contains("b.jpg"))
    #expect(try problems(folder.write("empty.csv", "path,label\n")).description.contains("no row"))
  }

  @Test("files with one and the same problem share a line")
  func alike() {
    var problems = DatasetProblems()
    problems.add(DatasetProblem(file: "m.csv", line: 2, what: "is bad", remedy: "Mend it"))
    for index in 0..<30 {
      problems.add(DatasetProblem(file: "\(index).jpg", what: "is no image", remedy: "Remove it"))
    }
    #expect(
      problems.description == """
        31 problems:
          m.csv, line 2: is bad. Mend it.
          0.jpg, 1.jpg and 17 others, each: is no image. Remove it.
          … and 11 more
        """)
  }
}
