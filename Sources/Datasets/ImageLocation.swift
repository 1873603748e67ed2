/// Where the bytes of an image lie.
public enum ImageLocation: Sendable, Hashable {
  /// A file of its own, by absolute path.
  case file(String)
  /// A member stored, uncompressed, in an archive: `length` bytes from `offset`.
  case archiveMember(archive: String, offset: Int64, length: Int64)
  /// A member of a zip file, deflated: `length` bytes from `offset` that unpack to `size`.
  case deflatedMember(archive: String, offset: Int64, length: Int64, size: Int64)
  /// Image `index` (from 0) of an IDX file, which may be gzipped.
  case idx(file: String, index: Int)
  /// Pixels without a header from `offset` of a file: all reds, then all greens, then all blues, row by row, a byte
  /// each, as CIFAR keeps them.
  case planes(file: String, offset: Int64, width: Int, height: Int)
  /// There is no image, only features.
  case none

  /// The file that the image is, or lies in; nil for samples that came as features.
  public var file: String? {
    switch self {
    case .file(let path), .archiveMember(let path, _, _), .deflatedMember(let path, _, _, _),
      .idx(let path, _),
      .planes(let path, _, _, _):
      path
    case .none: nil
    }
  }

  /// The file that holds other images, too, where the image is none of its own.
  public var container: String? {
    if case .file = self { nil } else { file }
  }

  /// A compact, reversible text form for the database. Absolute paths stay as they are.
  public var encoded: String {
    switch self {
    case .file(let path): path.utf8.first == UInt8(ascii: "/") ? path : "file:\(path)"
    case .archiveMember(let archive, let offset, let length): "tar:\(offset):\(length):\(archive)"
    case .deflatedMember(let archive, let offset, let length, let size):
      "zip:\(offset):\(length):\(size):\(archive)"
    case .idx(let file, let index): "idx:\(index):\(file)"
    case .planes(let file, let offset, let width, let height): "rgb:\(offset):\(width):\(height):\(file)"
    case .none: ""
    }
  }

  /// Reads back what `encoded` wrote; `nil` if the text is none of its forms.
  public init?(encoded: String) {
    if encoded.isEmpty {
      self = .none
      return
    }
    if encoded.utf8.first == UInt8(ascii: "/") {
      self = .file(encoded)
      return
    }
    // Split on bytes: a path may begin with a combining character, which would join the colon before it.
    let bytes = encoded.utf8
    guard let scheme = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let rest = encoded[bytes.index(after: scheme)...]
    switch encoded[..<scheme] {
    case "file":
      self = .file(String(rest))
    case "tar":
      guard let (offset, afterOffset) = Self.leadingNumber(rest),
        let (length, archive) = Self.leadingNumber(afterOffset)
      else { return nil }
      self = .archiveMember(archive: String(archive), offset: offset, length: length)
    case "zip":
      guard let (offset, afterOffset) = Self.leadingNumber(rest),
        let (length, afterLength) = Self.leadingNumber(afterOffset),
        let (size, archive) = Self.leadingNumber(afterLength)
      else { return nil }
      self = .deflatedMember(archive: String(archive), offset: offset, length: length, size: size)
    case "idx":
      guard let (number, file) = Self.leadingNumber(rest), let index = Int(exactly: number) else {
        return nil
      }
      self = .idx(file: String(file), index: index)
    case "rgb":
      guard let (offset, afterOffset) = Self.leadingNumber(rest),
        let (width, afterWidth) = Self.leadingNumber(afterOffset),
        let (height, file) = Self.leadingNumber(afterWidth), width < 1 << 20, height < 1 << 20
      else { return nil }
      self = .planes(file: String(file), offset: offset, width: Int(width), height: Int(height))
    default:
      return nil
    }
  }

  private static func leadingNumber(_ text: Substring) -> (Int64, Substring)? {
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let number = Int64(text[..<colon]), number >= 0
    else { return nil }
    return (number, text[bytes.index(after: colon)...])
  }
}
