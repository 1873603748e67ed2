import Foundation
import Testing

/// The built program where there is no libvips: it starts, says what is missing before any work, and does what needs no
/// image.
@Suite("Without libvips") struct WithoutLibvipsTests {
  private static let nowhere = "/nonexistent/libvips.so.42"

  /// The same program and folder, with that file in libvips's place.
  private func without(_ cleannet: Program, library: String = nowhere) -> Program {
    var program = cleannet
    program.variables["CLEANNET_LIBVIPS"] = library
    return program
  }

  @Test("doctor names what is missing and the remedy; the status is 69")
  func doctor() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    // A library that is not there, and one that is another.
    for (library, words) in [(Self.nowhere, Self.nowhere), ("libc.so.6", "lacks vips_init")] {
      let result = try await without(cleannet, library: library)("doctor", "--json")
      #expect(result.status == 69)
      let findings = try #require(try result.json()["findings"] as? [[String: String]])
      let images = try #require(findings.first { $0["part"] == "images" })
      #expect(images["health"] == "missing")
      #expect(images["what"]?.contains(words) == true, "\(images)")
      #expect(images["remedy"]?.contains("CLEANNET_LIBVIPS") == true, "\(images)")
    }
    let healthy = try await cleannet("doctor").output
    #expect(healthy.contains("ok       images: libvips ") && healthy.contains("JPEG"), "\(healthy)")
  }

  @Test("doctor --speed measures networks; without it, what belongs to it is an error")
  func speed() async throws {
    struct Measured: Decodable {
      struct Speed: Decodable {
        var network: String
        var device: String
        var imagesPerSecond: Double
      }
      var speeds: [Speed]
    }
    let cleannet = try Program()
    defer { cleannet.remove() }
    let result = try await cleannet(
      "doctor", "--speed", "--network", "efficientnet-lite0", "--device", "cpu", "--json")
    let measured = try JSONDecoder().decode(Measured.self, from: Data(result.output.utf8))
    #expect(measured.speeds.map(\.network) == ["efficientnet-lite0"])
    #expect(measured.speeds.map(\.device) == ["cpu"])
    #expect(measured.speeds.allSatisfy { $0.imagesPerSecond > 0 })
    #expect(try await cleannet("doctor", "--device", "cpu").status == 64)
  }

  @Test("verbs that read images refuse before they change anything; the others do their work")
  func verbs() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 120, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    let bare = without(cleannet)
    func refuses(_ result: Program.Result, at location: SourceLocation = #_sourceLocation) {
      #expect(
        result.status == 69 && result.errors.hasPrefix("error: libvips") && result.output.isEmpty,
        "\(result.errors)\(result.output)", sourceLocation: location)
    }
    refuses(try await bare("embed", "--size", "64"))
    refuses(try await bare("run", "images.csv", "-w", "other"))
    refuses(try await bare("demo", "-w", "other"))
    #expect(!FileManager.default.fileExists(atPath: cleannet.folder.appendingPathComponent("other").path))
    let problems = try await bare.succeed("status", "--problems").output
    #expect(!problems.contains(".jpg"), "\(problems)")

    try await cleannet.succeed("embed", "--size", "64")
    try await bare.succeed(
      "verify", "simulate", "--truth", "truth", "--classes", "Bag,Sneaker", "--per-class", "20")
    try await bare.succeed("train", "--steps", "60")
    try await bare.succeed("score")
    try await bare.succeed("export", "--out", "scores.csv")
    #expect(try cleannet.read("scores.csv").split(separator: "\n").count == 121)
    try await bare.succeed("classify", "train")
    refuses(try await bare("report"))
    refuses(try await bare("review"))
    refuses(try await bare("classify", "train", "--stages", "0"))
    refuses(try await bare("classify", "train", "--stages", "0", "--rounds", "1"))
    refuses(try await bare("classify", "predict", "images/Bag", "--out", "predicted.csv"))
    for name in ["w/report", "predicted.csv"] {
      let path = cleannet.folder.appendingPathComponent(name).path
      #expect(!FileManager.default.fileExists(atPath: path), "\(name)")
    }
  }
}
