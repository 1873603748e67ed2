/// A small copy for a web page or a report: the whole image, upright, its longer side at most `maximumSide` pixels, never
/// enlarged. A large JPEG is decoded at a fraction of its size (shrink-on-load).
///
/// - Parameter quality: 1 to 100.
/// - Returns: the bytes of a JPEG without metadata.
package func thumbnailJPEG(
  _ source: ImageSource, maximumSide: Int, quality: Int = 80, limits: ImageLimits = ImageLimits()
) throws(ImageProblem) -> [UInt8] {
  precondition(maximumSide > 0 && (1...100).contains(quality))
  return try withOpened(source, limits: limits) { (opened: consuming OpenedImage) throws(ImageProblem) in
    let width = opened.info.width
    let height = opened.info.height
    let scale = min(1, Double(maximumSide) / Double(max(width, height)))
    func side(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
    let shownWidth = side(width)
    let shownHeight = side(height)
    let pixels = UnsafeMutableRawBufferPointer.allocate(
      byteCount: shownWidth * shownHeight * 3, alignment: 16)
    defer { pixels.deallocate() }
    try opened.render(Layout(width: shownWidth, height: shownHeight), kernel: .cubic, into: pixels)
    let small = Picture(wrapping: .init(pixels), width: shownWidth, height: shownHeight, bands: 3)
    guard let jpeg = small?.jpeg(quality: quality) else {
      throw ImageProblem(.unsupported, source, "libvips cannot write JPEG. Install libvips42 again.")
    }
    return jpeg
  }
}
