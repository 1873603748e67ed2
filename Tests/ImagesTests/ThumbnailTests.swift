import Foundation
import Testing

@testable import Images

@Suite struct ThumbnailTests {
  private func info(_ jpeg: [UInt8]) throws -> ImageInfo {
    try ImageInfo(.encoded(name: "picture", bytes: jpeg))
  }

  @Test func fitsAndShowsTheWholeImage() throws {
    let jpeg = try thumbnailJPEG(.file(fixture("photo.jpg")), maximumSide: 40, quality: 90)
    #expect(try info(jpeg) == ImageInfo(width: 40, height: 32, bands: 3, format: .jpeg))
    let preparation = ImagePreparation(size: 40, fit: .stretch)
    let difference = meanDifference(
      try prepare(.encoded(name: "picture", bytes: jpeg), preparation),
      try prepare(.file(fixture("photo.jpg")), preparation))
    #expect(difference < 6)
  }

  @Test func isNeverEnlarged() throws {
    let whole = try ImageInfo(.file(fixture("small.png")))
    let jpeg = try info(thumbnailJPEG(.file(fixture("small.png")), maximumSide: 500))
    #expect((jpeg.width, jpeg.height) == (whole.width, whole.height))
  }

  @Test(arguments: 1...8) func isTurnedUpright(_ orientation: Int) throws {
    let jpeg = try thumbnailJPEG(
      .file(fixture("orientation\(orientation).png")), maximumSide: 500, quality: 95)
    let upright = try info(jpeg)
    #expect((upright.width, upright.height) == (19, 30))
    let plain = try thumbnailJPEG(.file(fixture("orientation1.png")), maximumSide: 500, quality: 95)
    let preparation = ImagePreparation(size: 30, fit: .stretch)
    let difference = meanDifference(
      try prepare(.encoded(name: "picture", bytes: jpeg), preparation),
      try prepare(.encoded(name: "picture", bytes: plain), preparation))
    #expect(difference < 2)
  }

  @Test func isTheSameFromAFileAnArchiveAndMemory() throws {
    let bytes = try contents("small.png")
    let fromFile = try thumbnailJPEG(.file(fixture("small.png")), maximumSide: 12)
    let archived = ImageSource.bytes(file: fixture("two.tar"), offset: 512, length: Int64(bytes.count))
    #expect(try thumbnailJPEG(archived, maximumSide: 12) == fromFile)
    #expect(try thumbnailJPEG(.encoded(name: "picture", bytes: bytes), maximumSide: 12) == fromFile)
  }

  @Test func showsGreyPixelsAsTheyAre() throws {
    let pixels = RawPixels(width: 64, height: 32, bands: 1, bytes: ArraySlice(repeating: 77, count: 64 * 32))
    let jpeg = try thumbnailJPEG(.pixels(pixels), maximumSide: 16)
    let small = try info(jpeg)
    #expect((small.width, small.height) == (16, 8))
    let shown = try prepare(.encoded(name: "picture", bytes: jpeg), ImagePreparation(size: 8, fit: .stretch))
    #expect(shown.allSatisfy { abs(Int($0) - 77) <= 1 })
  }

  @Test(arguments: [
    ("bomb.png", ImageProblem.Kind.tooLarge), ("truncated.jpg", .truncated), ("text.jpg", .notAnImage),
  ])
  func refusesWhatDoesNotDecode(_ file: String, _ kind: ImageProblem.Kind) throws {
    let bytes = try contents(file)
    for source in [ImageSource.file(fixture(file)), .encoded(name: "picture", bytes: bytes)] {
      let problem = #expect(throws: ImageProblem.self) { try thumbnailJPEG(source, maximumSide: 100) }
      #expect(problem?.kind == kind)
    }
  }

  @Test func refusesNoBytesAndTooMany() throws {
    let none = #expect(throws: ImageProblem.self) {
      try thumbnailJPEG(.encoded(name: "picture", bytes: []), maximumSide: 100)
    }
    #expect(none?.kind == .empty)
    let bytes = try contents("small.png")
    let many = #expect(throws: ImageProblem.self) {
      try thumbnailJPEG(
        .encoded(name: "picture", bytes: bytes), maximumSide: 100, limits: ImageLimits(bytes: bytes.count - 1)
      )
    }
    #expect(many?.kind == .tooLarge)
  }
}
