import ArgumentParser
import Foundation
import Pipeline
import Review

struct ReviewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "review", abstract: "Serve the page on which you verify labels.",
    discussion: """
      Open the printed link: it works once, and its browser stays signed in. The page shows images of one class at a \
      time; you mark the wrong ones. It says which classes to look at next, trains on your verdicts, and shows the \
      labels that look wrong. Every verdict is on the disk before the page moves on. Ctrl-C ends the server at any \
      moment.

      To change keys, put a file review/keys.json into the workspace, such as {"right": ["j"], "wrong": ["f"]}.
      """)

  @Option(help: "The port; 0: any that is free.")
  var port = 0
  @Flag(help: "Open the page in the browser.")
  var open = false
  @Option(
    help: ArgumentHelp(
      "The address to listen on. By default only this machine can reach the page.",
      valueName: "host"))
  var address = "127.0.0.1"
  @Option(
    name: .customLong("allow-host"), parsing: .singleValue,
    help: ArgumentHelp("A further name by which browsers may call the server.", valueName: "name"))
  var hostNames: [String] = []
  @Option(
    name: .customLong("reviewer"), parsing: .singleValue,
    help: ArgumentHelp("Print a link for a reviewer of that name (default: one for you).", valueName: "name")
  )
  var reviewers: [String] = []
  @Option(help: "A JSON file with other keys.", completion: .file(extensions: ["json"]))
  var keys: String?
  @Option(
    help: ArgumentHelp(
      "Ask before saving a page that was checked faster than this, in seconds per image; 0: never ask.",
      valueName: "seconds"))
  var glance = 0.08
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  func validate() throws {
    guard glance >= 0, glance.isFinite else { throw ValidationError("--glance must not be negative.") }
    guard (0...65_535).contains(port) else { throw ValidationError("--port lies between 0 and 65535.") }
  }

  func run() async throws {
    let workspace = try workspace.open()
    memory.apply()
    try compute.prepareEngine()
    var configuration = ReviewConfiguration()
    configuration.address = address
    configuration.port = port
    configuration.hostNames = hostNames
    configuration.keysFile = keys
    configuration.seed = compute.seed
    configuration.glance = glance
    let server = try ReviewServer(
      workspace, backend: PipelineBackend(workspace, compute), configuration: configuration)
    Interruption.endOnSignal()
    do {
      try await server.run { port in try? announce(server, port) }
    } catch let error where !Failure.describes(error) {
      let isTaken = "\(error)".contains("errno: \(EADDRINUSE)")
      throw PipelineError(
        .badInput,
        "Cannot listen on \(address), port \(port): \(isTaken ? "another program does" : "\(error)")",
        remedy: "Choose another --port, or leave it out for one that is free")
    }
  }

  /// Prints how to get in.
  private func announce(_ server: ReviewServer, _ port: Int) throws {
    let names = reviewers.isEmpty ? [NSUserName()] : reviewers
    let host = ["0.0.0.0", "::"].contains(address) ? Host.name : address
    let page = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)/"
    let links = names.map { Announcement.Link(person: $0, url: "\(page)#token=\(server.invite($0))") }
    let announcement = Announcement(
      port: port, links: links,
      tunnel: Host.hasDisplay ? nil : "ssh -L \(port):127.0.0.1:\(port) \(NSUserName())@\(Host.name)")
    try workspace.output.print(announcement) { announcement.text }
    // A person who started the program through a pipe waits for the link.
    fflush(nil)
    if open, let link = links.first { Host.open(link.url) }
  }
}

/// The result that the verb prints.
private struct Announcement: Encodable {
  struct Link: Encodable {
    var person: String
    var url: String
  }

  var port: Int
  var links: [Link]
  /// How to reach the page from another machine, where this one has no display.
  var tunnel: String?

  var text: String {
    var lines = links.map { links.count == 1 ? $0.url : "\($0.person): \($0.url)" }
    if let tunnel {
      lines.append("No display here? On your own machine run: \(tunnel)\nand open the link there.")
    }
    return lines.joined(separator: "\n")
  }
}

/// The machine that serves.
private enum Host {
  static var name: String {
    var system = utsname()
    guard uname(&system) == 0 else { return "localhost" }
    return withUnsafeBytes(of: system.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  static var hasDisplay: Bool {
    let environment = ProcessInfo.processInfo.environment
    return environment["DISPLAY"]?.isEmpty == false || environment["WAYLAND_DISPLAY"]?.isEmpty == false
  }

  /// Shows a page in the user's browser, if there is a way.
  static func open(_ url: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["xdg-open", url]
    process.standardError = FileHandle.nullDevice
    try? process.run()
  }
}
