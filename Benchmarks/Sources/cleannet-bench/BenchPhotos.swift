import Datasets
import Foundation
import Images
import Torch

/// JPEG files to measure with, in two folders.
struct BenchPhotos: Sendable {
  var count: Int
  /// A tar file of photos to make them from; nil: they are made up.
  var photos: String?

  /// Photos scaled to about 500×375, or colored noise that JPEG finds about as hard.
  func write(to folder: String, threads: Int) throws -> [String] {
    var sources: [ImageLocation] = []
    if let photos {
      try DatasetReader.open(
        source: photos,
        options: {
          var o = DatasetOptions(); o.format = "tar"; return o
        }()
      )
      .read { sources.append($0.location) }
    }
    let sources_ = sources
    try FileManager.default.createDirectory(atPath: folder + "/a", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: folder + "/b", withIntermediateDirectories: true)
    concurrently(over: count, threads: threads) { index in
      let name = "\(folder)/\(index % 2 == 0 ? "a" : "b")/\(index).jpg"
      let pixels: RawPixels
      if case .archiveMember(let archive, let offset, let length)? = sources_.isEmpty
        ? nil : sources_[index % sources_.count]
      {
        pixels =
          Self.enlarged(.bytes(file: archive, offset: offset, length: length)) ?? Self.noise(seed: index)
      } else {
        pixels = Self.noise(seed: index)
      }
      if let jpeg = try? thumbnailJPEG(.pixels(pixels), maximumSide: 500, quality: 90) {
        try? Data(jpeg).write(to: URL(fileURLWithPath: name))
      }
    }
    return (0..<count).map { "\(folder)/\($0 % 2 == 0 ? "a" : "b")/\($0).jpg" }
  }

  /// A photo at 500 × 500, of which 375 rows are taken.
  private static func enlarged(_ source: ImageSource) -> RawPixels? {
    let batch = ImageDecoder(ImagePreparation(size: 500, fit: .stretch)).decodeBatch([source])
    guard batch.count == 1 else { return nil }
    let bytes = batch.withUnsafePixels { Array($0) }
    return RawPixels(width: 500, height: 375, bands: 3, bytes: bytes[0..<(500 * 375 * 3)])
  }

  private static func noise(seed: Int) -> RawPixels {
    var random = SplitMix64(seed: UInt64(seed))
    var bytes = [UInt8](repeating: 0, count: 500 * 375 * 3)
    var value = 128.0
    for place in bytes.indices {
      value += Double.random(in: -14...14, using: &random) + (128 - value) * 0.02
      bytes[place] = UInt8(max(0, min(255, value)))
    }
    return RawPixels(width: 500, height: 375, bands: 3, bytes: bytes[...])
  }
}
