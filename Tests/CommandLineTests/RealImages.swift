import Datasets
import Foundation
import Images

/// Real images for the tests: some of Fashion-MNIST, of which a third gets a wrong label, as JPEG files in one folder
/// per class.
struct RealImages {
  static let classes = ["Trouser", "Sneaker", "Bag", "Sandal"]
  private static let numbers = [1: 0, 7: 1, 8: 2, 5: 3]

  /// Read once for all tests.
  private static let source = Result {
    let path = "/usr/share/datasets/fashion-mnist/t10k-"
    return (
      images: try IDXFile(path: path + "images-idx3-ubyte.gz"),
      labels: try IDXFile(path: path + "labels-idx1-ubyte.gz")
    )
  }

  /// True classes by path, as the manifest `images.csv` has them.
  private(set) var truth: [String: String] = [:]

  /// Writes `count` images below `folder/images`, and a manifest with the truth beside them.
  init(count: Int, in folder: URL) throws {
    let (images, labels) = try Self.source.get()
    let size = images.shape[1] * images.shape[2]
    let chosen = labels.bytes.indices.lazy.compactMap { index in
      Self.numbers[Int(labels.bytes[index])].map { (index, $0) }
    }.prefix(count)
    var manifest = "path,label,truth\n"
    for (number, (index, label)) in chosen.enumerated() {
      let given = number % 3 == 0 ? (label + 1 + number / 3 % 3) % 4 : label
      let place = folder.appendingPathComponent("images/\(Self.classes[given])")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      let pixels = RawPixels(
        width: images.shape[2], height: images.shape[1], bands: 1,
        bytes: images.bytes[(index * size)..<((index + 1) * size)])
      let jpeg = try thumbnailJPEG(.pixels(pixels), maximumSide: 28, quality: 95)
      let name = "\(number).jpg"
      try Data(jpeg).write(to: place.appendingPathComponent(name))
      let path = "images/\(Self.classes[given])/\(name)"
      truth[path] = Self.classes[label]
      manifest += "\(path),\(Self.classes[given]),\(Self.classes[label])\n"
    }
    try Data(manifest.utf8).write(to: folder.appendingPathComponent("images.csv"))
  }
}
