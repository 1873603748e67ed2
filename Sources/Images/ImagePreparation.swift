/// How images become the input of a network: `[size, size, 3]`, 8-bit sRGB.
///
/// The arithmetic is Pillow's and torchvision's (`Resize`, `CenterCrop`), so networks trained there see the same
/// pixels. EXIF orientation is applied; grey becomes three equal bands; alpha is laid over white; CMYK and 16-bit
/// images are converted to sRGB. ICC profiles of RGB images are ignored, as they were when those networks were
/// trained. Of an animation or a document the first page is taken.
package struct ImagePreparation: Sendable, Hashable, Codable {
  package enum Fit: Sendable, Hashable, Codable {
    /// The shorter side becomes `size / share` pixels, and the centre is kept: `share` of the shorter side.
    /// 0 < share ≤ 1.
    case crop(share: Double)
    /// Width and height are resized independently; nothing is cut off.
    case stretch
  }

  package enum Kernel: String, Sendable, Hashable, Codable, CaseIterable {
    case linear
    /// Keys's cubic with a = −1/2, as Pillow's `BICUBIC`.
    case cubic
    case lanczos3
  }

  /// Width and height of the result, in pixels.
  package var size: Int
  package var fit: Fit
  package var kernel: Kernel

  package init(size: Int, fit: Fit = .crop(share: 1), kernel: Kernel = .cubic) {
    precondition(size > 0, "an image of \(size) pixels")
    if case .crop(let share) = fit { precondition(share > 0 && share <= 1, "a crop of share \(share)") }
    self.size = size
    self.fit = fit
    self.kernel = kernel
  }

  /// Bytes of one prepared image.
  package var byteCount: Int { size * size * 3 }

  /// The steps for an image of this size, as the viewer sees it.
  func layout(width: Int, height: Int) -> Layout {
    guard case .crop(let share) = fit else { return Layout(width: size, height: size) }
    let short = Int((Double(size) / share).rounded())
    let long = Int(Double(short) * Double(max(width, height)) / Double(min(width, height)))
    let (resizedWidth, resizedHeight) = width <= height ? (short, long) : (long, short)
    func offset(_ side: Int) -> Int { Int((Double(side - size) / 2).rounded(.toNearestOrEven)) }
    return Layout(
      width: resizedWidth, height: resizedHeight, left: offset(resizedWidth), top: offset(resizedHeight),
      cropWidth: size, cropHeight: size)
  }
}

/// A size to resize to, and the part of it that is kept. Random parts begin and end anywhere between two pixels.
struct Layout: Equatable {
  var width: Double
  var height: Double
  var left = 0.0
  var top = 0.0
  var cropWidth: Int
  var cropHeight: Int

  init(width: Int, height: Int, left: Int, top: Int, cropWidth: Int, cropHeight: Int) {
    self.width = Double(width)
    self.height = Double(height)
    self.left = Double(left)
    self.top = Double(top)
    self.cropWidth = cropWidth
    self.cropHeight = cropHeight
  }

  init(width: Int, height: Int) {
    self.init(width: width, height: height, left: 0, top: 0, cropWidth: width, cropHeight: height)
  }

  /// A part of an image of some size, resized to `size` × `size`.
  init(_ part: ImagePart, ofWidth width: Int, height: Int, size: Int) {
    let across = Double(size) / part.width
    let down = Double(size) / part.height
    self.width = Double(width) * across
    self.height = Double(height) * down
    left = part.left * across
    top = part.top * down
    cropWidth = size
    cropHeight = size
  }
}
