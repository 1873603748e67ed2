/// Why one image cannot be used. Its kind depends on the image alone, never on timing or the number of threads.
package struct ImageProblem: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Kind: String, Sendable, Codable, CaseIterable {
    /// There is no such file.
    case missing
    /// The file's permissions forbid reading it.
    case notPermitted
    /// A folder, pipe or device.
    case notAFile
    /// The operating system cannot read it.
    case unreadable
    /// There are no bytes.
    case empty
    /// The bytes have no known image format.
    case notAnImage
    /// An image format, or a variety of one, that this libvips cannot decode; or there is no libvips.
    case unsupported
    /// The end is missing.
    case truncated
    /// The bytes do not decode.
    case damaged
    /// Beyond the limits of ``ImageLimits``.
    case tooLarge
  }

  package let kind: Kind
  /// The file, archive member or pixels.
  package let image: String
  /// The fault and its remedy, in a sentence or two.
  package let explanation: String

  package init(kind: Kind, image: String, explanation: String) {
    self.kind = kind
    self.image = image
    self.explanation = explanation
  }

  package var description: String { "\(image): \(explanation)" }
}

extension ImageProblem {
  init(_ kind: Kind, _ source: ImageSource, _ explanation: String) {
    self.init(kind: kind, image: source.name, explanation: explanation)
  }

  static func truncated(_ source: ImageSource) -> Self {
    Self(.truncated, source, "The image is truncated: its end is missing. Download or copy it again.")
  }

  static func truncatedJPEG(_ source: ImageSource) -> Self {
    Self(
      .truncated, source,
      "The image is truncated: its end is missing. Download or copy it again, or accept truncated images: "
        + "cleannet embed --take-truncated.")
  }

  static func damaged(_ source: ImageSource, _ format: ImageFormat) -> Self {
    Self(
      .damaged, source,
      "The image begins as \(format.displayName), but does not decode. Download or copy it again, or remove it."
    )
  }
}

/// Limits that are checked before any pixel is decoded, so that a hostile or absurd file costs nothing.
package struct ImageLimits: Sendable, Hashable {
  /// Width × height, as the header states them.
  package var pixels: Int
  /// Size of the encoded image.
  package var bytes: Int
  /// Whether a JPEG whose end is missing is taken as it is, with grey where pixels are missing.
  package var takesTruncated: Bool

  package init(pixels: Int = 100_000_000, bytes: Int = 512 << 20, takesTruncated: Bool = false) {
    self.pixels = pixels
    self.bytes = bytes
    self.takesTruncated = takesTruncated
  }
}
