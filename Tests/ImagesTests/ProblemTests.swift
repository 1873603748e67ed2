import Foundation
import Testing

@testable import Images

@Suite struct ProblemTests {
  @Test(arguments: ["jpg", "png", "webp", "gif", "bmp"])
  func truncated(format: String) {
    #expect(problem(.file(fixture("truncated.\(format)")))?.kind == .truncated)
  }

  @Test func truncatedWhereNoEndIsMarked() {
    #expect(problem(.file(fixture("truncated.tiff")))?.kind == .damaged)
  }

  @Test func truncationBelowTheCropIsFound() throws {
    // The lower part of a tall picture is outside the crop.
    let bytes = try contents("tall.png")
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes[..<(bytes.count - 60)]).write(to: file)
    #expect(throws: ImageProblem.self) { try prepare(.file(file.path), ImagePreparation(size: 8)) }
  }

  @Test func halfAJPEGThatEndsProperly() {
    #expect(problem(.file(fixture("half.jpg")))?.kind == .damaged)
  }

  @Test func strayBytesDoNoHarm() throws {
    #expect(try prepare("stray.jpg", 30) == prepare("small.jpg", 30))
  }

  @Test func damaged() {
    #expect(problem(.file(fixture("damaged.png")))?.kind == .damaged)
  }

  @Test func notImages() {
    #expect(problem(.file(fixture("empty.jpg")))?.kind == .empty)
    #expect(problem(.file(fixture("text.jpg")))?.kind == .notAnImage)
    #expect(problem(.file(fixture("no such file.jpg")))?.kind == .missing)
    #expect(problem(.file(fixture("text.jpg/below.jpg")))?.kind == .missing)
    #expect(problem(.file(fixture("")))?.kind == .notAFile)
  }

  @Test(.enabled(if: getuid() != 0, "root may read everything"))
  func permissions() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    try Data([1]).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file.path)
    #expect(problem(.file(file.path))?.kind == .notPermitted)
  }

  @Test func pipesAreNotWaitedFor() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    #expect(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    #expect(problem(.file(path))?.kind == .notAFile)
  }

  @Test(arguments: ["bomb.png", "bomb.bmp"])
  func bombsAreRefusedByTheirHeaders(name: String) {
    #expect(problem(.file(fixture(name)))?.kind == .tooLarge)
    #expect(throws: ImageProblem.self) { try ImageInfo(.file(fixture(name))) }
  }

  @Test func limitsAreAdjustable() {
    let small = ImageSource.file(fixture("small.png"))
    #expect(problem(small, limits: ImageLimits(pixels: 24 * 20)) == nil)
    #expect(problem(small, limits: ImageLimits(pixels: 24 * 20 - 1))?.kind == .tooLarge)
    #expect(problem(small, limits: ImageLimits(bytes: 500))?.kind == .tooLarge)
  }

  @Test func aLineOfPixelsNeedsNoMoreThanItsShare() {
    let line = RawPixels(width: 1, height: 10_000, bands: 1, bytes: [UInt8](repeating: 9, count: 10_000)[...])
    #expect(problem(.pixels(line), limits: ImageLimits(pixels: 30_000), size: 8)?.kind == .tooLarge)
    #expect(problem(.pixels(line), size: 8) == nil)
  }

  @Test func membersBeyondTheArchive() {
    let archive = fixture("two.tar")
    #expect(problem(.bytes(file: archive, offset: 10_000, length: 1_000))?.kind == .truncated)
    #expect(problem(.bytes(file: archive, offset: .max, length: 1))?.kind == .truncated)
    #expect(problem(.bytes(file: archive, offset: 0, length: .max))?.kind == .truncated)
    #expect(problem(.bytes(file: archive, offset: -1, length: 1))?.kind == .damaged)
    #expect(problem(.bytes(file: archive, offset: 0, length: 0))?.kind == .empty)
  }

  @Test func rawPixelsThatDoNotFit() {
    #expect(problem(.pixels(RawPixels(width: 2, height: 2, bands: 1, bytes: [1, 2, 3])))?.kind == .damaged)
    #expect(problem(.pixels(RawPixels(width: 1, height: 1, bands: 2, bytes: [1, 2])))?.kind == .damaged)
    #expect(problem(.pixels(RawPixels(width: 0, height: 2, bands: 1, bytes: [])))?.kind == .empty)
    #expect(problem(.pixels(RawPixels(width: .max, height: .max, bands: 3, bytes: [])))?.kind == .tooLarge)
  }

  @Test func truncatedPhotosAreTakenOnRequest() throws {
    let plan = ImagePreparation(size: 32, fit: .stretch, kernel: .cubic)
    var limits = ImageLimits()
    limits.takesTruncated = true
    let cut = ImageSource.encoded(name: "cut.jpg", bytes: Array(try contents("small.jpg").dropLast(40)))
    #expect(Set(try prepare(cut, plan, limits: limits)).count > 1)
    #expect(throws: ImageProblem.self) { try prepare(cut, plan) }
    #expect(problem(cut)?.description.contains("--take-truncated") == true)
    // Where not even the header is complete, there is nothing to take.
    #expect(throws: ImageProblem.self) { try prepare(.file(fixture("truncated.jpg")), plan, limits: limits) }
    // Images with other damage stay refused.
    #expect(throws: ImageProblem.self) { try prepare(.file(fixture("damaged.png")), plan, limits: limits) }
    #expect(problem(.file(fixture("bomb.png")))?.description.contains("--max-megapixels") == true)
  }

  @Test func messagesNameTheImageAndARemedy() throws {
    let found = try #require(problem(.file(fixture("truncated.jpg"))))
    #expect(found.description.hasPrefix(fixture("truncated.jpg")))
    #expect(found.description.contains("truncated"))
    #expect(found.description.contains("again"))
  }

  /// Every beginning of every fixture: never a crash, and never an image without its end.
  @Test(arguments: ["small.png", "small.jpg", "small.webp", "palette.gif", "small.bmp"])
  func everyBeginningIsRefused(name: String) throws {
    let bytes = try contents(name)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: file) }
    for count in stride(from: 1, to: bytes.count - 20, by: 41) {
      try Data(bytes[..<count]).write(to: file)
      #expect(problem(.file(file.path)) != nil, "\(count) bytes")
    }
  }
}
