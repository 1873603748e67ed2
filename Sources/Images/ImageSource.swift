/// Where the bytes of one image come from.
package enum ImageSource: Sendable, Hashable {
  /// A file of its own.
  case file(String)
  /// `length` bytes from `offset` of a file: a member stored in a tar archive.
  case bytes(file: String, offset: Int64, length: Int64)
  /// An encoded image at hand, such as one that was unpacked, and what messages call it.
  case encoded(name: String, bytes: [UInt8])
  /// Pixels at hand, for example one image of an IDX file.
  case pixels(RawPixels)

  /// The image's name in messages.
  var name: String {
    switch self {
    case .file(let path): path
    case .bytes(let file, let offset, let length): "\(file) (\(length) bytes at \(offset))"
    case .encoded(let name, _): name
    case .pixels(let pixels): "pixels (\(pixels.width)×\(pixels.height))"
    }
  }
}

/// Pixels of 8 bits a band, `[height, width, bands]`: grey (1 band) or RGB (3).
package struct RawPixels: Sendable, Hashable {
  package var width: Int
  package var height: Int
  package var bands: Int
  package var bytes: ArraySlice<UInt8>

  package init(width: Int, height: Int, bands: Int, bytes: ArraySlice<UInt8>) {
    self.width = width
    self.height = height
    self.bands = bands
    self.bytes = bytes
  }
}
