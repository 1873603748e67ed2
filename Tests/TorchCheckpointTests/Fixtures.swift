import Foundation
import Testing
import Torch

/// Files beside the tests, and the scripts that made them.
enum Fixtures {
  static func url(_ name: String) throws -> URL {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appendingPathComponent(name)
  }

  static func path(_ name: String) throws -> String { try url(name).path }
  static func data(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

  /// The contents of the file, according to PyTorch.
  struct Expected: Decodable {
    struct Tensor: Decodable {
      var name: String
      var dtype: String
      var shape: [Int]
      var bytes: String
    }

    var tensors: [Tensor]
    var metadata: [String: String]
  }

  static func expected(_ name: String) throws -> Expected {
    let all = try JSONDecoder().decode([String: Expected].self, from: data("expected.json"))
    return try #require(all[name])
  }

  /// A folder that is removed after use.
  static func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }
}

extension StoredTensor {
  var hexadecimal: String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
