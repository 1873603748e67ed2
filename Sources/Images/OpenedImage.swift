import CImages

/// An image whose header has been read and found acceptable.
struct OpenedImage: ~Copyable {
  let source: ImageSource
  let info: ImageInfo
  private let picture: Picture
  private let bytes: UnsafeRawBufferPointer
  private let limits: ImageLimits

  /// Reads the header of encoded bytes.
  init(_ source: ImageSource, encoded bytes: UnsafeRawBufferPointer, limits: ImageLimits) throws(ImageProblem)
  {
    guard let format = ImageFormat(firstBytes: bytes) else {
      throw ImageProblem(
        .notAnImage, source,
        "The bytes have no known image format. Remove the file, or convert it to JPEG or PNG.")
    }
    guard ImageFormat.supported.contains(format) else {
      throw ImageProblem(
        .unsupported, source,
        "The installed libvips does not decode \(format.displayName). Convert the image to JPEG or PNG.")
    }
    if format == .bmp, let (width, height) = ImageFormat.bmpSize(bytes) {
      try Self.check(source, width: width, height: height, limits)
    }
    var opened = Picture(decoding: bytes, format: format, strict: format == .jpeg)
    if opened == nil, format == .jpeg { opened = Picture(decoding: bytes, format: format, strict: false) }
    guard let picture = opened.take() else {
      throw format.lacksEnd(bytes) ? .truncated(source) : .damaged(source, format)
    }
    try Self.check(source, width: picture.width, height: picture.height, limits)
    self.init(source, picture, format: format, bytes: bytes, limits: limits)
  }

  /// Wraps raw pixels; `bytes` are theirs.
  init(
    _ source: ImageSource, pixels: RawPixels, bytes: UnsafeRawBufferPointer, limits: ImageLimits
  ) throws(ImageProblem) {
    let width = pixels.width
    let height = pixels.height
    let bands = pixels.bands
    guard width > 0, height > 0 else { throw ImageProblem(.empty, source, "The image has no pixels.") }
    try Self.check(source, width: width, height: height, limits)
    guard bands == 1 || bands == 3, bytes.count == width * height * bands,
      let picture = Picture(wrapping: bytes, width: width, height: height, bands: bands)
    else {
      throw ImageProblem(
        .damaged, source, "\(bytes.count) bytes are not \(width)×\(height) pixels of \(bands) bands (1 or 3)."
      )
    }
    self.init(source, picture, format: nil, bytes: bytes, limits: limits)
  }

  private init(
    _ source: ImageSource, _ picture: consuming Picture, format: ImageFormat?, bytes: UnsafeRawBufferPointer,
    limits: ImageLimits
  ) {
    self.source = source
    self.bytes = bytes
    self.limits = limits
    let width = picture.width
    let height = picture.height
    let swaps = picture.orientation.swaps
    info = ImageInfo(
      width: swaps ? height : width, height: swaps ? width : height, bands: Int(picture.header.bands),
      format: format)
    self.picture = picture
  }

  fileprivate static func check(
    _ source: ImageSource, width: Int, height: Int, _ limits: ImageLimits
  ) throws(ImageProblem) {
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, pixels <= limits.pixels else {
      throw ImageProblem(
        .tooLarge, source,
        "The image is \(width)×\(height); the limit is \(limits.pixels) pixels. Make it smaller, or raise the limit: "
          + "cleannet embed --max-megapixels \(overflow ? "…" : "\((pixels + 999_999) / 1_000_000)").")
    }
  }

  /// Decodes, resizes and turns.
  ///
  /// - Parameters:
  ///   - layout: as the viewer sees it.
  ///   - destination: the layout's crop, `[height, width, 3]`.
  consuming func render(
    _ layout: Layout, kernel: ImagePreparation.Kernel, into destination: UnsafeMutableRawBufferPointer
  ) throws(ImageProblem) {
    let orientation = picture.orientation
    let stored = orientation.stored(layout)
    guard !orientation.isPlain else { return try decode(stored, kernel: kernel, into: destination) }
    let turned = UnsafeMutableRawBufferPointer.allocate(byteCount: destination.count, alignment: 16)
    defer { turned.deallocate() }
    try decode(stored, kernel: kernel, into: turned)
    orientation.show(.init(turned), width: stored.cropWidth, height: stored.cropHeight, into: destination)
  }

  private consuming func decode(
    _ stored: Layout, kernel: ImagePreparation.Kernel, into destination: UnsafeMutableRawBufferPointer
  ) throws(ImageProblem) {
    let source = source
    let bytes = bytes
    let format = info.format
    let limits = limits
    let shrink = shrink(for: stored)
    // Opened again for another size only: an open picture decodes once.
    var first: Picture? = picture
    if shrink > 1 { first = Picture(decoding: bytes, format: .jpeg, strict: true, shrink: shrink) }
    if let first = first.take(),
      try Self.resample(first, stored, kernel: kernel, into: destination, source, limits)
    {
      return
    }
    // An end mark lets libvips pass on what there is.
    if format == .jpeg, limits.takesTruncated, ImageFormat.jpeg.lacksEnd(bytes) {
      let ended = Array(bytes) + [0xFF, 0xD9]
      let isTaken = try ended.withUnsafeBufferPointer { (ended) throws(ImageProblem) -> Bool in
        guard let taken = Picture(decoding: .init(ended), format: .jpeg, strict: false, shrink: shrink) else {
          return false
        }
        return try Self.resample(taken, stored, kernel: kernel, into: destination, source, limits)
      }
      if isTaken { return }
    }
    // libjpeg fills what is missing with grey and only warns; but it warns of trifles, too.
    if format == .jpeg, let lenient = Picture(decoding: bytes, format: .jpeg, strict: false, shrink: shrink),
      try Self.resample(lenient, stored, kernel: kernel, into: destination, source, limits),
      cimages_jpeg_warnings_are_harmless(bytes.baseAddress, bytes.count)
    {
      return
    }
    guard let format else { throw ImageProblem(.unreadable, source, "There is not enough memory.") }
    guard format.lacksEnd(bytes) else { throw .damaged(source, format) }
    throw format == .jpeg ? .truncatedJPEG(source) : .truncated(source)
  }

