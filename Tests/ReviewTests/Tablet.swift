import Foundation
import Testing
import Workspace

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

  /// Controls that can be touched and are smaller than 44 × 44 pixels.
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
    // Asked for beforehand: a finger that waits for an answer rests.
    var places: [[String: Double]] = []
    for selector in selectors { places.append(try await middle(selector)) }
    for (index, place) in places.enumerated() {
      try await touch(index == 0 ? "touchStart" : "touchMove", at: place)
    }
    try await touchUp()
  }

  func touchDown(_ selector: String) async throws {
    try await touch("touchStart", at: try await middle(selector))
  }

  func touchUp() async throws {
    try await devTools("Input.dispatchTouchEvent", ["type": "touchEnd", "touchPoints": [Any]()])
  }

  private func touch(_ type: String, at point: [String: Double]) async throws {
    try await devTools("Input.dispatchTouchEvent", ["type": type, "touchPoints": [point]])
  }

  private func middle(_ selector: String) async throws -> [String: Double] {
    try await wait("document.querySelector('\(selector)')")
    let script = """
      const box = document.querySelector('\(selector)').getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
      """
    let place = try #require(try await run(script) as? [Double])
    return ["x": place[0], "y": place[1]]
  }
}

extension BrowserTests {
  @Test func aTabletNeedsNoKeys() async throws {
    let fixture = try ReviewFixture()
    try await visit(fixture) { program, browser in
      try await browser.beTablet(width: 820, height: 1180)
      // Everything is large enough for a finger and within the width.
      for hash in [
        "#/queue", "#/class/0/one", "#/suspects", "#/progress", "#/similar/5", "#/map", "#/copies",
        "#/class/0",
      ] {
        try await browser.show(program, hash)
        #expect(try await browser.smallTargets() == [], "\(hash)")
        let excess = "document.scrollingElement.scrollWidth - innerWidth"
        #expect(try await browser.run("return \(excess)") as? Int == 0, "\(hash)")
      }
      func mark(_ state: String, _ tiles: Int...) async throws {
        try await browser.wait(
          "[...document.querySelectorAll('.tile')].map((tile, index) => tile.classList.contains('\(state)') ? index : -1)"
            + ".filter((index) => index >= 0).join() === '\(tiles.map(String.init).joined(separator: ","))'")
      }
      let samples = try await browser.tiles()
      try await browser.touch(".tile:nth-child(9)")
      try await mark("wrong", 8)
      try await browser.touch(".tile:nth-child(9)")
      try await mark("wrong")
      // A stroke marks what it passes.
      try await browser.touch(".tile:nth-child(1)", ".tile:nth-child(2)", ".tile:nth-child(3)")
      try await mark("wrong", 0, 1, 2)
      // A finger that rests looks closer.
      try await browser.touchDown(".tile:nth-child(6)")
      try await browser.wait("document.querySelector('dialog[open] img')?.complete")
      // Where the finger is lifted soon, browsers take it for a click on what lies there by now.
      try await browser.run(
        "document.querySelector('dialog .answers button').dispatchEvent(new MouseEvent('click', {bubbles: true, detail: 1}))"
      )
      try await browser.touchUp()
      try await browser.screenshot("look-tablet")
      #expect(try await browser.smallTargets() == [])
      try await browser.touch("dialog .answers button:last-child")
      try await browser.wait("!document.querySelector('dialog')")
      try await mark("unsure", 5)
      try await mark("wrong", 0, 1, 2)
      try await browser.screenshot("grid-tablet")
      try await browser.touch(".commit")
      try await browser.wait("document.querySelector('#toast, .tally').textContent !== ''")
      try await browser.wait("!document.querySelector('.tile.wrong')")
      let workspace = fixture.workspace
      let kept = Dictionary(
        uniqueKeysWithValues: try workspace.verificationHistory().map { ($0.sample, $0.answer) })
      for (place, sample) in samples.enumerated() {
        #expect(kept[sample] == (place < 3 ? .wrong : place == 5 ? .unsure : .right), "image \(place)")
      }
      // One by one.
      try await browser.show(program, "#/class/0/one")
      let sample = try await browser.large()
      try await browser.touch(".stage")
      try await browser.wait("document.querySelector('.stage.zoomed')")
      try await browser.screenshot("single-tablet")
      try await browser.touch(".answers .yes")
      try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(sample)'")
      #expect(try workspace.verificationHistory().count == 13)
    }
  }
}
