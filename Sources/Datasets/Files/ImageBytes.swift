import Foundation

/// Reads the bytes of images from wherever they lie, each as a whole image file.
///
/// Images that are bare pixels become PGM or PPM files, which is a header and the pixels.
package final class ImageBytes {
  private var archive: Descriptor?
  private var idx: IDXFile?

  package init() {}

  /// - Throws: `DatasetProblems` if they cannot be read.
  package func read(_ location: ImageLocation, key: String) throws(DatasetProblems) -> [UInt8] {
    switch location {
    case .file(let path):
      let file = try Descriptor(reading: path)
      return try file.bytes(at: 0, count: Int(file.size))
    case .archiveMember(let path, let offset, let length):
      return try open(path).bytes(at: offset, count: Int(length))
    case .deflatedMember(let path, let offset, let length, let size):
      return try Inflation.bytes(
        open(path), ArchiveMember(offset: offset, length: length, inflatedLength: size))
    case .planes(let path, let offset, let width, let height):
      let pixels = try RawImage.interleaved(open(path), offset, width: width, height: height)
      return Array("P6\n\(width) \(height)\n255\n".utf8) + pixels
    case .idx(let path, let index):
      let (pixels, size) = try pixels(path, index)
      return Array("P5\n\(size[1]) \(size[0])\n255\n".utf8) + pixels
    case .none:
      throw Self.missing(key)
    }
  }

  /// The pixels of an image of an IDX file, and its height and width.
  func pixels(_ path: String, _ index: Int) throws(DatasetProblems) -> (ArraySlice<UInt8>, size: [Int]) {
    if idx?.path != path { idx = try IDXFile(path: path) }
    guard let idx, idx.shape.count == 3, index < idx.shape[0] else {
      throw DatasetProblems(
        DatasetProblem(file: path, what: "has no image \(index)", remedy: "Import the data set again"))
    }
    let area = idx.shape[1] * idx.shape[2]
    return (idx.bytes[(index * area)..<((index + 1) * area)], Array(idx.shape[1...]))
  }

  /// Some bytes of a file.
  func raw(_ path: String, _ offset: Int64, count: Int) throws(DatasetProblems) -> [UInt8] {
    try open(path).bytes(at: offset, count: count)
  }

  static func missing(_ key: String) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: key, what: "was imported as features, without an image",
        remedy: "Export a manifest or cleannet-tsv"))
  }

  private func open(_ path: String) throws(DatasetProblems) -> Descriptor {
    if let archive, archive.path == path { return archive }
    let opened = try Descriptor(reading: path)
    archive = opened
    return opened
  }

  /// The extension that the bytes should be named by, without a dot, in lower case.
  static func suffix(_ sample: Sample) -> String {
    switch sample.location {
    case .idx: return "pgm"
    case .planes: return "ppm"
    case .file(let path): return suffix(path) ?? suffix(sample.path) ?? "jpg"
    case .archiveMember, .deflatedMember, .none: return suffix(sample.path) ?? "jpg"
    }
  }

  private static func suffix(_ path: String) -> String? {
    guard ImageName.isImage(path) else { return nil }
    return path.parted(atLast: UInt8(ascii: "."))?.after.lowercased()
  }
}
