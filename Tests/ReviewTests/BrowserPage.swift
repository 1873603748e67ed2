import Foundation
import Testing

/// Actions of tests on the page.
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

  /// The samples of the tiles.
  func tiles() async throws -> [Int] {
    try await wait("document.querySelector('.tile, .grid .message')")
    let names =
      try await run("return [...document.querySelectorAll('.tile')].map((tile) => tile.dataset.image)")
      as? [String]
    return try #require(names).compactMap { Int($0) }
  }

  /// The sample shown one by one.
  func large() async throws -> Int {
    try await wait("document.querySelector('img.large')?.naturalWidth > 0")
    let name = try await run("return document.querySelector('img.large').dataset.image") as? String
    return try #require(name.flatMap { Int($0) })
  }

  /// Commits the page of the grid and waits for the next.
  func commit() async throws {
    try await wait("[...document.querySelectorAll('.tile img')].every((one) => one.complete)")
    try await run("window.committed = document.querySelector('.tile')")
    try await press(Key.enter)
    try await wait("!window.committed.isConnected")
  }

  /// A node as screen readers get it.
  struct AccessibleNode: Sendable {
    var role: String
    var name: String
    var level: Int?
    var isMultiselectable: Bool
  }

  /// The mouse goes down on the first element, over the others, and up.
  func stroke(_ selectors: String...) async throws {
    var steps: [[String: Any]] = []
    for (index, selector) in selectors.enumerated() {
      let script = """
        const box = document.querySelector('\(selector)').getBoundingClientRect();
        return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
        """
      let place = try #require(try await run(script) as? [Int])
      steps.append(["type": "pointerMove", "duration": 20, "x": place[0], "y": place[1]])
      if index == 0 { steps.append(["type": "pointerDown", "button": 0]) }
    }
    steps.append(["type": "pointerUp", "button": 0])
    let actions: [String: Any] = [
      "type": "pointer", "id": "mouse", "parameters": ["pointerType": "mouse"], "actions": steps,
    ]
    _ = try await command("actions", ["actions": [actions]])
  }

  /// Has a window of that many pixels until the next test.
  func beScreen(width: Int, height: Int) async throws {
    let metrics: [String: Any] = ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false]
    try await devTools("Emulation.setDeviceMetricsOverride", metrics)
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
