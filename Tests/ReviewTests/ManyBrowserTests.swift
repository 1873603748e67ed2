import Foundation
import Testing
import Workspace

/// One verdict for many images, in the browser.
extension BrowserTests {
  /// Whether a class of the tiles is set, as zeros and ones.
  private func marked(_ browser: Browser, _ name: String) async throws -> String {
    let script =
      "return [...document.querySelectorAll('.tile')].map((tile) => Number(tile.classList.contains('\(name)'))).join('')"
    return try #require(try await browser.run(script) as? String)
  }

  private func pictures(_ browser: Browser) async throws {
    try await browser.wait(
      "document.querySelector('.tile img') && [...document.querySelectorAll('.tile img')].every((one) => one.complete)"
    )
  }

  private func scored(_ count: Int = 180) throws -> ReviewFixture {
    let fixture = try ReviewFixture(count: count)
    try fixture.score { try fixture.isRight($0) ? 0.97 : 0.03 }
    return fixture
  }

  @Test func suspectsOfAPairGetOneVerdict() async throws {
    let fixture = try scored()
    let workspace = fixture.workspace
    try await visit(fixture) { program, browser in
      for (width, height) in [(390, 844), (1366, 768)] {
        try await browser.beScreen(width: width, height: height)
        try await browser.show(program, "#/suspects/pairs")
        try await browser.wait("document.querySelectorAll('.pair').length >= 3")
        try await browser.screenshot("pairs-\(width)")
      }
      try await browser.run("document.querySelector('.pair').click()")
      try await browser.wait("location.hash.startsWith('#/suspects/pair/')")
      try await pictures(browser)
      let samples = try await browser.tiles()
      let all = String(repeating: "1", count: samples.count)
      #expect(try await marked(browser, "chosen") == all)
      // The button says how many it concerns before anything is done.
      try await browser.press("x", Key.right, Key.right, " ")
      try await browser.wait(
        "document.querySelector('.verdicts .accept').textContent.startsWith('\(samples.count - 2) are ')")
      #expect(try workspace.verificationHistory().isEmpty)
      try await browser.screenshot("pair-1366")
      try await browser.press("a")
      try await browser.wait(
        "document.querySelector('#toast').textContent.startsWith('\(samples.count - 2) verdicts')")
      let history = try workspace.verificationHistory()
      #expect(history.count == samples.count - 2)
      #expect(Set(history.map(\.sample)) == Set(samples).subtracting([samples[0], samples[2]]))
      let truth = try fixture.truth.map { try fixture.label($0) }
      #expect(history.allSatisfy { $0.answer == .wrong && $0.correction == truth[$0.sample] })
      // The images left over are chosen for the next verdict.
      try await pictures(browser)
      let rest = try await browser.tiles()
      #expect(Set(rest.prefix(2)) == [samples[0], samples[2]])
      try await browser.wait("document.querySelectorAll('.tile.chosen').length === 2")
      try await browser.press("1")
      try await browser.wait("document.querySelector('#toast').textContent.startsWith('2 verdicts')")
      #expect(try workspace.verificationHistory().count == samples.count)
      // Both can be taken back.
      try await browser.press("u")
      try await browser.wait("document.querySelector('#toast').textContent.includes('taken back')")
      #expect(try workspace.verifications().count == samples.count - 2)
    }
  }

