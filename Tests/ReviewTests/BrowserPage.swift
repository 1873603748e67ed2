import Foundation
import Testing

/// What tests do on the page.
extension Browser {
  /// Opens a reviewer's link and waits until the page is there.
  func enter(_ link: String, pageSize: Int) async throws {
    try await open(link)
    try await wait("document.querySelector('#me').textContent !== ''")
    try await run("localStorage.setItem('cleannet-grid', \(pageSize))")
  }

  func show(_ program: ReviewProgram, _ hash: String) async throws {
    try await run("location.hash = '\(hash)'")
    try await wait("!document.querySelector('#view').hasAttribute('aria-busy')")
    try await wait("document.querySelector('.verify, .page')")
  }

  /// The samples of the tiles, as their tooltips name the files.
  func tiles() async throws -> [Int] {
    try await wait("document.querySelector('.tile, .grid .message')")
    let names =
      try await run("return [...document.querySelectorAll('.tile')].map((tile) => tile.title)") as? [String]
    return try #require(names).compactMap(Self.sample)
  }

  /// The sample shown one by one.
  func large() async throws -> Int {
    try await wait("document.querySelector('img.large')?.title")
    let title = try await run("return document.querySelector('img.large').title") as? String
    return try #require(title.flatMap(Self.sample))
  }

  /// Commits the page of the grid and waits for the next.
  func commit() async throws {
    try await run("window.committed = document.querySelector('.tile')")
    try await press(Key.enter)
    try await wait("!window.committed.isConnected")
  }

  private static func sample(_ title: String) -> Int? { Int(title.prefix { $0 != "." }) }

  /// What screen readers get to know.
  struct AccessibleNode: Sendable {
    var role: String
    var name: String
    var level: Int?
    var isMultiselectable: Bool
  }

  func accessibilityTree() async throws -> [AccessibleNode] {
    try await devTools("Accessibility.enable")
    let nodes = try #require(try await devTools("Accessibility.getFullAXTree")["nodes"] as? [[String: Any]])
    return nodes.filter { $0["ignored"] as? Bool != true }.map { node in
      func value(_ key: String) -> Any? { (node[key] as? [String: Any])?["value"] }
      let properties = (node["properties"] as? [[String: Any]] ?? []).reduce(into: [String: Any]()) {
        known, property in
        if let name = property["name"] as? String {
          known[name] = (property["value"] as? [String: Any])?["value"]
        }
      }
      return AccessibleNode(
        role: value("role") as? String ?? "", name: value("name") as? String ?? "",
        level: properties["level"] as? Int, isMultiselectable: properties["multiselectable"] as? Bool == true)
    }
  }
}
