/// Turns images into the input of a network, one at a time, on the thread that calls. Usable from any number of
/// threads at once.
public struct ImageDecoder: Sendable {
  public let preparation: ImagePreparation
  public let limits: ImageLimits

  public init(_ preparation: ImagePreparation, limits: ImageLimits = ImageLimits()) {
    self.preparation = preparation
    self.limits = limits
  }

  /// Reads, decodes and resizes one image.
  ///
  /// - Parameter destination: ``ImagePreparation/byteCount`` bytes; becomes `[size, size, 3]`, RGB. After an error
  ///   its content is undefined.
  public func decode(
    _ source: ImageSource, into destination: UnsafeMutableRawBufferPointer
  ) throws(ImageProblem) {
    precondition(destination.count == preparation.byteCount, "the destination is not of the image's size")
    try withOpened(source, limits: limits) { (opened: consuming OpenedImage) throws(ImageProblem) in
      let layout = preparation.layout(width: opened.info.width, height: opened.info.height)
      try opened.render(layout, kernel: preparation.kernel, into: destination)
    }
  }

  /// Decodes several images, on the thread that calls.
  ///
  /// - Parameter indices: what the batch calls the images; by default 0, 1, ….
  public func decodeBatch(_ sources: some Collection<ImageSource>, indices: Range<Int>? = nil) -> ImageBatch {
    let indices = indices ?? 0..<sources.count
    precondition(indices.count == sources.count, "one index an image")
    let unfinished = UnfinishedBatch(indices: indices, preparation: preparation)
    for (slot, source) in sources.enumerated() { unfinished.fill(slot, with: source, by: self) }
    return unfinished.finish()
  }
}

/// What an image's header says.
public struct ImageInfo: Sendable, Hashable {
  /// Width and height as the viewer sees them, EXIF orientation applied.
  public let width: Int
  public let height: Int
  /// As stored: 1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha or CMYK.
  public let bands: Int
  /// `nil` for raw pixels.
  public let format: ImageFormat?

  /// Reads as little of the image as its format allows.
  public init(_ source: ImageSource, limits: ImageLimits = ImageLimits()) throws(ImageProblem) {
    self = try withOpened(source, limits: limits, most: 64 << 10) { $0.info }
  }

  init(width: Int, height: Int, bands: Int, format: ImageFormat?) {
    self.width = width
    self.height = height
    self.bands = bands
    self.format = format
  }
}

/// A small copy for a web page: the whole image, its longer side at most `maximumSide` pixels, never enlarged.
///
/// - Parameter quality: 1 to 100.
/// - Returns: the bytes of a JPEG without metadata.
public func thumbnailJPEG(
  _ source: ImageSource, maximumSide: Int, quality: Int = 80, limits: ImageLimits = ImageLimits()
) throws(ImageProblem) -> [UInt8] {
  precondition(maximumSide > 0 && (1...100).contains(quality))
  return try withOpened(source, limits: limits) { (opened: consuming OpenedImage) throws(ImageProblem) in
    let (width, height) = (opened.info.width, opened.info.height)
    let scale = min(1, Double(maximumSide) / Double(max(width, height)))
    func side(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
    let layout = Layout(width: side(width), height: side(height))
    let pixels = UnsafeMutableRawBufferPointer.allocate(
      byteCount: layout.width * layout.height * 3, alignment: 16)
    defer { pixels.deallocate() }
    try opened.render(layout, kernel: .cubic, into: pixels)
    let small = Picture(wrapping: .init(pixels), width: layout.width, height: layout.height, bands: 3)
    guard let jpeg = small?.jpeg(quality: quality) else {
      throw ImageProblem(.unsupported, source, "libvips cannot write JPEG. Install libvips-dev again.")
    }
    return jpeg
  }
}
