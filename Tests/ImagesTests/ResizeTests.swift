import Foundation
import Testing

@testable import Images

@Suite struct ResizeTests {
  @Test(arguments: ImagePreparation.Kernel.allCases, [16, 80])
  func equalsPillow(kernel: ImagePreparation.Kernel, size: Int) throws {
    let expected = try contents("wide.\(size)x\(size).\(kernel).rgb")
    let pixels = try prepare("wide.png", size, kernel)
    // Pillow's weights are a little finer: a value near ½ may round the other way.
    #expect(largestDifference(pixels, expected) <= 1)
    #expect(meanDifference(pixels, expected) < 0.01)
  }

  @Test func shrinksOneAxisWhileItEnlargesTheOther() throws {
    #expect(meanDifference(try prepare("wide.png", 45), try contents("wide.45x45.cubic.rgb")) < 0.01)
  }

  @Test func cropsAsTorchvision() throws {
    let preparation = ImagePreparation(size: 16, fit: .crop(share: 0.8))
    let pixels = try prepare(.file(fixture("wide.png")), preparation)
    #expect(meanDifference(pixels, try contents("wide.crop16of20.rgb")) < 0.01)
  }

  @Test func largePhotosAreDecodedSmaller() throws {
    // The decoder's blocks are not the kernel, so the two only resemble each other.
    let difference = meanDifference(try prepare("photo.jpg", 40), try contents("photo.40x40.cubic.rgb"))
    #expect(difference > 0 && difference < 2)
  }

  @Test(arguments: ImagePreparation.Kernel.allCases)
  func flatStaysFlat(kernel: ImagePreparation.Kernel) throws {
    for (width, height, size) in [(1, 1, 7), (1, 50, 8), (97, 3, 31), (300, 301, 2), (13, 13, 13)] {
      let flat = RawPixels(
        width: width, height: height, bands: 1, bytes: [UInt8](repeating: 201, count: width * height)[...])
      let pixels = try prepare(.pixels(flat), ImagePreparation(size: size, fit: .stretch, kernel: kernel))
      #expect(pixels.allSatisfy { $0 == 201 }, "\(width)×\(height) to \(size)")
    }
  }

  @Test(arguments: ImagePreparation.Kernel.allCases)
  func sameSizeChangesNothing(kernel: ImagePreparation.Kernel) throws {
    let bytes = (0..<10 * 10 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let source = ImageSource.pixels(RawPixels(width: 10, height: 10, bands: 3, bytes: bytes[...]))
    #expect(try prepare(source, ImagePreparation(size: 10, kernel: kernel)) == bytes)
  }

  @Test(arguments: [(375, 500), (500, 375), (224, 225), (1, 1000), (30, 30)])
  func layoutsCentreTheCrop(width: Int, height: Int) {
    let layout = ImagePreparation(size: 24, fit: .crop(share: 0.75)).layout(width: width, height: height)
    #expect(min(layout.width, layout.height) == 32)
    #expect(abs(layout.width - Double(layout.cropWidth) - 2 * layout.left) <= 1)
    #expect(abs(layout.height - Double(layout.cropHeight) - 2 * layout.top) <= 1)
  }

  @Test func cropReachesOnlyItsPart() throws {
    // Black, white, black thirds: the central square is white alone.
    let row = (0..<30).map { UInt8((10..<20).contains($0) ? 255 : 0) }
    let source = ImageSource.pixels(
      RawPixels(width: 30, height: 10, bands: 1, bytes: Array(repeating: row, count: 10).flatMap { $0 }[...]))
    #expect(try prepare(source, ImagePreparation(size: 10)).allSatisfy { $0 == 255 })
  }

  @Test func preparationsAreKeptAsJSON() throws {
    let preparation = ImagePreparation(size: 224, fit: .crop(share: 0.875), kernel: .linear)
    let data = try JSONEncoder().encode(preparation)
    #expect(try JSONDecoder().decode(ImagePreparation.self, from: data) == preparation)
  }
}