  @Test func digitsNameClasses() async throws {
    let fixture = try ReviewFixture(count: 60)
    let workspace = fixture.workspace
    try await visit(fixture) { program, browser in
      // One by one.
      try await browser.show(program, "#/class/0/one")
      let sample = try await browser.large()
      try await browser.wait("document.querySelectorAll('.likely .chip').length === 2")
      let names = try await browser.run(
        "return [...document.querySelectorAll('.likely .chip span')].map((one) => one.textContent)")
      let second = try #require((names as? [String])?.last)
      try await browser.press("3")
      try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(sample)'")
      var record = try #require(try workspace.verificationHistory().last)
      #expect(record.sample == sample && record.answer == .wrong)
      #expect(record.correction == (try workspace.classNames().firstIndex(of: second)))
      // Many at once: the focused image gets the class, which is shown on it.
      try await browser.show(program, "#/class/1")
      let samples = try await browser.tiles()
      try await browser.wait("document.querySelectorAll('.likely .chip').length === 2")
      let name = try #require(
        try await browser.run("return document.querySelector('.likely .chip span').textContent") as? String)
      try await browser.press(Key.right, "2")
      try await browser.wait("document.querySelector('.tile.other .is')?.textContent === '\(name)'")
      try await browser.screenshot("digits-grid")
      // The same digit again takes it back.
      try await browser.press("2")
      try await browser.wait("!document.querySelector('.tile.other')")
      try await browser.press("2")
      try await browser.commit()
      record = try #require(try workspace.verificationHistory().first { $0.sample == samples[1] })
      #expect(record.answer == .wrong)
      #expect(record.correction == (try workspace.classNames().firstIndex(of: name)))
      #expect(try workspace.verificationHistory().count == 1 + samples.count)
    }
  }

  @Test func whatLooksAlikeGetsOneVerdict() async throws {
    let fixture = try ReviewFixture()
    let workspace = fixture.workspace
    try await visit(fixture) { program, browser in
      try await browser.show(program, "#/class/0/one")
      let sample = try await browser.large()
      try await browser.press("f")
      try await browser.wait("location.hash === '#/similar/\(sample)'")
      try await pictures(browser)
      let samples = try await browser.tiles()
      #expect(samples.count == 24 && samples[0] == sample)
      for (width, height) in [(390, 844), (1366, 768)] {
        try await browser.beScreen(width: width, height: height)
        try await browser.screenshot("similar-\(width)")
      }
      // A class by its name, for images with this label and with others.
      let truth = fixture.truth[sample]
      try await browser.press("c")
      try await browser.wait("document.querySelector('dialog[open] #class-list li')")
      try await browser.press(ReviewFixture.classes[truth].lowercased().prefix(4).map(String.init))
      try await browser.press(Key.enter)
      try await browser.wait("document.querySelector('#toast').textContent.startsWith('24 verdicts')")
      let labels = try workspace.labels().map(Int.init)
      let shown = try fixture.label(truth)
      for record in try workspace.verificationHistory() {
        #expect(record.answer == (labels[record.sample] == shown ? .right : .wrong))
        #expect(record.correction == (labels[record.sample] == shown ? nil : shown))
      }
      // Back leads to where one came from.
      try await browser.run("history.back()")
      try await browser.wait("location.hash === '#/class/0/one'")
    }
  }

  @Test func aLineOnTheMapChooses() async throws {
    let fixture = try scored()
    let workspace = fixture.workspace
    try await visit(fixture) { program, browser in
      try await browser.beScreen(width: 1366, height: 768)
      try await browser.show(program, "#/map")
      try await browser.wait(
        "/180 images on the map/.test(document.querySelector('[role=status].faint').textContent)")
      try await browser.screenshot("map-1366")
      // A line around the left half.
      let box = try #require(
        try await browser.run(
          "const box = document.querySelector('canvas').getBoundingClientRect(); return [box.x, box.y, box.width, box.height]"
        ) as? [Double])
      let (left, top, right, bottom) = (box[0] + 2, box[1] + 2, box[0] + box[2] / 2, box[1] + box[3] - 2)
      func mouse(_ type: String, _ x: Double, _ y: Double) async throws {
        try await browser.devTools(
          "Input.dispatchMouseEvent",
          [
            "type": type, "x": x, "y": y, "button": "left", "buttons": type == "mouseReleased" ? 0 : 1,
            "clickCount": 1,
          ])
      }
      try await mouse("mousePressed", left, top)
      for (x, y) in [(right, top), (right, bottom), (left, bottom)] { try await mouse("mouseMoved", x, y) }
      try await browser.screenshot("map-line")
      let words = try #require(
        try await browser.run("return document.querySelector('[role=status].faint').textContent") as? String)
      let count = try #require(Int(words.prefix { $0.isNumber }))
      #expect(count > 10 && count < 170)
      try await mouse("mouseReleased", left, bottom)
      try await browser.wait("location.hash === '#/map/chosen'")
      try await pictures(browser)
      let samples = try await browser.tiles()
      #expect(samples.count == min(24, count))
      try await browser.press("x", "1")
      try await browser.wait("document.querySelector('#toast').textContent.includes('verdicts saved')")
      #expect(Set(try workspace.verificationHistory().map(\.sample)) == Set(samples.dropFirst()))
      // By keys; what was answered is not on the map any more.
      try await browser.show(program, "#/map")
      try await browser.wait(
        "/\(180 - samples.count + 1) images on the map/.test(document.querySelector('[role=status].faint').textContent)"
      )
      try await browser.run("document.querySelector('canvas').focus()")
      try await browser.press("+", "+", "+", "+", "+", "+", Key.left, Key.enter)
      try await browser.wait("location.hash === '#/map/chosen'")
      try await pictures(browser)
      try await browser.beScreen(width: 390, height: 844)
      try await browser.show(program, "#/map")
      try await browser.wait(
        "/images on the map/.test(document.querySelector('[role=status].faint').textContent)")
      try await browser.screenshot("map-390")
    }
  }

  @Test func copiesSideBySide() async throws {
    let fixture = try ReviewFixture(count: 60)
    func file(_ number: Int) -> URL { fixture.folder.appendingPathComponent("\(number).jpg") }
    try Data(contentsOf: file(5)).write(to: file(6))
    try Data(contentsOf: file(10)).write(to: file(11))
    let workspace = fixture.workspace
    try await visit(fixture) { program, browser in
      try await browser.show(program, "#/copies")
      try await browser.wait("document.querySelector('.copies button')?.textContent === 'Look for copies'")
      try await browser.run("document.querySelector('.copies button').click()")
      try await browser.wait("document.querySelector('.copies [data-image=\"5\"]')")
      for (width, height) in [(390, 844), (1366, 768)] {
        try await browser.beScreen(width: width, height: height)
        let excess = "document.scrollingElement.scrollWidth - innerWidth"
        #expect(try await browser.run("return \(excess)") as? Int == 0)
        try await browser.screenshot("copies-\(width)")
      }
      try await browser.run("document.querySelector('.copies [data-image=\"6\"]').focus()")
      try await browser.press(Key.enter)
      try await browser.wait(
        "document.querySelector('.copies [data-image=\"6\"]').classList.contains('chosen')")
      #expect(try workspace.copies()[5] == 6)
      try await browser.screenshot("copies-decided")
      try await browser.press("u")
      try await browser.wait("!document.querySelector('.copies .chosen')")
      #expect(try workspace.copies().isEmpty)
    }
  }
}
