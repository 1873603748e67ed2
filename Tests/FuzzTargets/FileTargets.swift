import Backbones
import Datasets
import Foundation
import Images
import Pipeline
import Torch
import Workspace

extension FuzzTarget {
  /// Files of data sets, features, weights, verdicts and settings.
  static let files: [FuzzTarget] = [
    dataset("csv", as: nil, "x.csv"),
    dataset("tsv", as: nil, "x.tsv"),
    dataset("jsonl", as: "manifest", "x.jsonl"),
    dataset("json", as: "manifest", "x.json"),
    dataset("coco", as: "coco", "x.json"),
    dataset("tar", as: "tar", "x.tar"),
    dataset("webdataset", as: "webdataset", "x.tar"),
    dataset("zip", as: "zip", "x.zip"),
    dataset("cleannet-tsv", as: "cleannet-tsv", "x.tsv"),
    file("idx", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "classes.txt") {
      try read($0.folder, as: "idx")
    },
    file("cifar", "test.bin", "fine_label_names.txt", "coarse_label_names.txt") {
      try read($0.folder, as: "cifar")
    },
    file("labelme", "x.json") { try read($0.folder, as: "labelme") },
    file("hf-image-folder", "metadata.csv", "metadata.jsonl") { try read($0.folder, as: "hf-image-folder") },
    file("clothing1m", "noisy_label_kv.txt", "clean_label_kv.txt", "category_names_eng.txt") {
      try read($0.folder, as: "clothing1m")
    },
    file("food-101n", "food/meta/imagelist.tsv", "food/meta/verified_train.tsv") {
      try read($0.folder.folder, as: "food-101n")
    },
    file("food-101", "food/meta/train.txt", "food/meta/classes.txt") {
      try read($0.folder.folder, as: "food-101")
    },
    file("webvision", "web/info/train_filelist_google.txt", "web/info/synsets.txt") {
      try read($0.folder.folder, as: "webvision")
    },
    file("npy", "x.npy") { try readFeatures($0) },
    file("npz", "x.npz") { try readFeatures($0) },
    file("safetensors", "x.safetensors") { path in
      try? readFeatures(path)
      _ = try Checkpoint.read(path: path)
    },
    file("pytorch", "x.pt") { _ = try Checkpoint.read(path: $0, stripModulePrefix: true) },
    file("metadata", "config.json", "preprocessor_config.json", "open_clip_config.json") {
      _ = NetworkFacts(beside: "\($0.folder)/model.safetensors")
    },
    file("verdicts", "x.csv") { path in
      _ = try? VerificationFile.read(path: path, format: .food101N) { _ in }
      _ = try VerificationFile.read(path: path) { _ in }
    },
    file("weights", "x.csv") { _ = try WeightTable.read(path: $0) },
    file("label-map", "x.csv") { path in
      _ = try? LabelMap.readNames(path: path)
      _ = try LabelMap.read(path: path)
    },
    FuzzTarget("netpbm") { _ in
      { bytes in
        guard let image = Netpbm(bytes), image.width * image.height < 1 << 24 else { return }
        _ = image.pixels(bytes)
      }
    },
  ]

  private static func dataset(_ name: String, as format: String?, _ file: String) -> FuzzTarget {
    self.file(name, file) { try read($0, as: format) }
  }

  /// Reads a data set to its end, and the images that lie in its own files.
  private static func read(_ path: String, as format: String?) throws {
    var options = DatasetOptions()
    options.format = format
    options.downloads = "downloads"
    options.readsOnly = true
    let images = ImageBytes()
    try DatasetReader.open(source: path, options: options).read { sample in
      // A table may name any file of this machine.
      if case .file = sample.location { return }
      _ = try? images.read(sample.location, key: sample.key)
    }
  }

  private static func readFeatures(_ path: String) throws {
    let matrix = try FeatureInput.open(path, in: path.folder)
    guard matrix.count > 0, matrix.dimension < 1 << 20 else { return }
    var row = [Float](repeating: 0, count: matrix.dimension)
    row.withUnsafeMutableBufferPointer { row in
      guard let base = row.baseAddress else { return }
      matrix.copyRows(0..<1, into: base)
      matrix.copyRows(matrix.count - 1..<matrix.count, into: base)
    }
  }
}

extension String {
  /// The folder that a path lies in.
  fileprivate var folder: String { URL(fileURLWithPath: self).deletingLastPathComponent().path }
}
