import Datasets
import Foundation
import Images
import Testing
import Torch
import Workspace

@testable import Report

/// On images of Fashion-MNIST.
@Suite struct ImageTests {
  private let files = try? IDXFile(path: "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")

  private func pixels(_ index: Int, mirrored: Bool = false) throws -> RawPixels {
    let bytes = try #require(files).bytes[(index * 784)..<((index + 1) * 784)]
    let turned =
      mirrored ? (0..<784).map { bytes[bytes.startIndex + $0 / 28 * 28 + 27 - $0 % 28] }[...] : bytes
    return RawPixels(width: 28, height: 28, bands: 1, bytes: turned)
  }

  private func signature(_ source: ImageSource) throws -> ImageSignature {
    var bytes = [UInt8](repeating: 0, count: ImageSignature.preparation.byteCount)
    try bytes.withUnsafeMutableBytes { try ImageDecoder(ImageSignature.preparation).decode(source, into: $0) }
    let info = try ImageInfo(source)
    return bytes.withUnsafeBytes { ImageSignature(pixels: $0, width: info.width, height: info.height) }
  }

  @Test func copiesAreKnownAndOthersAreNot() throws {
    let image = try signature(.pixels(pixels(0)))
    let jpeg = try thumbnailJPEG(.pixels(pixels(0)), maximumSide: 28, quality: 70)
    let again = try signature(.encoded(name: "picture", bytes: jpeg))
    let mirror = try signature(.pixels(pixels(0, mirrored: true)))
    #expect(try image.content == signature(.pixels(pixels(0))).content && image.content != again.content)
    #expect(image.correlation(again) > 0.985 && image.correlation(mirror) > 0.999)
    #expect((image.hash ^ again.hash).nonzeroBitCount <= 6)
    // An ankle boot, then a pullover, trousers, a shirt.
    for index in 1...6 { #expect(try image.correlation(signature(.pixels(pixels(index)))) < 0.95) }
  }

  @Test func brightnessAndSharpnessAreMeasured() throws {
    func grey(_ side: Int, _ value: (Int, Int) -> Double) throws -> ImageSignature {
      let bytes = (0..<side * side).map { UInt8(255 * value($0 / side, $0 % side)) }
      return try signature(.pixels(RawPixels(width: side, height: side, bands: 1, bytes: bytes[...])))
    }
    let flat = try grey(128) { _, _ in 0.2 }
    #expect(abs(flat.luminance - 0.2) < 0.01 && flat.contrast < 1e-3 && flat.sharpness == 0)
    let board = try grey(128) { ($0 / 8 + $1 / 8) % 2 == 0 ? 0.1 : 0.9 }
    #expect(abs(board.luminance - 0.5) < 0.01 && abs(board.contrast - 0.4) < 0.01)
    let wave = try grey(128) { row, _ in 0.5 + 0.4 * sin(Double(row) / 20) }
    #expect(board.sharpness > 10 * wave.sharpness)
  }

  @Test func duplicatesAreFoundByPictureAlone() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ jpeg: [UInt8], _ name: String) throws {
      let file = folder.appendingPathComponent("images/\(name)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(jpeg).write(to: file)
    }
    for index in 0..<8 {
      let jpeg = try thumbnailJPEG(.pixels(pixels(index)), maximumSide: 28, quality: 95)
      try write(jpeg, "a/\(index).jpg")
      if index == 0 { try write(jpeg, "b/same.jpg") }
      if index == 1 {
        try write(
          thumbnailJPEG(.encoded(name: "picture", bytes: jpeg), maximumSide: 28, quality: 70), "a/again.jpg")
      }
    }
    let workspace = try Workspace(path: folder.appendingPathComponent("w").path, create: true)
    let source = folder.appendingPathComponent("images").path
    try workspace.importSamples(
      from: try DatasetReader.open(source: source, options: DatasetOptions()),
      source: try DatasetSource(path: source))
    let table = try LabelTable(workspace)
    let ids = Array(0..<table.count)
    let signatures = try ImageReader(workspace, threads: 2).signatures(ids) { _ in }
    let found = DuplicateFinder(table: table, ids: ids, signatures: signatures, features: nil, threads: 2)
      .find()
    let names = try found.groups.map { group in
      Set(
        try group.map {
          try workspace.sample($0)?.path.split(separator: "/").suffix(2).joined(separator: "/")
        })
    }
    #expect(names == [["a/0.jpg", "b/same.jpg"], ["a/1.jpg", "a/again.jpg"]])
    #expect(found.data.exactGroups == 1 && found.data.nearGroups == 1 && found.data.images == 4)
    #expect(found.data.acrossLabels == 1 && found.data.acrossSplits == 0 && found.data.hidden == nil)

    // A crowd of pictures whose hashes are the same; two of them, far apart, are copies of each other.
    var numbers = SplitMix64(seed: 0)
    func number() -> Float { Float(numbers.next() >> 40) / Float(1 << 24) - 0.5 }
    let one = try #require(signatures[0])
    var crowd = (0..<1000).map { place in
      var signature = one
      signature.hash = 0
      signature.content = UInt64(place)
      signature.luminance = Double(number())
      signature.patches = one.patches.map { _ in number() * Float(12.0 / 256).squareRoot() }
      return signature as ImageSignature?
    }
    var copy = try #require(crowd[3])
    copy.luminance += 1e-3
    copy.content = 990
    crowd[990] = copy
    let inCrowd = DuplicateFinder(
      table: table, ids: crowd.indices.map { $0 % 10 }, signatures: crowd, features: nil, threads: 2
    ).find()
    #expect(inCrowd.groups == [[3, 0]] && inCrowd.data.nearGroups == 1)

    let checks = try CheckGatherer(workspace: workspace, table: table, ids: ids, signatures: signatures)
      .checks()
    let tiny = try #require(checks.checks.first { $0.name == "Tiny" })
    // All of them are, which is no finding.
    #expect(tiny.count == 10 && tiny.hidden != nil && tiny.images.isEmpty)
  }

  @Test func spritesHoldTheirPictures() throws {
    let tile = { (value: UInt8) in [UInt8](repeating: value, count: 16 * 16 * 3) }
    let sprite = try #require(Sprite([tile(250), nil, tile(10), tile(10), tile(120)], side: 16))
    #expect(sprite.layout.columns == 3 && sprite.layout.pictures == 4)
    let info = try ImageInfo(.encoded(name: "picture", bytes: sprite.jpeg))
    #expect(info.width == 48 && info.height == 32)
    #expect(Sprite([nil, nil], side: 16) == nil)
  }
}
