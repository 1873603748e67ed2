import Foundation
import FuzzDriver

@testable import Backbones
@testable import Datasets
@testable import Images
@testable import Torch
@testable import Workspace

// Parsers of files that come from outside, for libFuzzer; Scripts/fuzz builds and runs them.

/// A parser, and the name under which it gets its bytes, since names tell formats apart.
struct Parser {
  let name: String
  let parse: (String) throws -> Void
}

/// Reads a data set to its end, the images' places included.
func readDataset(_ path: String, _ format: String? = nil) throws {
  var options = DatasetOptions()
  options.format = format
  options.downloads = "downloads"
  options.readsOnly = true
  var samples = 0
  try DatasetReader.open(source: path, options: options).read { _ in samples += 1 }
}

let parsers: [String: Parser] = [
  "safetensors": Parser(name: "x.safetensors") {
    if let found = try EmbeddedMatrix.find(in: $0) { _ = found.shape }
    _ = try Checkpoint.read(path: $0)
  },
  "pytorch": Parser(name: "x.pt") { _ = try Checkpoint.read(path: $0) },
  "npy": Parser(name: "x.npy") { _ = try NpyMatrix(path: $0) },
  "npz": Parser(name: "x.npz") { _ = try EmbeddedMatrix.find(in: $0) },
  "csv": Parser(name: "x.csv") { try readDataset($0) },
  "tsv": Parser(name: "x.tsv") { try readDataset($0) },
  "jsonl": Parser(name: "x.jsonl") { try readDataset($0, "manifest") },
  "json": Parser(name: "x.json") { try readDataset($0, "manifest") },
  "coco": Parser(name: "x.json") { try readDataset($0, "coco") },
  "tar": Parser(name: "x.tar") { try readDataset($0, "tar") },
  "webdataset": Parser(name: "x.tar") { try readDataset($0, "webdataset") },
  "zip": Parser(name: "x.zip") { try readDataset($0, "zip") },
  "idx": Parser(name: "train-images-idx3-ubyte") { path in
    let folder = String(path.dropLast(24))
    try? FileManager.default.copyItem(atPath: path, toPath: folder + "/train-labels-idx1-ubyte")
    try readDataset(folder, "idx")
  },
  "cleannet-tsv": Parser(name: "x.tsv") { try readDataset($0, "cleannet-tsv") },
  "labelme": Parser(name: "x.json") { try readDataset(String($0.dropLast(7)), "labelme") },
  "verdicts": Parser(name: "x.csv") { path in
    _ = try VerificationTable.read(path: path) { _ in }
    _ = try VerificationFile.read(path: path) { _ in }
  },
  "label-map": Parser(name: "x.csv") { path in
    _ = try? LabelMap.read(path: path)
    _ = try LabelMap.readNames(path: path)
  },
  "metadata": Parser(name: "config.json") { path in
    let folder = String(path.dropLast(12))
    for other in ["open_clip_config.json", "preprocessor_config.json"] {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(other)")
      try? FileManager.default.copyItem(atPath: path, toPath: "\(folder)/\(other)")
    }
    _ = NetworkFacts(beside: "\(folder)/model.safetensors")
  },
  "netpbm": Parser(name: "x.ppm") { path in
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes.withUnsafeBytes { bytes in
      guard let image = Netpbm(bytes), image.width * image.height < 1 << 24 else { return }
      _ = image.pixels(bytes)
    }
  },
]

let parser = chosen(from: parsers)
let input = "\(try makeScratch())/\(parser.name)"

fuzz { bytes in
  let descriptor = open(input, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0, write(descriptor, bytes.baseAddress, bytes.count) == bytes.count else {
    preconditionFailure("\(input) cannot be written")
  }
  close(descriptor)
  try parser.parse(input)
}
