import Images
import Workspace

/// Facts that a small copy of an image shows: how bright and sharp it is, and which others look the same.
struct ImageSignature: Sendable {
  /// Of the image itself, in pixels.
  var width: Int
  var height: Int
  /// Mean and standard deviation of the luminance, in [0, 1].
  var luminance: Double
  var contrast: Double
  /// The standard deviation of the Laplacian divided by that of the luminance: low for blurred images, whatever their
  /// contrast.
  var sharpness: Double
  /// Whether each of 8 × 8 patches is clearly darker than its right neighbor: the difference hash, row by row.
  var hash: UInt64
  /// Of all pixels of the small copy, and the size.
  var content: UInt64
  /// Luminance of 16 × 16 patches, standardized to mean 0 and length 1; zeros for an image of one color.
  var patches: [Float]

  /// The side of the small copy.
  static let side = 128
  static let preparation = ImagePreparation(size: side, fit: .stretch)
  private static let grid = 16
  /// Smaller differences of luminance are compression's.
  private static let clear: Float = 0.02

  /// - Parameter pixels: `[side, side, 3]`, RGB.
  init(pixels: UnsafeRawBufferPointer, width: Int, height: Int) {
    self.width = width
    self.height = height
    let luminances = Self.luminances(pixels)
    let count = Float(luminances.count)
    let mean = luminances.reduce(0, +) / count
    let variance = luminances.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    luminance = Double(mean)
    contrast = Double(variance).squareRoot()
    sharpness = contrast > 0 ? Double(Self.laplacianVariance(luminances)).squareRoot() / contrast : 0
    hash = Self.differenceHash(luminances)
    var hasher = StableHash()
    hasher.combine(width)
    hasher.combine(height)
    hasher.combine(pixels)
    content = hasher.word
    patches = Self.standardized(Self.means(luminances, columns: Self.grid, rows: Self.grid))
  }

  /// The correlation of the patches of two images, or of one and the other's mirror image if that is higher.
  func correlation(_ other: ImageSignature) -> Double {
    let grid = Self.grid
    var plain: Float = 0
    var mirrored: Float = 0
    for place in patches.indices {
      plain += patches[place] * other.patches[place]
      mirrored += patches[place] * other.patches[place / grid * grid + (grid - 1 - place % grid)]
    }
    return Double(max(plain, mirrored))
  }

  /// ITU-R BT.601's luma, in [0, 1].
  private static func luminances(_ pixels: UnsafeRawBufferPointer) -> [Float] {
    (0..<side * side).map { place in
      let red = pixels[3 * place]
      let green = pixels[3 * place + 1]
      let blue = pixels[3 * place + 2]
      return (0.299 * Float(red) + 0.587 * Float(green) + 0.114 * Float(blue)) / 255
    }
  }

  /// Of the four-neighbor Laplacian within the border.
  private static func laplacianVariance(_ values: [Float]) -> Float {
    var sum: Float = 0
    var squares: Float = 0
    values.withUnsafeBufferPointer { values in
      for row in 1..<(side - 1) {
        for place in (row * side + 1)..<(row * side + side - 1) {
          let laplacian =
            4 * values[place] - values[place - 1] - values[place + 1] - values[place - side]
            - values[place + side]
          sum += laplacian
          squares += laplacian * laplacian
        }
      }
    }
    let count = Float((side - 2) * (side - 2))
    return max(0, squares / count - (sum / count) * (sum / count))
  }

  private static func differenceHash(_ luminances: [Float]) -> UInt64 {
    let means = means(luminances, columns: 9, rows: 8)
    var hash: UInt64 = 0
    for row in 0..<8 {
      for column in 0..<8 {
        let isDarker = means[row * 9 + column] + clear < means[row * 9 + column + 1]
        hash = hash << 1 | (isDarker ? 1 : 0)
      }
    }
    return hash
  }

  /// Mean luminances of the cells of a grid, row by row.
  private static func means(_ values: [Float], columns: Int, rows: Int) -> [Float] {
    (0..<rows * columns).map { cell in
      let row = cell / columns
      let column = cell % columns
      let top = row * side / rows
      let bottom = (row + 1) * side / rows
      let left = column * side / columns
      let right = (column + 1) * side / columns
      var sum: Float = 0
      for line in top..<bottom { for place in left..<right { sum += values[line * side + place] } }
      return sum / Float((bottom - top) * (right - left))
    }
  }

  private static func standardized(_ values: [Float]) -> [Float] {
    let mean = values.reduce(0, +) / Float(values.count)
    let length = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }.squareRoot()
    return length > 1e-3 ? values.map { ($0 - mean) / length } : values.map { _ in 0 }
  }
}
