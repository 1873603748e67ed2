import Foundation
import TestServer
import Testing

/// A real browser: Debian's headless Chromium, driven over WebDriver by Debian's chromedriver.
final class Browser: Sendable {
  /// Where it keeps its profile, and what the driver prints.
  private let folder: URL
  private let driver: ServerProcess
  private let session: String

  static let chromium = "/usr/bin/chromium"
  static let chromedriver = "/usr/bin/chromedriver"
  /// How often a condition is looked at before it counts as never true: not a time, which may pass on a busy machine
  /// without the page having had its turn.
  private static let patience = 3000

  private init(width: Int = 1280, height: Int = 860) async throws {
    for file in [Self.chromium, Self.chromedriver] {
      try #require(
        FileManager.default.isExecutableFile(atPath: file), "\(file) is missing; run: Scripts/setup --tests")
    }
    // A short name: the path of Chromium's socket in it has a limit.
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "browser-\(UInt32.random(in: .min ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    driver = try ServerProcess(
      URL(fileURLWithPath: Self.chromedriver), ["--port=0"], environment: ["TMPDIR": folder.path],
      output: folder.appendingPathComponent("driver.log"))
    let port = try await driver.printed(/successfully on port (\d+)/)
    let arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
      "--window-size=\(width),\(height)", "--user-data-dir=\(folder.appendingPathComponent("profile").path)",
    ]
    let base = "http://127.0.0.1:\(port)/session"
    let options: [String: Any] = ["binary": Self.chromium, "args": arguments]
    let capabilities: [String: Any] = [
      "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": ["browser": "ALL"],
    ]
    let reply = try await Self.send("POST", base, ["capabilities": ["alwaysMatch": capabilities]])
    session = "\(base)/\(try #require((reply as? [String: Any])?["sessionId"] as? String))"
  }

  /// Forgets the page, its visitors and its complaints, and sets the colors.
  func start(dark: Bool) async throws {
    try await open("about:blank")
    try await beDesktop()
    try await devTools("Network.clearBrowserCookies")
    let feature = ["name": "prefers-color-scheme", "value": dark ? "dark" : "light"]
    try await devTools("Emulation.setEmulatedMedia", ["features": [feature]])
    _ = try await log()
  }

  /// Starts one for as long as something takes.
  static func open(_ body: (Browser) async throws -> Void) async throws {
    let browser = try await Browser()
    do {
      try await body(browser)
    } catch {
      await browser.close()
      throw error
    }
    await browser.close()
  }

  private func close() async {
    _ = try? await Self.send("DELETE", session, nil)
    await driver.stop()
    try? FileManager.default.removeItem(at: folder)
  }

  // MARK: Commands

  func open(_ url: String) async throws { try await command("url", ["url": url]) }

  func reload() async throws { try await command("refresh", [:]) }

  /// Presses keys, one after the other.
  func press(_ keys: String...) async throws { try await press(keys) }

  func press(_ keys: [String], with modifier: String? = nil) async throws {
    func step(_ type: String, _ key: String) -> [String: String] { ["type": type, "value": key] }
    var steps = keys.flatMap { [step("keyDown", $0), step("keyUp", $0)] }
    if let modifier { steps = [step("keyDown", modifier)] + steps + [step("keyUp", modifier)] }
    let actions: [String: Any] = ["type": "key", "id": "keyboard", "actions": steps]
    try await command("actions", ["actions": [actions]])
  }

  /// Evaluates a script's `return`.
  @discardableResult
  func run(_ script: String) async throws -> Any? {
    try await command("execute/sync", ["script": script, "args": []])
  }

  /// Waits until a JavaScript expression holds.
  func wait(_ condition: String, at place: SourceLocation = #_sourceLocation) async throws {
    var looks = 0
    while try await run("return Boolean(\(condition))") as? Bool != true {
      looks += 1
      if looks > Self.patience {
        let text = try await run("return document.body.innerText") as? String ?? ""
        let complaints = try await log()
        try #require(Bool(false), "never: \(condition)\n\(text)\n\(complaints)", sourceLocation: place)
      }
      try await Task.sleep(for: .milliseconds(min(30, 2 + looks)))
    }
  }

  /// The page's complaints.
  func log() async throws -> [String] {
    let entries = try await command("se/log", ["type": "browser"]) as? [[String: Any]]
    return (entries ?? []).compactMap { $0["message"] as? String }
  }

  @discardableResult
  func devTools(_ method: String, _ parameters: [String: Any] = [:]) async throws -> [String: Any] {
    let reply = try await command("goog/cdp/execute", ["cmd": method, "params": parameters])
    return reply as? [String: Any] ?? [:]
  }

  /// Keeps a picture of the page in the folder that `CLEANNET_SCREENSHOTS` names, for people to look at.
  func screenshot(_ name: String) async throws {
    guard let target = ProcessInfo.processInfo.environment["CLEANNET_SCREENSHOTS"] else { return }
    try await wait("[...document.images].every((image) => image.complete)")
    let reply = try await Self.send("GET", "\(session)/screenshot", nil)
    let picture = try #require((reply as? String).flatMap { Data(base64Encoded: $0) })
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    try picture.write(to: URL(fileURLWithPath: target).appendingPathComponent("\(name).png"))
  }

  @discardableResult
  func command(_ name: String, _ body: [String: Any]) async throws -> Any? {
    try await Self.send("POST", "\(session)/\(name)", body)
  }

  private static func send(_ method: String, _ url: String, _ body: [String: Any]?) async throws -> Any? {
    let address = try #require(URL(string: url))
    let response = try await TestClient.send(
      method, port: try #require(address.port), address.path, headers: [("Content-Type", "application/json")],
      body: try body.map { Array(try JSONSerialization.data(withJSONObject: $0)) })
    let content =
      try JSONSerialization.jsonObject(with: Data(response.body), options: .fragmentsAllowed)
      as? [String: Any]
    try #require(response.status == 200, "\(url): \(content ?? [:])")
    return content?["value"]
  }
}

/// WebDriver's names of keys.
enum Key {
  static let enter = "\u{E007}"
  static let shift = "\u{E008}"
  static let left = "\u{E012}"
  static let right = "\u{E014}"
  static let escape = "\u{E00C}"
  static let control = "\u{E009}"
}
