import Foundation
import TestPrograms
import Testing

/// Headless Chromium, which `Scripts/setup` installs.
struct Browser {
  /// Its profile, and where it writes.
  let folder: URL
  private static let binary = "/usr/bin/chromium"

  /// - Parameter folder: Removed by whoever made it.
  init(in folder: URL) throws {
    try #require(
      FileManager.default.isExecutableFile(atPath: Self.binary), "chromium is missing; run Scripts/setup")
    self.folder = folder
  }

  struct Rendered {
    /// The document as scripts have left it.
    var dom: String
    /// Messages of scripts and of the browser itself in the console.
    var console: [String]
  }

  /// Opens a page, lets its scripts run, and returns the document.
  func render(_ page: URL, fragment: String = "") async throws -> Rendered {
    let (output, errors) = try await run([
      "--dump-dom", "--enable-logging=stderr", page.absoluteString + fragment,
    ])
    let console = errors.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init)
    return Rendered(dom: output, console: console)
  }

  /// Opens a page with a script of the test's own at its end, which acts on it as a reader would.
  func render(_ page: URL, acting script: String) async throws -> Rendered {
    let text = try String(contentsOf: page, encoding: .utf8)
    // The page lets no script run without its word.
    let word = try #require(text.firstMatch(of: /<script nonce="([^"]+)">/)?.1)
    let copy = folder.appendingPathComponent("acting-\(UUID().uuidString).html")
    try text.replacingOccurrences(
      of: "</body>", with: "<script nonce=\"\(word)\">\(script)</script></body>"
    ).write(to: copy, atomically: true, encoding: .utf8)
    return try await render(copy)
  }

  /// Pictures of a page for people: at several widths, light and dark, and as PDF.
  func takeScreenshots(of page: URL, into target: URL) async throws {
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    for (width, scheme) in [(1400, "light"), (1400, "dark"), (820, "light"), (390, "dark")] {
      let file = target.appendingPathComponent("\(width)-\(scheme).png")
      try await run([
        "--hide-scrollbars", "--window-size=\(width),4000", "--screenshot=\(file.path)",
        "--blink-settings=preferredColorScheme=\(scheme == "dark" ? 0 : 1)", page.absoluteString,
      ])
    }
    let pdf = target.appendingPathComponent("page.pdf")
    try await run(["--no-pdf-header-footer", "--print-to-pdf=\(pdf.path)", page.absoluteString])
  }

  @discardableResult
  private func run(_ arguments: [String]) async throws -> (output: String, errors: String) {
    let profile = folder.appendingPathComponent("profile-\(UUID().uuidString)")
    let (status, output, errors) = try await ChildProcess.run(
      Self.binary,
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--user-data-dir=\(profile.path)", "--virtual-time-budget=5000",
      ] + arguments, in: folder)
    try #require(status == 0, "chromium: \(errors.suffix(2000))")
    return (output, errors)
  }
}
