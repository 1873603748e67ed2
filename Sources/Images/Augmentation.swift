import Foundation

/// Random changes that leave an image's class as it is: a part of it, resized to the whole, and perhaps mirrored.
///
/// As Inception's training had it and torchvision's `RandomResizedCrop` has: a share of the area and an aspect ratio
/// are drawn until such a part fits the image. After ten attempts the largest part of a permitted ratio is taken, from
/// the middle. The kernel looks a little over the part's edges, as it does for the middle of an image.
package struct Augmentation: Sendable, Hashable, Codable {
  /// The least share of the image's area, above 0, at most 1; the largest is all.
  package var smallestArea: Double
  /// The largest ratio of the part's sides, at least 1; the least is its inverse.
  package var largestAspect: Double
  /// Whether every other image, on the average, is mirrored.
  package var mirrors: Bool

  package init(smallestArea: Double = 0.25, largestAspect: Double = 4.0 / 3, mirrors: Bool = true) {
    precondition(smallestArea > 0 && smallestArea <= 1 && largestAspect >= 1)
    self.smallestArea = smallestArea
    self.largestAspect = largestAspect
    self.mirrors = mirrors
  }

  private static let attempts = 10

  /// A choice for an image of a size, as the viewer sees it.
  func draw(
    width: Int, height: Int, using random: inout some RandomNumberGenerator
  ) -> (part: ImagePart, mirrored: Bool) {
    let width = Double(width)
    let height = Double(height)
    var part = middle(width: width, height: height)
    for _ in 0..<Self.attempts {
      let area = width * height * Double.random(in: smallestArea...1, using: &random)
      // Uniform in the logarithm: wide is as likely as tall.
      let bound = log(largestAspect)
      let aspect = exp(Double.random(in: -bound...bound, using: &random))
      let w = (area * aspect).squareRoot()
      let h = (area / aspect).squareRoot()
      guard w <= width, h <= height else { continue }
      part = ImagePart(
        left: Double.random(in: 0...(width - w), using: &random),
        top: Double.random(in: 0...(height - h), using: &random), width: w, height: h)
      break
    }
    return (part, mirrors && Bool.random(using: &random))
  }

  private func middle(width: Double, height: Double) -> ImagePart {
    let w = min(width, height * largestAspect)
    let h = min(height, width * largestAspect)
    return ImagePart(left: (width - w) / 2, top: (height - h) / 2, width: w, height: h)
  }
}

/// A rectangle of an image, in pixels and parts of them.
struct ImagePart: Equatable {
  var left: Double
  var top: Double
  var width: Double
  var height: Double
}
