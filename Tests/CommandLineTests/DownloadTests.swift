import Foundation
import Synchronization
import TestServer
import Testing

/// Lists of addresses, by the built program and a server on this machine.
@Suite("Downloads", .serialized) struct DownloadTests {
  /// Images and a server that has them, at `/<class>/<index>.png`.
  private func listed(
    _ count: Int, in cleannet: Program,
    _ answer: @escaping @Sendable (Int, [UInt8]) async -> TestServer.Answer
  ) async throws -> TestServer {
    let images = try RealImages(count: count, in: cleannet.folder)
    let paths = images.truth.keys.sorted()
    let bytes = try paths.map { Array(try Data(contentsOf: cleannet.folder.appendingPathComponent($0))) }
    let server = try await TestServer { request in
      guard let index = Int(request.path.dropFirst(1).prefix { $0 != "." }) else { return .init(404, []) }
      return await answer(index, bytes[index])
    }
    let rows = paths.enumerated().map { "\(server.address("/\($0).png")),\(images.truth[$1] ?? "")\n" }
    try cleannet.write("list.csv", "image_url,label\n" + rows.joined())
    return server
  }

  @Test("a list of addresses becomes images, features, and a cleaned list")
  func list() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    let server = try await listed(40, in: cleannet) { index, bytes in
      index == 3 ? .init(404, []) : .init(200, bytes)
    }
    let imported = try await cleannet.succeed("import", "list.csv", "--json").json()
    #expect(imported["format"] as? String == "url-list" && imported["images"] as? Int == 40)
    // Training on the images asks for them first.
    try await cleannet.succeed("import", "list.csv", "-w", "second")
    let untrained = try await cleannet(
      "classify", "train", "--weights", "none", "--stages", "0", "--size", "32", "-w", "second")
    #expect(untrained.status != 0 && untrained.errors.contains("cleannet download"), "\(untrained.errors)")
    #expect(untrained.errors.contains("40 images could not be downloaded"))
    // This machine is in the local network, which a list must not reach by itself.
    let refused = try await cleannet.succeed("download", "--json").json()
    #expect(refused["failed"] as? Int == 40 && server.mostAtOnce == 0)
    #expect(try await cleannet.succeed("status", "--problems").output.contains("--allow-local"))

    let downloaded = try await cleannet.succeed("download", "--allow-local", "--retry", "--json").json()
    #expect(downloaded["downloaded"] as? Int == 39 && downloaded["failed"] as? Int == 1)
    let embedded = try await cleannet.succeed("embed", "--size", "32", "--json").json()
    #expect(embedded["embedded"] as? Int == 39 && embedded["problems"] as? Int == 1)
    let problems = try await cleannet.succeed("status", "--problems").output
    #expect(problems.contains("1 images could not be read") && problems.contains("answered 404"))
    #expect(server.count("/3.png") == 1)

    // The missing one comes later, and its row is filled in.
    server.answer { _ in TestServer.Answer(200, png) }
    #expect(
      try await cleannet.succeed("download", "--allow-local", "--json").json()["downloaded"] as? Int == 0)
    let late = try await cleannet.succeed("download", "--allow-local", "--retry", "--json").json()
    #expect(late["downloaded"] as? Int == 1 && late["present"] as? Int == 39)
    let again = try await cleannet.succeed("embed", "--size", "32", "--json").json()
    #expect(again["embedded"] as? Int == 1 && again["problems"] as? Int == 0)
    #expect(try await cleannet.succeed("status").output.contains("could not be read") == false)

    // The workspace may move, and the list comes out again.
    let moved = cleannet.folder.appendingPathComponent("moved").path
    try FileManager.default.moveItem(atPath: cleannet.folder.appendingPathComponent("w").path, toPath: moved)
    try await cleannet.succeed(
      "export", "-w", "moved", "--wrong", "keep", "--format", "source", "--out", "clean.csv")
    try await cleannet.succeed(
      "export", "-w", "moved", "--format", "image-folder", "--wrong", "keep", "--images", "copy", "--out",
      "clean")
    let list = try cleannet.read("clean.csv").split(separator: "\n")
    #expect(list.count == 41 && list[0] == "key,url,label,verification,split")
    #expect(
      try await cleannet.succeed("import", "clean.csv", "-w", "third", "--json").json()["format"] as? String
        == "url-list")
    #expect(
      try await cleannet.succeed("import", "clean", "-w", "fourth", "--json").json()["images"] as? Int == 40)
    try await server.close()
  }

  @Test("a killed download goes on: what had come is not asked for again")
  func killed() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    let isHanging = Mutex(true)
    let server = try await listed(30, in: cleannet) { index, bytes in
      var answer = TestServer.Answer(200, bytes)
      if index % 3 == 2, isHanging.withLock({ $0 }) {
        // The first half comes, then nothing.
        answer.body = Array(bytes.prefix(bytes.count / 2))
        answer.statedLength = bytes.count
        answer.hangs = true
      }
      return answer
    }
    try await cleannet.succeed("import", "list.csv")
    let process = try cleannet.start(["download", "--allow-local", "--per-host", "30"])
    let downloads = cleannet.folder.appendingPathComponent("w/downloads").path
    @Sendable func files(_ suffix: String) -> Int {
      (FileManager.default.enumerator(atPath: downloads)?.allObjects as? [String] ?? []).count {
        $0.hasSuffix(suffix)
      }
    }
    await process.end(by: SIGKILL) { files(".png") == 20 && files(".part") == 10 }
    isHanging.withLock { $0 = false }
    let rest = try await cleannet.succeed("download", "--allow-local", "--json").json()
    #expect(rest["present"] as? Int == 20 && rest["downloaded"] as? Int == 10 && rest["failed"] as? Int == 0)
    for index in 0..<30 { #expect(server.count("/\(index).png") == (index % 3 == 2 ? 2 : 1)) }
    #expect(files(".part") == 0 && files(".png") == 30)
    try await server.close()
  }
}

/// A grey image of one pixel.
private let png: [UInt8] = Array(
  Data(
    base64Encoded:
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
    ?? Data())
