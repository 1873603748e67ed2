import Testing
import Torch

@testable import Images

@Suite struct AugmentationTests {
  /// Pixels that all differ, 20 × 12.
  private let pixels = RawPixels(
    width: 20, height: 12, bands: 3, bytes: (0..<720).map { UInt8(truncatingIfNeeded: $0 * 7) }[...])

  private func decode(
    _ source: ImageSource, _ augmentation: Augmentation, seed: UInt64, size: Int = 16
  ) throws -> [UInt8] {
    let decoder = ImageDecoder(ImagePreparation(size: size))
    let place = UnsafeMutableRawBufferPointer.allocate(byteCount: size * size * 3, alignment: 16)
    defer { place.deallocate() }
    var random = SplitMix64(seed: seed)
    try decoder.decode(source, into: place, augmentation: augmentation, using: &random)
    return Array(place)
  }

  @Test("a part of the result's size, between pixels, is those pixels") func part() throws {
    let layout = Layout(ImagePart(left: 3, top: 2, width: 8, height: 8), ofWidth: 20, height: 12, size: 8)
    let place = UnsafeMutableRawBufferPointer.allocate(byteCount: 192, alignment: 16)
    defer { place.deallocate() }
    try withOpened(.pixels(pixels), limits: ImageLimits()) {
      (opened: consuming OpenedImage) throws(ImageProblem) in
      try opened.render(layout, kernel: .cubic, into: place)
    }
    var expected: [UInt8] = []
    for y in 2..<10 {
      let start = (y * 20 + 3) * 3
      expected += pixels.bytes[start..<(start + 24)]
    }
    #expect(Array(place) == expected)
  }

  @Test("parts lie in the image and have the areas and ratios that were asked for") func draws() {
    let augmentation = Augmentation(smallestArea: 0.3, largestAspect: 1.5)
    var mirrored = 0
    var areas: [Double] = []
    var random = SplitMix64(seed: 1)
    for _ in 0..<2000 {
      let (part, isMirrored) = augmentation.draw(width: 300, height: 200, using: &random)
      mirrored += isMirrored ? 1 : 0
      #expect(part.left >= 0 && part.top >= 0)
      #expect(part.left + part.width <= 300 + 1e-9 && part.top + part.height <= 200 + 1e-9)
      let area = part.width * part.height / 60000
      let aspect = part.width / part.height
      #expect(area >= 0.3 - 1e-9 && area <= 1 && aspect >= 1 / 1.5 - 1e-9 && aspect <= 1.5 + 1e-9)
      areas.append(area)
    }
    #expect((900...1100).contains(mirrored))
    #expect(areas.min() ?? 1 < 0.35 && areas.max() ?? 0 > 0.9)
  }

  @Test("a long image gives its middle") func long() {
    var random = SplitMix64(seed: 1)
    let (part, _) = Augmentation(smallestArea: 0.9, largestAspect: 1).draw(
      width: 400, height: 10, using: &random)
    #expect(part == ImagePart(left: 195, top: 0, width: 10, height: 10))
  }

  @Test("the whole of a square image is that image; half of the seeds mirror it") func whole() throws {
    let square = ImageSource.file(fixture("photo.jpg"))
    let whole = Augmentation(smallestArea: 1, largestAspect: 1)
    let info = try ImageInfo(square)
    let side = min(info.width, info.height)
    let plain = try prepare(square, ImagePreparation(size: 16))
    var turned: [UInt8] = []
    for pixel in 0..<256 {
      let start = (pixel / 16 * 16 + 15 - pixel % 16) * 3
      turned += plain[start..<(start + 3)]
    }
    let all = try (0..<20).map { try decode(square, whole, seed: UInt64($0)) }
    // A crop of the middle begins at a whole pixel of the resized image, an augmentation's anywhere.
    let exact = info.width == info.height
    #expect(side > 0)
    let near = all.count { largestDifference($0, plain) <= (exact ? 0 : 40) }
    let mirrored = all.count { largestDifference($0, turned) <= (exact ? 0 : 40) }
    #expect(near + mirrored == 20 && near > 4 && mirrored > 4, "\(near), \(mirrored)")
  }

  @Test("equal seeds choose alike, on any thread; EXIF orientation is undone first") func seeds() throws {
    let augmentation = Augmentation(smallestArea: 0.2)
    let names = ["photo.jpg", "small.png", "orientation6.png", "small.webp"]
    func batches(_ threads: Int) -> [[UInt8]] {
      let decoder = ImageDecoder(ImagePreparation(size: 16))
      let loader = BatchLoader(count: 23, preparation: decoder.preparation, batchSize: 5, threads: threads) {
        (image, place) throws(ImageProblem) in
        var random = SplitMix64(seed: UInt64(image))
        try decoder.decode(
          .file(fixture(names[image % 4])), into: place, augmentation: augmentation, using: &random)
      }
      return loader.map { $0.withUnsafePixels { Array($0) } }
    }
    #expect(batches(1) == batches(3))
    #expect(
      try decode(.file(fixture(names[0])), augmentation, seed: 1)
        != decode(.file(fixture(names[0])), augmentation, seed: 2))
  }
}
