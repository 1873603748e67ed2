import Foundation
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
    /// What scripts and the browser itself wrote to the console.
    var console: [String]
  }

  /// Opens a page, lets its scripts run, and returns the document.
  func render(_ page: URL, fragment: String = "") throws -> Rendered {
    let (output, errors) = try run(["--dump-dom", "--enable-logging=stderr", page.absoluteString + fragment])
    let console = errors.split(separator: "\n").filter { $0.contains("CONSOLE") }.map(String.init)
    return Rendered(dom: output, console: console)
  }

  /// Pictures of a page for people: at several widths, light and dark, and as PDF.
  func takeScreenshots(of page: URL, into target: URL) throws {
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    for (width, scheme) in [(1400, "light"), (1400, "dark"), (820, "light"), (390, "dark")] {
      let file = target.appendingPathComponent("\(width)-\(scheme).png")
      try run([
        "--hide-scrollbars", "--window-size=\(width),4000", "--screenshot=\(file.path)",
        "--blink-settings=preferredColorScheme=\(scheme == "dark" ? 0 : 1)", page.absoluteString,
      ])
    }
    let pdf = target.appendingPathComponent("page.pdf")
    try run(["--no-pdf-header-footer", "--print-to-pdf=\(pdf.path)", page.absoluteString])
  }

  @discardableResult
  private func run(_ arguments: [String]) throws -> (output: String, errors: String) {
    let id = UUID().uuidString
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.binary)
    process.arguments =
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--user-data-dir=\(folder.appendingPathComponent("profile-\(id)").path)",
        "--virtual-time-budget=5000",
      ] + arguments
    let files = ["out", "err"].map { folder.appendingPathComponent("chromium-\(id).\($0)") }
    for file in files { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    try #require(process.terminationStatus == 0, "chromium: \(texts[1].suffix(2000))")
    return (texts[0], texts[1])
  }
}
