/// EXIF's eight ways to lay a picture down: from what the viewer sees to what is stored, exchange x and y if
/// `swaps`, then count the stored axes from their ends where reversed.
struct Orientation {
  let swaps: Bool
  let reversesX: Bool
  let reversesY: Bool

  /// - Parameter tag: 1 to 8; anything else counts as 1.
  init(tag: Int) {
    swaps = (5...8).contains(tag)
    reversesX = [2, 3, 7, 8].contains(tag)
    reversesY = [3, 4, 6, 7].contains(tag)
  }

  var isPlain: Bool { !swaps && !reversesX && !reversesY }

  /// The same layout in the stored picture's axes.
  func stored(_ layout: Layout) -> Layout {
    var result = layout
    if swaps {
      swap(&result.width, &result.height)
      swap(&result.left, &result.top)
      swap(&result.cropWidth, &result.cropHeight)
    }
    if reversesX { result.left = result.width - result.left - Double(result.cropWidth) }
    if reversesY { result.top = result.height - result.top - Double(result.cropHeight) }
    return result
  }

  /// Lays stored pixels `[height, width, 3]` the way the viewer sees them.
  func show(
    _ stored: UnsafeRawBufferPointer, width: Int, height: Int, into shown: UnsafeMutableRawBufferPointer
  ) {
    let shownWidth = swaps ? height : width
    for index in 0..<width * height {
      var x = index % shownWidth
      var y = index / shownWidth
      if swaps { swap(&x, &y) }
      if reversesX { x = width - 1 - x }
      if reversesY { y = height - 1 - y }
      for band in 0..<3 { shown[3 * index + band] = stored[3 * (y * width + x) + band] }
    }
  }
}
