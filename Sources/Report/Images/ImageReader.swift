import Images
import Torch
import Workspace

/// Decodes the workspace's images, on several threads.
struct ImageReader: Sendable {
  let workspace: Workspace
  let threads: Int
  private let access: ImageAccess

  init(_ workspace: Workspace, threads: Int) {
    self.workspace = workspace
    self.threads = threads
    access = ImageAccess(workspace)
  }

  /// Samples read from the catalogue at a time.
  private static let chunk = 1024

  /// The signatures of some images' small copies, in their order; nil if an image cannot be read.
  func signatures(_ ids: [Int], progress: @escaping @Sendable (Int) -> Void) throws -> [ImageSignature?] {
    let decoder = ImageDecoder(ImageSignature.preparation, limits: access.limits)
    return try each(ids, progress: progress) { source in
      guard let info = try? ImageInfo(source, limits: decoder.limits) else { return nil }
      return Self.pixels(source, decoder).map { bytes in
        bytes.withUnsafeBytes { ImageSignature(pixels: $0, width: info.width, height: info.height) }
      }
    }
  }

  /// JPEGs of some images, by number; images that cannot be read are left out.
  func thumbnails(
    _ ids: [Int], side: Int, progress: @escaping @Sendable (Int) -> Void
  ) throws -> [Int: [UInt8]] {
    let jpegs = try each(ids, progress: progress) { source in
      try? thumbnailJPEG(source, maximumSide: side, quality: 72, limits: access.limits)
    }
    return Dictionary(uniqueKeysWithValues: zip(ids, jpegs).compactMap { id, jpeg in jpeg.map { (id, $0) } })
  }

  /// Squares of `side` pixels, `[side, side, 3]`, in the order of `ids`.
  func tiles(_ ids: [Int], side: Int) throws -> [[UInt8]?] {
    let decoder = ImageDecoder(
      ImagePreparation(size: side, fit: .stretch, kernel: .linear), limits: access.limits)
    return try each(ids, progress: { _ in }) { Self.pixels($0, decoder) }
  }

  private static func pixels(_ source: ImageSource, _ decoder: ImageDecoder) -> [UInt8]? {
    var pixels = [UInt8](repeating: 0, count: decoder.preparation.byteCount)
    let decoded: Void? = try? pixels.withUnsafeMutableBytes { try decoder.decode(source, into: $0) }
    return decoded.map { pixels }
  }

  /// Samples in the order of their numbers, which ascend; read together where they lie close.
  private func samples(_ ids: ArraySlice<Int>) throws -> [StoredSample?] {
    guard let first = ids.first, let last = ids.last, last - first < 4 * ids.count else {
      return try ids.map { try workspace.sample($0) }
    }
    var found = Dictionary(
      uniqueKeysWithValues: try workspace.samples(in: first..<(last + 1)).map { ($0.id, $0) })
    return ids.map { found.removeValue(forKey: $0) }
  }

  private func each<Value: Sendable>(
    _ ids: [Int], progress: @escaping @Sendable (Int) -> Void,
    _ body: @escaping @Sendable (ImageSource) -> Value?
  ) throws -> [Value?] {
    var values: [Value?] = []
    values.reserveCapacity(ids.count)
    for start in stride(from: 0, to: ids.count, by: Self.chunk) {
      let samples = try samples(ids[start..<min(start + Self.chunk, ids.count)])
      values += concurrentMap(over: samples.count, threads: threads) { [access] place -> Value? in
        guard let sample = samples[place],
          let source = try? access.source(sample.location, key: sample.key)
        else { return nil }
        return body(source)
      }
      progress(values.count)
    }
    return values
  }
}
