import Foundation
import Testing

@testable import Datasets

/// Which folders are the classes, told by what lies in them.
@Suite("Levels of folders")
struct EvidenceTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ paths: [String]) throws { for path in paths { try folder.write("set/\(path)") } }

  /// Labels and splits by path, of a folder and of a tar file of it.
  private func read(_ change: (inout DatasetOptions) -> Void = { _ in }) throws -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: try samples("\(folder.path)/set", change).map {
        ($0.path, "\($0.label) \($0.split)")
      })
  }

  private static let pets = ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg"]

  @Test(
    "folders around the classes are passed through",
    arguments: [
      "images", "data", "data/images", "repo-main/data", "PetImages", "flower_photos", "a/b/c",
      "Dataset/raw/jpg",
    ])
  func wrappers(wrapper: String) throws {
    try write(Self.pets.map { "\(wrapper)/\($0)" })
    #expect(Set(try read().values) == ["cat train", "dog train"])
  }

  @Test(
    "other files are passed over, and told",
    arguments: [
      ("data", ["docs/logo.png", "README.md"]), ("images", ["masks/cat/1.png", "masks/dog/1.png"]),
      ("data", ["results/plot.png", "notebooks/x.ipynb"]), ("images", ["samples.png"]),
    ])
  func aside(wrapper: String, others: [String]) throws {
    try write(Self.pets.map { "\(wrapper)/\($0)" } + others)
    #expect(Set(try read().values) == ["cat train", "dog train"])
    let summary = try DatasetReader.open(source: "\(folder.path)/set").read { _ in }
    #expect(summary.notices.contains { $0.contains("skipped") })
    #expect(summary.guesses.contains { $0.contains("\(wrapper)/") })
  }

  @Test(
    "splits by their usual names, with other folders beside and around",
    arguments: [
      ("train", "test"), ("Train", "Test"), ("Training", "Testing"),
      ("seg_train/seg_train", "seg_test/seg_test"),
      ("TRAIN", "VALID"), ("train2017", "val2017"), ("training_set", "test_set"),
      ("data/train", "data/validation"),
      ("Final_Training/Images", "Final_Test/Images"),
    ])
  func splits(first: String, second: String) throws {
    let canonical = first == "TRAIN" || second.contains("val") ? "val" : "test"
    for beside in [
      [], ["annotations/readme.txt"], ["__MACOSX/cat/._1.jpg"], ["extra.png"], ["seg_pred/1.jpg"],
    ] {
      try write(Self.pets.map { "\(first)/\($0)" } + Self.pets.map { "\(second)/\($0)" } + beside)
      #expect(
        Set(try read().values) == ["cat train", "dog train", "cat \(canonical)", "dog \(canonical)"],
        "beside \(beside)")
    }
  }

  @Test("a class may be called like a split; splits may lie below the classes")
  func classesAndSplits() throws {
    try write(["train/1.jpg", "plane/1.jpg", "car/1.jpg"])
    #expect(Set(try read().values) == ["train train", "plane train", "car train"])
    try FileManager.default.removeItem(atPath: "\(folder.path)/set")
    try write(["cat/train/1.jpg", "cat/test/2.jpg", "dog/train/1.jpg", "dog/test/2.jpg"])
    #expect(Set(try read().values) == ["cat train", "cat test", "dog train", "dog test"])
  }

  @Test("where the same folders lie below several, the user is asked, unless names tell")
  func ambiguous() throws {
    try write(["color/cat/1.jpg", "color/dog/1.jpg", "gray/cat/1.jpg", "gray/dog/1.jpg"])
    let text = try problems("\(folder.path)/set").description
    #expect(text.contains("color, gray") && text.contains("cat, dog"))
    #expect(text.contains("--class-level 1") && text.contains("--class-level 2"))
    #expect(Set(try read { $0.classLevel = 2 }.values) == ["cat train", "dog train"])
    #expect(Set(try read { $0.classLevel = 1 }.values) == ["color train", "gray train"])
    #expect(Set(try read { $0.classLevel = -1 }.values) == ["cat train", "dog train"])
    try FileManager.default.removeItem(atPath: "\(folder.path)/set")
    try write(["part1/cat/1.jpg", "part1/dog/1.jpg", "part2/cat/2.jpg", "part2/dog/2.jpg"])
    #expect(Set(try read().values) == ["cat train", "dog train"])
    try FileManager.default.removeItem(atPath: "\(folder.path)/set")
    try write(["cat/2019/1.jpg", "cat/2020/1.jpg", "dog/2019/1.jpg", "dog/2020/1.jpg"])
    #expect(Set(try read().values) == ["cat train", "dog train"])
  }

  @Test("a workspace in the data set is no part of it, nor is one that it lies in")
  func workspace() throws {
    try write(Self.pets)
    try folder.write("set/cleannet-workspace/catalogue.sqlite")
    try folder.write("set/cleannet-workspace/downloads/1.jpg")
    try folder.write("set/cleannet-workspace/report/2.png")
    #expect(Set(try read().values) == ["cat train", "dog train"])
    try folder.write("set/catalogue.sqlite")
    try folder.write("set/downloads/x/1.jpg")
    #expect(Set(try read().values) == ["cat train", "dog train"])
  }

  @Test(
    "flat images: the message names a table beside them and a pattern of their names, which then gives the class"
  )
  func flat() throws {
    try write(["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"])
    #expect(try problems("\(folder.path)/set").description.contains("--label-pattern '{label}.*.*'"))
    #expect(Set(try read { $0.labelPattern = "{label}.*.*" }.values) == ["cat train", "dog train"])
    try folder.write("set/labels.csv", "x")
    #expect(try problems("\(folder.path)/set").description.contains("set/labels.csv"))
    try FileManager.default.removeItem(atPath: "\(folder.path)/set")
    try write(["train/basset_hound_1.jpg", "test/basset_hound_2.jpg", "train/pug_1.jpg", "odd.jpg"])
    let read = try read { $0.labelPattern = "{split}/{label}_*.jpg" }
    #expect(read.values.sorted() == ["basset_hound test", "basset_hound train", "pug train"])
    #expect(try problems("\(folder.path)/set") { $0.labelPattern = "*.jpg" }.description.contains("{label}"))
  }

  @Test(
    "archives are read as folders are: wrappers, junk, backslashes, names that Unicode calls equal, links")
  func archives() async throws {
    let junk = ["__MACOSX/pets/cat/._1.jpg", "pets/.DS_Store", "pets/cat/._1.jpg", "pets/._cat", "._pets"]
    for name in ["pets/cat/1.jpg", "pets/dog/2.jpg"] + junk { try folder.write("macos/\(name)") }
    try await folder.run("tar", "-C", "macos", "-cf", "macos.tar", "._pets", "pets", "__MACOSX")
    for source in ["macos.tar", "macos"] {
      let read = try samples("\(folder.path)/\(source)")
      #expect(read.map { "\($0.label) \($0.split)" }.sorted() == ["cat train", "dog train"], "\(source)")
    }

    let zip = "\(folder.path)/windows.zip"
    try StoredZip.write(["cat\\1.jpg", "cat\\2.jpg", "dog\\1.jpg"].map { ($0, [1]) }, to: zip)
    #expect(try samples(zip).map(\.label) == ["cat", "cat", "dog"])
    #expect(try DatasetReader.open(source: zip).read { _ in }.notices.contains { $0.contains("backslashes") })

    let forms = ["cat/caf\u{E9}.jpg", "cat/cafe\u{301}.jpg", "dog/1.jpg"]
    try StoredZip.write(forms.enumerated().map { ($1, [UInt8($0)]) }, to: "\(folder.path)/forms.zip")
    #expect(try samples("\(folder.path)/forms.zip").count == 3)

    try folder.write("linked/cat/1.jpg", [7])
    try folder.write("linked/dog/2.jpg", [8])
    for (target, link) in [("../cat/1.jpg", "dog/soft.jpg"), ("nowhere.jpg", "dog/lost.jpg")] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder.path)/linked/\(link)", withDestinationPath: target)
    }
    try FileManager.default.linkItem(
      atPath: "\(folder.path)/linked/cat/1.jpg", toPath: "\(folder.path)/linked/dog/hard.jpg")
    try await folder.run("tar", "-C", "linked", "-cf", "linked.tar", "dog", "cat")
    let linked = try samples("\(folder.path)/linked.tar")
    #expect(linked.map(\.path).sorted() == ["cat/1.jpg", "dog/2.jpg", "dog/hard.jpg", "dog/soft.jpg"])
    for sample in linked {
      #expect(try ImageBytes().read(sample.location, key: "") == [sample.path == "dog/2.jpg" ? 8 : 7])
    }
    #expect(
      try DatasetReader.open(source: "\(folder.path)/linked.tar").read { _ in }.notices.contains {
        $0.contains("dog/lost.jpg")
      })
  }

  @Test(
    "the forms of splits' names",
    arguments: [
      ("Test", "test"), ("TESTING", "test"), ("test1", "test"), ("seg_test", "test"), ("testset", "test"),
      ("test-images", "test"), ("Train", "train"), ("trainingset", "train"), ("valid", "val"),
      ("Validation", "val"),
      ("dev", "val"), ("test_hard", "test"), ("testA", "test"), ("my split", "my split"),
      ("fold 1", "fold 1"),
      ("latest", "latest"), ("train_test", "train_test"), ("contest", "contest"),
    ])
  func splitNames(written: String, kept: String) throws {
    try folder.write("1.jpg")
    let path = try folder.write("list.csv", "path,label,split\n1.jpg,cat,\(written)\n")
    let read = try samples(path)
    #expect(read.map(\.split) == [kept])
    #expect(read[0].attribute("source_split") == (["test_hard", "testA"].contains(written) ? written : nil))
    #expect(try samples(path) { $0.split = written }.map(\.split) == [kept])
  }
}
