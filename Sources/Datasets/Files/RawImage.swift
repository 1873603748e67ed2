/// Images that are bare pixels, plane by plane, in a file of many.
package enum RawImage {
  /// The pixels of an `ImageLocation.planes`, as `[height, width, 3]`.
  ///
  /// - Throws: `DatasetProblems` if the file is not there or too short.
  package static func interleaved(
    file: String, offset: Int64, width: Int, height: Int
  ) throws(DatasetProblems) -> [UInt8] {
    try interleaved(Descriptor(reading: file), offset, width: width, height: height)
  }

  static func interleaved(
    _ file: Descriptor, _ offset: Int64, width: Int, height: Int
  ) throws(DatasetProblems) -> [UInt8] {
    let area = width * height
    let planes = try file.bytes(at: offset, count: 3 * area)
    return [UInt8](unsafeUninitializedCapacity: 3 * area) { pixels, count in
      for index in 0..<area {
        for plane in 0..<3 { pixels[3 * index + plane] = planes[plane * area + index] }
      }
      count = 3 * area
    }
  }
}
