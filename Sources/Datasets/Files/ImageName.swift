/// Which files are images, by their names.
package enum ImageName {
  private static let extensions = Set(
    [
      "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "tif", "tiff", "bmp", "ppm", "pgm", "pbm", "pnm",
      "avif",
      "heic", "heif", "jp2", "jxl",
    ].map { packed($0.utf8) })

  /// Whether the name ends in an extension of an image format, in any case.
  package static func isImage(_ name: String) -> Bool {
    isImage(Array(name.utf8)[...])
  }

  static func isImage(_ name: some BidirectionalCollection<UInt8>) -> Bool {
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
    let suffix = name[name.index(after: dot)...]
    return suffix.count <= 4 && extensions.contains(packed(suffix))
  }

  /// An extension of at most four ASCII letters, in lower case, as one number.
  private static func packed(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1 >= 0x41 && $1 <= 0x5A ? $1 | 0x20 : $1) }
  }
}
