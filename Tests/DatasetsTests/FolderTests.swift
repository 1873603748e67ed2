import Testing

@testable import Datasets

@Suite("Image folders")
struct FolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("the class is the first folder, images nested below it count, other files do not")
  func classes() throws {
    for name in ["b/2.jpg", "b/deep/er/1.PNG", "a/z.webp", "a/notes.txt", "top.jpg", "a/.hidden.jpg"] {
      try folder.write(name)
    }
    let read = try samples(folder.path)
    #expect(read.map(\.key) == ["a/z.webp", "b/2.jpg", "b/deep/er/1.PNG"])
    #expect(read.map(\.label) == ["a", "b", "b"])
    #expect(read.allSatisfy { $0.split == "train" })
    #expect(read[0].location == .file("\(folder.path)/a/z.webp"))
  }

  @Test("folders named like splits lie above the classes")
  func splits() throws {
    for name in ["train/cat/1.jpg", "test/cat/2.jpg", "test/dog/3.jpg"] { try folder.write(name) }
    let read = try samples(folder.path)
    #expect(read.map(\.split) == ["test", "test", "train"])
    #expect(read.map(\.label) == ["cat", "dog", "cat"])
    #expect(try samples(folder.path) { $0.split = "test" }.map(\.split) == ["test", "test", "test"])
  }

  @Test("links are followed, and their loops end")
  func links() async throws {
    try folder.write("a/1.jpg")
    try await folder.run("ln", "-s", "..", "a/loop")
    try await folder.run("ln", "-s", "a", "b")
    let read = try samples(folder.path)
    #expect(read.filter { !$0.path.contains("loop") }.map(\.path) == ["a/1.jpg", "b/1.jpg"])
  }

  @Test("a folder without images says how images should lie")
  func empty() throws {
    try folder.write("1.jpg")
    #expect(try problems(folder.path).description.contains("<class>/<name>.jpg"))
  }

  @Test("metadata beside the images is Hugging Face's folder")
  func huggingFace() throws {
    try folder.write("train/1.jpg")
    try folder.write("train/metadata.csv", "file_name,label,origin\n1.jpg,cat,web\n")
    try folder.write("test/2.jpg")
    try folder.write("test/metadata.jsonl", #"{"file_name": "2.jpg", "label": "dog"}"#)
    let read = try samples(folder.path)
    #expect(read.map(\.path) == ["test/2.jpg", "train/1.jpg"])
    #expect(read.map(\.label) == ["dog", "cat"])
    #expect(read.map(\.split) == ["test", "train"])
    #expect(read[1].attribute("origin") == "web")
  }
}
