import Foundation
import Testing

@testable import Images

@Suite struct FormatTests {
  @Test func libraryDecodesWhatDebianShips() throws {
    #expect(ImageFormat.supported.isSuperset(of: [.jpeg, .png, .webp, .gif, .tiff, .bmp]))
    #expect(try Vips.version.split(separator: ".").count == 3)
  }

  @Test func versionsCompareAsNumbers() {
    #expect(["8.12.0", "8.14.1", "8.100", "9.0"].allSatisfy { Vips.isRecent($0) })
    #expect(["8.9.2", "8.11.4", "7.42", ""].allSatisfy { !Vips.isRecent($0) })
  }

  @Test(arguments: ["png", "bmp", "tiff", "webp"])
  func losslessFormatsGiveTheVeryPixels(format: String) throws {
    #expect(try prepare("small.\(format)", 30) == prepare("small.png", 30))
  }

  @Test(arguments: ["jpg", "avif"])
  func lossyFormatsGiveAlmostThePixels(format: String) throws {
    #expect(meanDifference(try prepare("small.\(format)", 30), try prepare("small.png", 30)) < 8)
  }

  @Test func palettesBecomeColors() throws {
    #expect(try prepare("palette.gif", 30) == prepare("palette_expected.png", 30))
  }

  @Test(arguments: ["animated.gif", "animated.webp", "pages.tiff"])
  func theFirstPageCounts(name: String) throws {
    let info = try ImageInfo(.file(fixture(name)))
    #expect((info.width, info.height) == (8, 8))
    let pixels = try prepare(name, 2)
    #expect(largestDifference(pixels, [255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0]) == 0)
  }

  @Test(arguments: 1...8)
  func orientationIsApplied(tag: Int) throws {
    let source = ImageSource.file(fixture("orientation\(tag).png"))
    let info = try ImageInfo(source)
    #expect((info.width, info.height) == (19, 30))
    #expect(try prepare("orientation\(tag).png", 19) == prepare("tall.png", 19))
    // The crop of a turned picture is the turned picture's crop, also where a side is odd.
    let crop = ImagePreparation(size: 14, fit: .crop(share: 0.9))
    let expected = try prepare(.file(fixture("tall.png")), crop)
    // Width is resized before height, as stored: a quarter turn exchanges the two, and the values between them are
    // rounded. Another crop would differ by more than ten.
    let difference = meanDifference(try prepare(source, crop), expected)
    #expect(difference <= (tag > 4 ? 0.6 : 0), "\(difference)")
  }

  @Test func greyBecomesThreeBands() throws {
    let pixels = try prepare("grey8.png", 8)
    let expected = (0..<64).flatMap { index in [UInt8](repeating: UInt8(255 * index / 63), count: 3) }
    #expect(pixels == expected)
    #expect(try prepare("grey16.png", 8) == expected)
  }

  @Test func sixteenBitsBecomeEight() throws {
    #expect(try prepare("rgb16.png", 2) == [255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 64, 32])
  }

  @Test(arguments: ["alpha.png", "alpha16.png"])
  func alphaIsLaidOverWhite(name: String) throws {
    // Opaque red, nothing, black at a fifth, opaque blue.
    let expected: [UInt8] = [255, 0, 0, 255, 255, 255, 204, 204, 204, 0, 0, 255]
    #expect(largestDifference(try prepare(name, 2), expected) <= 1)
  }

  @Test func paletteWithTransparency() throws {
    let source = ImageSource.file(fixture("palette_alpha.png"))
    let pixels = try prepare(source, ImagePreparation(size: 1))
    #expect(pixels.count == 3)
    #expect(try prepare("palette_alpha.png", 2)[..<6].elementsEqual([10, 200, 30, 255, 255, 255]))
  }

  @Test func singleBits() throws {
    #expect(try prepare("bits.png", 2)[..<6].elementsEqual([0, 0, 0, 255, 255, 255]))
  }

  @Test func printersColors() throws {
    // Full magenta and yellow ink is a red.
    let pixels = try prepare("cmyk.jpg", 1)
    #expect(pixels[0] > 200 && pixels[1] < 60 && pixels[2] < 70, "\(pixels)")
    #expect(try ImageInfo(.file(fixture("cmyk.jpg"))).bands == 4)
  }

  @Test func headersAreReported() throws {
    #expect(
      try ImageInfo(.file(fixture("photo.jpg")))
        == ImageInfo(width: 800, height: 640, bands: 3, format: .jpeg))
    #expect(
      try ImageInfo(.file(fixture("grey8.png"))) == ImageInfo(width: 8, height: 8, bands: 1, format: .png))
    let raw = RawPixels(width: 2, height: 1, bands: 3, bytes: [1, 2, 3, 4, 5, 6])
    #expect(try ImageInfo(.pixels(raw)) == ImageInfo(width: 2, height: 1, bands: 3, format: nil))
  }

  @Test func aMemberOfATarIsTheFileItself() throws {
    // Headers of 512 bytes, contents padded to as much.
    let small = try contents("small.png")
    let tall = try contents("tall.png")
    let second = Int64(512 + (small.count + 511) / 512 * 512 + 512)
    let archive = fixture("two.tar")
    let preparation = ImagePreparation(size: 12)
    let first = ImageSource.bytes(file: archive, offset: 512, length: Int64(small.count))
    #expect(try prepare(first, preparation) == prepare(.file(fixture("small.png")), preparation))
    let last = ImageSource.bytes(file: archive, offset: second, length: Int64(tall.count))
    #expect(try prepare(last, preparation) == prepare(.file(fixture("tall.png")), preparation))
  }

  @Test func rawPixelsMayBeASliceOfMany() throws {
    let bytes = (0..<3 * 4).map(UInt8.init)
    let second = ImageSource.pixels(RawPixels(width: 2, height: 2, bands: 1, bytes: bytes[4..<8]))
    #expect(try prepare(second, ImagePreparation(size: 2)) == [4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7])
  }
}
