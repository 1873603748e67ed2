import CImages

/// The formats that are told apart by their first bytes. File names do not matter.
package enum ImageFormat: String, Sendable, Hashable, Codable, CaseIterable {
  case jpeg, png, webp, gif, tiff, bmp, heif, jpegXL, jpeg2000

  /// The formats that the installed libvips decodes; none where there is no libvips. `heif` includes AVIF and depends
  /// on the codecs of libheif; `bmp` goes through ImageMagick.
  package static let supported: Set<ImageFormat> = {
    guard (try? Vips.load()) != nil else { return [] }
    return Set(allCases.filter { cimages_has_loader($0.loader) })
  }()

  package var displayName: String {
    switch self {
    case .jpeg, .png, .gif, .tiff, .bmp: rawValue.uppercased()
    case .webp: "WebP"
    case .heif: "HEIF"
    case .jpegXL: "JPEG XL"
    case .jpeg2000: "JPEG 2000"
    }
  }

  /// libvips's name of the decoder. It is chosen here, so that no other decoder sees bytes of a stranger: libvips
  /// alone would also try SVG, PDF and whatever ImageMagick knows.
  var loader: String {
    switch self {
    case .jpeg: "jpegload_buffer"
    case .png: "pngload_buffer"
    case .webp: "webpload_buffer"
    case .gif: "gifload_buffer"
    case .tiff: "tiffload_buffer"
    case .bmp: "magickload_buffer"
    case .heif: "heifload_buffer"
    case .jpegXL: "jxlload_buffer"
    case .jpeg2000: "jp2kload_buffer"
    }
  }

  /// The format of an image's bytes, or of the first 26 or more of them; `nil` if they have none.
  package init?(firstBytes bytes: UnsafeRawBufferPointer) {
    func at(_ offset: Int, _ text: StaticString) -> Bool {
      guard bytes.count >= offset + text.utf8CodeUnitCount else { return false }
      return text.withUTF8Buffer { bytes[offset..<offset + $0.count].elementsEqual($0) }
    }
    func starts(_ start: [UInt8]) -> Bool { bytes.starts(with: start) }

    if starts([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if at(0, "RIFF"), at(8, "WEBP") {
      self = .webp
    } else if at(0, "GIF8") {
      self = .gif
    } else if starts([0x49, 0x49, 42, 0]) || starts([0x49, 0x49, 43, 0]) || starts([0x4D, 0x4D, 0, 42])
      || starts([0x4D, 0x4D, 0, 43])
    {
      self = .tiff
    } else if at(0, "BM"), Self.bmpSize(bytes) != nil {
      self = .bmp
    } else if at(4, "ftyp"), ["avif", "avis", "heic", "heix", "mif1"].contains(where: { at(8, $0) }) {
      self = .heif
    } else if starts([0xFF, 0x0A]) || at(4, "JXL ") {
      self = .jpegXL
    } else if at(4, "jP  ") || starts([0xFF, 0x4F, 0xFF, 0x51]) {
      self = .jpeg2000
    } else {
      return nil
    }
  }

  /// Width and height that a BMP's header states; ImageMagick is not asked, since it would decode first.
  static func bmpSize(_ bytes: UnsafeRawBufferPointer) -> (width: Int, height: Int)? {
    guard bytes.count >= 26 else { return nil }
    func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> Int {
      Int(T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self)))
    }
    switch number(14, UInt32.self) {
    case 12: return (number(18, UInt16.self), number(20, UInt16.self))
    case 40, 52, 56, 64, 108, 124: return (abs(number(18, Int32.self)), abs(number(22, Int32.self)))
    default: return nil
    }
  }

  /// Whether the mark that ends such a file is missing. Formats without one say no.
  func lacksEnd(_ bytes: UnsafeRawBufferPointer) -> Bool {
    func stated(_ offset: Int) -> Int {
      guard bytes.count >= offset + 4 else { return .max }
      return Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    /// The last bytes, without the zeros that some programs pad with.
    func ends(_ end: [UInt8]) -> Bool {
      guard let last = bytes.lastIndex(where: { $0 != 0 }) else { return false }
      return bytes[...last].suffix(end.count).elementsEqual(end)
    }
    switch self {
    case .jpeg: return !ends([0xFF, 0xD9])
    case .png: return !ends([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
    case .gif: return !ends([0x3B])
    case .webp: return stated(4) > bytes.count - 8
    case .bmp: return stated(2) > bytes.count
    case .tiff, .heif, .jpegXL, .jpeg2000: return false
    }
  }
}
