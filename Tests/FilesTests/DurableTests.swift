import Foundation
import TestPrograms
import Testing

@testable import Files

@Suite("Files that are written completely or not at all")
struct DurableTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("a file appears when it is finished, and an unfinished one leaves nothing")
  func whole() throws {
    do {
      let file = try DurableFile("\(folder.path)/a")
      try file.write(Array("half".utf8))
    }
    #expect(try folder.names().isEmpty)
    try DurableFile.write(Data("all".utf8), to: "\(folder.path)/a")
    #expect(try folder.names() == ["a"])
    #expect(try folder.text("a") == "all")
  }

  @Test("a link's target is replaced, not the link; permissions stay")
  func links() throws {
    try DurableFile.write(Data("old".utf8), to: "\(folder.path)/target")
    chmod("\(folder.path)/target", 0o640)
    try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: "target")
    try DurableFile.write(Data("new".utf8), to: "\(folder.path)/link")
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder.path)/link") == "target")
    #expect(try folder.text("target") == "new")
    var info = stat()
    #expect(stat("\(folder.path)/target", &info) == 0 && info.st_mode & 0o777 == 0o640)
  }

  @Test("devices and pipes are written to, not replaced")
  func devices() throws {
    let pipe = "\(folder.path)/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    try DurableFile.write(Data("through".utf8), to: pipe)
    var bytes = [UInt8](repeating: 0, count: 16)
    #expect(read(reader, &bytes, 16) == 7)
    var info = stat()
    #expect(lstat(pipe, &info) == 0 && info.st_mode & S_IFMT == S_IFIFO)
    let error = #expect(throws: FileError.self) { try DurableFile.write(Data("x".utf8), to: "/dev/full") }
    #expect(error?.code == ENOSPC)
    #expect(lstat("/dev/full", &info) == 0 && info.st_mode & S_IFMT == S_IFCHR)
  }

  @Test("leftovers of a killed writer are removed by the next; a living one's files are not")
  func leftovers() throws {
    let dead = PartialName(beside: "\(folder.path)/a").path
    try Data("dead".utf8).write(to: URL(fileURLWithPath: dead))
    let living = try DurableFile("\(folder.path)/a")
    #expect(try folder.names().count == 1)
    try living.write(Array("living".utf8))
    sweepLeftovers(in: folder.path)
    #expect(try folder.names().count == 1)
    try living.finish()
    #expect(try folder.names() == ["a"])
    #expect(try folder.text("a") == "living")
    mkdir(PartialName(beside: "\(folder.path)/tree").path, 0o700)
    sweepLeftovers(in: folder.path)
    #expect(try folder.names() == ["a"])
  }

  @Test("names as long as the system allows")
  func longNames() throws {
    let name = String(repeating: "n", count: 255)
    try DurableFile.write(Data("x".utf8), to: "\(folder.path)/\(name)")
    #expect(try folder.names() == [name])
  }

  @Test("a tree takes the place of an earlier one")
  func trees() throws {
    for text in ["one", "two"] {
      let tree = try DurableTree("\(folder.path)/tree")
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(tree.temporary)/file"))
      try tree.finish()
      #expect(try folder.text("tree/file") == text)
      #expect(try folder.names() == ["tree"])
    }
    _ = try DurableTree("\(folder.path)/other")
    #expect(try folder.names() == ["tree"])
  }

  @Test("folders above are made")
  func folders() throws {
    try makeDurableFolder("\(folder.path)/a/b/c")
    try makeDurableFolder("\(folder.path)/a/b/c")
    try DurableFile.write(Data(), to: "\(folder.path)/a/file")
    let error = #expect(throws: FileError.self) { try makeDurableFolder("\(folder.path)/a/file/d") }
    #expect(error?.code == ENOTDIR)
  }

  @Test("a digest does not depend on how bytes are cut, and on each bit", arguments: [0, 1, 7, 8, 9, 31])
  func digests(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37) }
    let whole = bytes.withUnsafeBytes { ContentDigest.of($0).text }
    for cut in 0...count {
      var digest = ContentDigest()
      Array(bytes[..<cut]).withUnsafeBytes { digest.update($0) }
      Array(bytes[cut...]).withUnsafeBytes { digest.update($0) }
      #expect(digest.text == whole)
    }
    for bit in 0..<(8 * count) {
      var other = bytes
      other[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(other.withUnsafeBytes { ContentDigest.of($0).text } != whole)
    }
    #expect((bytes + [0]).withUnsafeBytes { ContentDigest.of($0).text } != whole)
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder.path)/file"))
    #expect(try ContentDigest.ofFile("\(folder.path)/file").text == whole)
  }
}
