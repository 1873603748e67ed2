import Foundation
import Testing

@testable import Images

@Suite struct NetpbmTests {
  private func image(_ text: String, _ bytes: [UInt8] = []) -> ImageSource {
    .encoded(name: "x", bytes: Array(text.utf8) + bytes)
  }

  @Test(
    arguments: [
      ("P1\n2 2\n1 0\n01\n", [], [0, 255, 255, 0]),
      ("P4\n2 2\n", [0b1000_0000, 0b0100_0000], [0, 255, 255, 0]),
      ("P2 2 2 15\n0 15\n15 0", [], [0, 255, 255, 0]),
      ("P5\n# by hand\n2 2\n255\n", [0, 255, 255, 0], [0, 255, 255, 0]),
      ("P5 2 2 65535\n", [0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0], [0, 255, 255, 0]),
    ] as [(String, [UInt8], [UInt8])])
  func greyKindsGiveThePixels(header: String, bytes: [UInt8], expected: [UInt8]) throws {
    let info = try ImageInfo(image(header, bytes))
    #expect((info.width, info.height) == (2, 2))
    #expect(
      try prepare(image(header, bytes), ImagePreparation(size: 2, fit: .stretch))
        == expected.flatMap { [$0, $0, $0] })
  }

  @Test(arguments: ["P3\n1 1\n255\n9 8 7\n", "P6\n1 1\n255\n"])
  func colorsKeepTheirOrder(header: String) throws {
    let source = image(header, header.hasPrefix("P6") ? [9, 8, 7] : [])
    #expect(try prepare(source, ImagePreparation(size: 1, fit: .stretch)) == [9, 8, 7])
  }

  @Test func whatIsCutShortOrAbsurdIsRefused() {
    func kind(_ source: ImageSource) -> ImageProblem.Kind? {
      do throws(ImageProblem) {
        _ = try prepare(source, ImagePreparation(size: 2, fit: .stretch))
        return nil
      } catch {
        return error.kind
      }
    }
    #expect(kind(image("P5 2 2 255\n", [1, 2, 3])) == .truncated)
    #expect(kind(image("P6 900000 900000 255\n", [1])) == .tooLarge)
    #expect(kind(image("P5 x")) == .damaged)
    #expect(kind(image("P2 2 2 3\n9 9 9 9")) == .truncated)
  }
}
