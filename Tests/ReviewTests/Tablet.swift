import Foundation
import Testing

/// The browser as that of a tablet, and what fingers do there.
extension Browser {
  /// Has a screen of that many pixels and fingers instead of a mouse, until the next test.
  func beTablet(width: Int, height: Int) async throws {
    let metrics: [String: Any] = ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": true]
    try await devTools("Emulation.setDeviceMetricsOverride", metrics)
    try await devTools("Emulation.setTouchEmulationEnabled", ["enabled": true, "maxTouchPoints": 1])
    try await wait("matchMedia('(pointer: coarse)').matches")
  }

  /// Has its own screen again.
  func beDesktop() async throws {
    try await devTools("Emulation.clearDeviceMetricsOverride")
    try await devTools("Emulation.setTouchEmulationEnabled", ["enabled": false])
  }

  /// What can be touched and is smaller than 44 × 44 pixels.
  func smallTargets() async throws -> [String] {
    let script = """
      const targets = document.querySelectorAll('a[href]:not(.skip-link), button, select, input, [role=option]');
      return [...targets].filter((one) => one.checkVisibility()).map((one) => [one, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 44 || box.height < 44)
        .map(([one, box]) => `${one.outerHTML.slice(0, 80)}: ${box.width} × ${box.height}`);
      """
    return try #require(try await run(script) as? [String])
  }

  /// A finger comes down on the middle of an element, moves to those of others, and goes up.
  func touch(_ selectors: String...) async throws {
    try await touchDown(selectors[0])
    for selector in selectors.dropFirst() { try await touch("touchMove", at: try await middle(selector)) }
    try await touchUp()
  }

  func touchDown(_ selector: String) async throws { try await touch("touchStart", at: try await middle(selector)) }

  func touchUp() async throws {
    try await devTools("Input.dispatchTouchEvent", ["type": "touchEnd", "touchPoints": [Any]()])
  }

  private func touch(_ type: String, at point: [String: Double]) async throws {
    try await devTools("Input.dispatchTouchEvent", ["type": type, "touchPoints": [point]])
  }

  private func middle(_ selector: String) async throws -> [String: Double] {
    let script = """
      const box = document.querySelector('\(selector)').getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
      """
    let place = try #require(try await run(script) as? [Double])
    return ["x": place[0], "y": place[1]]
  }
}
