/// Turns images into the input of a network, one at a time, on the thread that calls. Usable from any number of
/// threads at once.
package struct ImageDecoder: Sendable {
  package let preparation: ImagePreparation
  package let limits: ImageLimits

  package init(_ preparation: ImagePreparation, limits: ImageLimits = ImageLimits()) {
    self.preparation = preparation
    self.limits = limits
  }

  /// Reads, decodes and resizes one image.
  ///
  /// - Parameter destination: ``ImagePreparation/byteCount`` bytes; becomes `[size, size, 3]`, RGB. After an error
  ///   its content is undefined.
  package func decode(
    _ source: ImageSource, into destination: UnsafeMutableRawBufferPointer
  ) throws(ImageProblem) {
    precondition(destination.count == preparation.byteCount, "the destination is not of the image's size")
    try withOpened(source, limits: limits) { (opened: consuming OpenedImage) throws(ImageProblem) in
      let layout = preparation.layout(width: opened.info.width, height: opened.info.height)
      try opened.render(layout, kernel: preparation.kernel, into: destination)
    }
  }

  /// The same of a random part of the image; equal generators choose alike.
  package func decode(
    _ source: ImageSource, into destination: UnsafeMutableRawBufferPointer, augmentation: Augmentation,
    using random: inout some RandomNumberGenerator
  ) throws(ImageProblem) {
    precondition(destination.count == preparation.byteCount, "the destination is not of the image's size")
    let size = preparation.size
    let mirrored = try withOpened(source, limits: limits) {
      (opened: consuming OpenedImage) throws(ImageProblem) in
      let width = opened.info.width
      let height = opened.info.height
      let (part, mirrored) = augmentation.draw(width: width, height: height, using: &random)
      let layout = Layout(part, ofWidth: width, height: height, size: size)
      try opened.render(layout, kernel: preparation.kernel, into: destination)
      return mirrored
    }
    if mirrored { Self.mirror(destination, size: size) }
  }

  /// Exchanges left and right of `[size, size, 3]`.
  private static func mirror(_ pixels: UnsafeMutableRawBufferPointer, size: Int) {
    for row in 0..<size {
      var left = row * size * 3
      var right = (row * size + size - 1) * 3
      while left < right {
        for band in 0..<3 { pixels.swapAt(left + band, right + band) }
        left += 3
        right -= 3
      }
    }
  }

  /// Decodes several images, on the thread that calls.
  ///
  /// - Parameter indices: The batch's numbers of the images; by default 0, 1, ….
  package func decodeBatch(_ sources: some Collection<ImageSource>, indices: Range<Int>? = nil) -> ImageBatch
  {
    let indices = indices ?? 0..<sources.count
    precondition(indices.count == sources.count, "one index an image")
    let unfinished = UnfinishedBatch(indices: indices, preparation: preparation)
    for (slot, source) in sources.enumerated() {
      unfinished.fill(slot) { (place) throws(ImageProblem) in try decode(source, into: place) }
    }
    return unfinished.finish()
  }
}

/// The facts in an image's header.
package struct ImageInfo: Sendable, Hashable {
  /// Width and height as the viewer sees them, EXIF orientation applied.
  package let width: Int
  package let height: Int
  /// As stored: 1 grey, 2 grey and alpha, 3 colors, 4 colors and alpha or CMYK.
  package let bands: Int
  /// `nil` for raw pixels.
  package let format: ImageFormat?

  /// Reads as little of the image as its format allows.
  package init(_ source: ImageSource, limits: ImageLimits = ImageLimits()) throws(ImageProblem) {
    self = try withOpened(source, limits: limits, most: 64 << 10) { $0.info }
  }

  init(width: Int, height: Int, bands: Int, format: ImageFormat?) {
    self.width = width
    self.height = height
    self.bands = bands
    self.format = format
  }
}
