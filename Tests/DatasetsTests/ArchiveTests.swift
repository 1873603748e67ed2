import Foundation
import Testing

@testable import Datasets

@Suite("Archives")
struct ArchiveTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("members of a tar file are found where their bytes lie", arguments: ["ustar", "gnu", "pax", "v7"])
  func tar(format: String) async throws {
    let long = String(repeating: "n", count: ["v7", "ustar"].contains(format) ? 60 : 120)
    try folder.write("set/cat/1.jpg", Array("first".utf8))
    try folder.write("set/dog/\(long).jpg", Array("second one".utf8))
    try folder.write("set/dog/readme.txt", "no image")
    try await folder.run("tar", "--format=\(format)", "-cf", "set.tar", "set")
    let read = try samples("\(folder.path)/set.tar").sorted { $0.path < $1.path }
    #expect(read.map(\.path) == ["cat/1.jpg", "dog/\(long).jpg"])
    #expect(read.map(\.label) == ["cat", "dog"])
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/set.tar"))
    let texts = read.map { sample -> String in
      guard case .archiveMember(_, let offset, let length) = sample.location else { return "" }
      return String(decoding: bytes[Int(offset)..<Int(offset + length)], as: UTF8.self)
    }
    #expect(texts == ["first", "second one"])
  }

  @Test("a manifest finds its images in a tar file")
  func manifestInTar() async throws {
    try folder.write("images/1.jpg")
    try await folder.run("tar", "-cf", "images.tar", "./images")
    let list = try folder.write("list.csv", "path,label\nimages/1.jpg,cat\nimages/2.jpg,cat\n")
    let problem = try problems(list) { $0.root = "\(folder.path)/images.tar" }
    #expect(problem.first.map(\.line) == [3])
    try folder.write("list.csv", "path,label\nimages/1.jpg,cat\n")
    #expect(try samples(list) { $0.root = "\(folder.path)/images.tar" }.count == 1)
  }

  @Test("cut short, a tar file is refused")
  func cutTar() async throws {
    try folder.write("a/1.jpg", [UInt8](repeating: 7, count: 3000))
    try await folder.run("tar", "-cf", "whole.tar", "a")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/whole.tar"))
    let cut = try folder.write("cut.tar", Array(bytes.prefix(2500)))
    #expect(try problems(cut).description.contains("ends within the member"))
  }

  @Test("an image that is said to be larger than deflate can make it is refused before memory is taken")
  func claims() throws {
    let path = try folder.write("x.zip", "PK, and a deflated image of forty-some bytes")
    let file = try Descriptor(reading: path)
    let error = #expect(throws: DatasetProblems.self) {
      try Inflation.bytes(file, ArchiveMember(offset: 4, length: 40, inflatedLength: 400_000_000))
    }
    #expect("\(try #require(error))".contains("which cannot be"))
    #expect(throws: DatasetProblems.self) {
      try Inflation.bytes(file, ArchiveMember(offset: 4, length: 40, inflatedLength: 600_000_000))
    }
  }

  @Test("compressed archives are refused with the remedy")
  func compressed() async throws {
    try folder.write("a/1.jpg")
    try await folder.run("tar", "-czf", "set.tar.gz", "a")
    #expect(try problems("\(folder.path)/set.tar.gz").description.contains("gzip -dk"))
  }

  @Test("IDX labels and images go together; the t10k files are the test split")
  func idx() async throws {
    try folder.write("train-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6])
    try folder.write("train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 2, 1, 0])
    try folder.write("t10k-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 4])
    try folder.write("t10k-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 1, 1])
    try await folder.run("gzip", "t10k-images-idx3-ubyte")
    let read = try samples(folder.path) { $0.classNames = ["shirt", "shoe"] }
    #expect(read.map(\.label) == ["shoe", "shirt", "shoe"])
    #expect(read.map(\.split) == ["train", "train", "test"])
    #expect(read[2].location == .idx(file: "\(folder.path)/t10k-images-idx3-ubyte.gz", index: 0))
    let images = try IDXFile(path: "\(folder.path)/train-images-idx3-ubyte")
    #expect(images.shape == [2, 1, 2])
    #expect(images.bytes == [9, 8, 7, 6])
  }

  @Test(
    "IDX files that are not what they say are refused",
    arguments: [
      ([0, 0, 8, 1, 0, 0, 0, 3, 1], "holds 1 of the 3 bytes"), ([0, 0, 8, 1, 0, 0, 0, 1, 1, 1], "longer"),
      ([0, 0, 13, 1, 0, 0, 0, 1, 1], "not an IDX file"),
      ([0, 0, 8, 4, 255, 255, 255, 255], "within its header"),
      ([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255], "claims"),
    ] as [([UInt8], String)])
  func badIDX(bytes: [UInt8], message: String) throws {
    let path = try folder.write("x", bytes)
    #expect { try IDXFile(path: path) } throws: { "\($0)".contains(message) }
  }

  @Test(
    "a location's text form reads back",
    arguments: [
      ImageLocation.file("/a/b:c.jpg"), .file("relative.jpg"), .none, .idx(file: "/x y", index: 7),
      .archiveMember(archive: "/a:b.tar", offset: 1 << 40, length: 3),
    ])
  func location(location: ImageLocation) {
    #expect(ImageLocation(encoded: location.encoded) == location)
  }
}
