/// Addresses of images on the web, and the names of the files that they are kept in once they are downloaded.
package enum ImageAddress {
  /// Whether a text is an address (`http://…` or `https://…`) rather than a path.
  package static func isAddress(_ text: String) -> Bool {
    guard text.utf8.first.map({ $0 | 0x20 }) == UInt8(ascii: "h") else { return false }
    let start = text.utf8.prefix(8).map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
    return start.starts(with: "http://".utf8) || start.starts(with: "https://".utf8)
  }

  /// The file's name below the folder of downloads, such as `3f/3f…c2.jpg`: two digits, so that no folder holds millions
  /// of files, then the address's 128-bit FNV-1a hash, and the extension if it is an image's.
  ///
  /// It depends on the address alone, so a download is found again whatever list names it.
  package static func fileName(of address: String) -> String {
    var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
    for byte in address.utf8 {
      hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B
    }
    let digits = String(hash, radix: 16)
    let name = String(repeating: "0", count: 32 - digits.count) + digits
    return "\(name.prefix(2))/\(name)\(suffix(of: address))"
  }

  /// The last part of an address's path, without what follows `?` or `#`: how its owner names the image.
  static func shownName(of address: String) -> String {
    let path = address.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    guard let slash = path.lastIndex(of: .slash) else { return "" }
    return String(path[path.index(after: slash)...]) ?? ""
  }

  private static func suffix(of address: String) -> String {
    let name = shownName(of: address)
    guard ImageName.isImage(name), let parts = name.parted(atLast: UInt8(ascii: ".")) else { return "" }
    return "." + parts.after.lowercased()
  }
}
