import Images

/// Many small pictures in one, which is far smaller than many files.
struct Sprite: Sendable {
  let jpeg: [UInt8]
  let layout: FeatureMap.Sprite

  /// - Parameter tiles: Squares of `side` pixels, `[side, side, 3]`; where there is none the place stays grey.
  /// - Returns: nil where there are no pictures.
  init?(_ tiles: [[UInt8]?], side: Int) {
    let pictures = tiles.count { $0 != nil }
    guard pictures > 0 else { return nil }
    let columns = Int(Double(tiles.count).squareRoot().rounded(.up))
    let rows = (tiles.count + columns - 1) / columns
    let width = columns * side
    var pixels = [UInt8](repeating: 128, count: width * rows * side * 3)
    for (place, tile) in tiles.enumerated() {
      guard let tile else { continue }
      for line in 0..<side {
        let start = ((place / columns * side + line) * width + place % columns * side) * 3
        pixels.replaceSubrange(
          start..<(start + side * 3), with: tile[(line * side * 3)..<((line + 1) * side * 3)])
      }
    }
    let raw = RawPixels(width: width, height: rows * side, bands: 3, bytes: pixels[...])
    guard let jpeg = try? thumbnailJPEG(.pixels(raw), maximumSide: max(width, rows * side), quality: 70)
    else {
      return nil
    }
    self.jpeg = jpeg
    layout = FeatureMap.Sprite(columns: columns, tile: side, pictures: pictures)
  }
}
