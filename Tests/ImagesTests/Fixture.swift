import Foundation

@testable import Images

/// A file beside the tests, written by `make_fixtures.py`.
func fixture(_ name: String) -> String {
  guard let folder = Bundle.module.resourceURL else { fatalError("the tests have no resources") }
  return folder.appendingPathComponent("Fixtures/\(name)").path
}

func contents(_ name: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

/// The pixels that a preparation makes of a source.
func prepare(
  _ source: ImageSource, _ preparation: ImagePreparation, limits: ImageLimits = ImageLimits()
) throws(ImageProblem) -> [UInt8] {
  let pixels = UnsafeMutableRawBufferPointer.allocate(byteCount: preparation.byteCount, alignment: 16)
  defer { pixels.deallocate() }
  try ImageDecoder(preparation, limits: limits).decode(source, into: pixels)
  return Array(pixels)
}

func prepare(_ name: String, _ size: Int, _ kernel: ImagePreparation.Kernel = .cubic) throws -> [UInt8] {
  try prepare(.file(fixture(name)), ImagePreparation(size: size, fit: .stretch, kernel: kernel))
}

/// The fault of a source; `nil` if it decodes.
func problem(
  _ source: ImageSource, limits: ImageLimits = ImageLimits(), size: Int = 8
) -> ImageProblem? {
  do throws(ImageProblem) {
    _ = try prepare(source, ImagePreparation(size: size, fit: .stretch), limits: limits)
    return nil
  } catch {
    return error
  }
}

func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
  guard a.count == b.count else { return .max }
  return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

func meanDifference(_ a: [UInt8], _ b: [UInt8]) -> Double {
  guard a.count == b.count else { return .infinity }
  return Double(zip(a, b).map { abs(Int($0) - Int($1)) }.reduce(0, +)) / Double(a.count)
}
