import Foundation
import Testing

/// The bound on wrong labels, by the built program.
@Suite("guarantee", .serialized) struct GuaranteeTests {
  @Test("a random image that nobody could judge counts as wrong, and score says so")
  func unsure() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    // Two classes that are far apart; every label is right.
    let points = (0..<200).map { image -> [Float] in
      let (side, spread): (Float, Float) = (image % 2 == 0 ? 1 : -1, Float(image % 23) / 100)
      return [side + spread, side - spread]
    }
    let rows = points.indices.map { "k\($0),\($0).jpg,\($0 % 2 == 0 ? "a" : "b")\n" }
    try cleannet.write("images.csv", "key,path,label\n" + rows.joined())
    try npy(points).write(to: cleannet.folder.appendingPathComponent("features.npy"))
    try await cleannet.succeed("import", "images.csv", "--features", "features.npy")
    try await cleannet.succeed("train", "--steps", "60")
    func bound(_ verdicts: String) async throws -> (upper: Double, wrong: Int, text: String) {
      try cleannet.write("verdicts.csv", "key,verification\n" + verdicts)
      try await cleannet.succeed("verify", "import", "verdicts.csv", "--drawn", "random")
      let text = try await cleannet.succeed("score").output
      let outcome = try await cleannet.succeed("score", "--json").json()
      let guarantee = try #require(outcome["guarantee"] as? [String: Any])
      let overall = try #require(guarantee["overall"] as? [String: Any])
      return (
        try #require(overall["upper"] as? Double), try #require(overall["wrong"] as? Int), text
      )
    }
    let all = (0..<60).map { "k\($0),1\n" }.joined()
    let sure = try await bound(all)
    #expect(sure.wrong == 0 && !sure.text.contains("not sure"))
    let unsure = try await bound((0..<6).map { "k\($0),unsure\n" }.joined())
    #expect(unsure.wrong == 6 && unsure.upper > sure.upper + 0.05, "\(unsure.upper), \(sure.upper)")
    #expect(unsure.text.contains("6 random images were answered \"not sure\""), "\(unsure.text)")
  }

  /// A table in NumPy's format.
  private func npy(_ rows: [[Float]]) -> Data {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows.count), \(rows[0].count)), }"
    header += String(repeating: " ", count: 64 - (header.count + 11) % 64) + "\n"
    let size = [UInt8(header.count & 255), UInt8(header.count >> 8)]
    return Data([0x93] + Array("NUMPY".utf8) + [1, 0] + size + Array(header.utf8))
      + rows.joined().map { $0 }.withUnsafeBytes { Data($0) }
  }
}
