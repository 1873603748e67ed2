import CImages

/// One image of libvips, which is loaded: a header, and pixels that are decoded when they are asked for.
struct Picture: ~Copyable {
  private let image: OpaquePointer
  let header: CImageHeader

  private init?(_ image: OpaquePointer?) {
    guard let image else { return nil }
    self.image = image
    header = cimages_header(image)
  }

  /// Reads the header. `bytes` must outlive the picture.
  ///
  /// - Parameters:
  ///   - strict: whether decoding will also refuse what the decoder only warns of.
  ///   - shrink: decode at 1/shrink of the size; for JPEG only.
  init?(decoding bytes: UnsafeRawBufferPointer, format: ImageFormat, strict: Bool, shrink: Int = 1) {
    self.init(cimages_open(format.loader, bytes.baseAddress, bytes.count, strict, Int32(shrink)))
  }

  /// `pixels` must outlive the picture.
  init?(wrapping pixels: UnsafeRawBufferPointer, width: Int, height: Int, bands: Int) {
    self.init(cimages_wrap(pixels.baseAddress, pixels.count, Int32(width), Int32(height), Int32(bands)))
  }

  deinit { cimages_release(image) }

  var width: Int { Int(header.width) }
  var height: Int { Int(header.height) }
  var orientation: Orientation { Orientation(tag: Int(header.orientation)) }

  /// The same picture as 8-bit sRGB without alpha; `nil` if there is no way there.
  consuming func asRGB() -> Picture? {
    if header.rgb { return self }
    if header.alpha {
      guard let flat = Picture(cimages_flatten(image)) else { return nil }
      if flat.header.rgb { return flat }
      return Picture(cimages_to_rgb(flat.image))
    }
    return Picture(cimages_to_rgb(image))
  }

  /// Decodes, resizes and cuts out what `layout` says, in the axes of the stored picture. Only for RGB pictures.
  func resample(
    _ layout: Layout, kernel: ImagePreparation.Kernel, into destination: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let base = destination.assumingMemoryBound(to: UInt8.self).baseAddress else { return false }
    let horizontal = ResamplingAxis(
      input: width, output: layout.width, start: layout.left, count: layout.cropWidth, kernel: kernel)
    let vertical = ResamplingAxis(
      input: height, output: layout.height, start: layout.top, count: layout.cropHeight, kernel: kernel)
    return horizontal.withCAxis { horizontal in
      vertical.withCAxis { vertical in
        withUnsafePointer(to: horizontal) { horizontal in
          withUnsafePointer(to: vertical) { cimages_resample(image, horizontal, $0, base) }
        }
      }
    }
  }

  func jpeg(quality: Int) -> [UInt8]? {
    var count = 0
    guard let bytes = cimages_jpeg(image, Int32(quality), &count) else { return nil }
    defer { cimages_free(bytes) }
    return Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }
}