  /// - Returns: whether the pixels could be decoded.
  private static func resample(
    _ picture: consuming Picture, _ stored: Layout, kernel: ImagePreparation.Kernel,
    into destination: UnsafeMutableRawBufferPointer, _ source: ImageSource, _ limits: ImageLimits
  ) throws(ImageProblem) -> Bool {
    guard let rgb = picture.asRGB(), rgb.header.rgb else {
      throw ImageProblem(
        .unsupported, source,
        "The image's kind of pixels cannot be converted to RGB. Convert it to JPEG or PNG.")
    }
    // A line of pixels stretched to a square would need a table of weights larger than any image.
    let weights = max(
      ResamplingAxis.span(input: rgb.width, output: stored.width, kernel: kernel) * stored.cropWidth,
      ResamplingAxis.span(input: rgb.height, output: stored.height, kernel: kernel) * stored.cropHeight)
    guard weights <= limits.pixels else {
      throw ImageProblem(.tooLarge, source, "The image is too long and narrow to be resized. Crop it.")
    }
    return rgb.resample(stored, kernel: kernel, into: destination)
  }

  /// By how much a JPEG may be decoded smaller, which is faster. That averages blocks, which is no good kernel, so at
  /// least half of the way is left to the real one.
  private func shrink(for stored: Layout) -> Int {
    guard info.format == .jpeg else { return 1 }
    let ratio = min(Double(picture.width) / stored.width, Double(picture.height) / stored.height)
    return ratio >= 16 ? 8 : ratio >= 8 ? 4 : ratio >= 4 ? 2 : 1
  }
}

/// Reads and opens an image for the time of `body`.
///
/// - Parameter most: how many bytes to try first; more are read where they do not suffice.
func withOpened<R>(
  _ source: ImageSource, limits: ImageLimits, most: Int = .max,
  _ body: (consuming OpenedImage) throws(ImageProblem) -> R
) throws(ImageProblem) -> R {
  do throws(VipsError) { try Vips.load() } catch { throw ImageProblem(.unsupported, source, "\(error)") }
  let path: String
  let offset: Int64
  let length: Int64?
  switch source {
  case .file(let file):
    path = file
    offset = 0
    length = nil
  case .bytes(let file, let start, let count):
    path = file
    offset = start
    length = count
  case .encoded(_, let bytes):
    try EncodedBytes.check(source, count: Int64(bytes.count), limits)
    return try bytes.withUnsafeBufferPointer { (bytes) throws(ImageProblem) in
      try withEncoded(source, .init(bytes), limits: limits, body)
    }
  case .pixels(let pixels):
    return try pixels.bytes.withUnsafeBufferPointer { (bytes) throws(ImageProblem) in
      try body(OpenedImage(source, pixels: pixels, bytes: .init(bytes), limits: limits))
    }
  }
  if most < .max {
    let start = try EncodedBytes.read(
      source, path: path, offset: offset, length: length, limits: limits, most: most)
    do {
      return try withEncoded(source, start.bytes, limits: limits, body)
    } catch {
      guard start.isPrefix, error.kind != .notAnImage, error.kind != .tooLarge else { throw error }
    }
  }
  let whole = try EncodedBytes.read(source, path: path, offset: offset, length: length, limits: limits)
  return try withEncoded(source, whole.bytes, limits: limits, body)
}

/// Opens encoded bytes for the time of `body`.
private func withEncoded<R>(
  _ source: ImageSource, _ bytes: UnsafeRawBufferPointer, limits: ImageLimits,
  _ body: (consuming OpenedImage) throws(ImageProblem) -> R
) throws(ImageProblem) -> R {
  guard Netpbm.begins(bytes) else { return try body(OpenedImage(source, encoded: bytes, limits: limits)) }
  guard let image = Netpbm(bytes) else {
    throw ImageProblem(
      .damaged, source,
      "The image begins as PBM, PGM or PPM, but its header is not valid. Get it again, or remove it.")
  }
  try OpenedImage.check(source, width: image.width, height: image.height, limits)
  guard let pixels = image.pixels(bytes) else { throw .truncated(source) }
  return try pixels.withUnsafeBufferPointer { (pixels) throws(ImageProblem) in
    let raw = RawPixels(width: image.width, height: image.height, bands: image.bands, bytes: [])
    return try body(OpenedImage(source, pixels: raw, bytes: .init(pixels), limits: limits))
  }
}
