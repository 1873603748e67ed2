import Foundation
import Images
import Testing
import Workspace

@testable import Review

/// The page in a real browser, served by the real program.
@Suite(.serialized, .browser) struct BrowserTests {
  /// Starts the program and enters with the browser.
  func visit(
    _ fixture: ReviewFixture, pageSize: Int = 12, dark: Bool = false, glance: Int = 0,
    expecting expected: [String] = [], body: (ReviewProgram, Browser) async throws -> Void
  ) async throws {
    let program = try await ReviewProgram(fixture, glance: glance)
    let browser = try #require(SharedBrowser.current)
    try await browser.start(dark: dark)
    try await browser.enter(program.links[0], pageSize: pageSize)
    try await body(program, browser)
    let complaints = try await browser.log().filter { line in
      !line.contains("net::ERR_") && !expected.contains(where: line.contains)
    }
    #expect(complaints.isEmpty)
    await program.server.stop()
  }

  @Test func fiftyImagesByKeysInBothViews() async throws {
    let fixture = try ReviewFixture()
    let workspace = fixture.workspace
    func kept() throws -> Int { try workspace.verifications().count }
    try await visit(fixture) { program, browser in
      try await browser.wait("document.querySelectorAll('.card').length === 3")
      try await browser.screenshot("queue-light")

      // Two pages of the grid.
      try await browser.show(program, "#/class/0")
      for page in 1...2 {
        let samples = try await browser.tiles()
        #expect(samples.count == 12)
        for sample in samples {
          if try !fixture.isRight(sample) { try await browser.press("x") }
          try await browser.press(Key.right)
        }
        if page == 1 { try await browser.screenshot("grid-light") }
        try await browser.commit()
        #expect(try kept() == 12 * page)
        #expect(Set(try await browser.tiles()).isDisjoint(with: samples))
      }

      // A reload in the middle shows the same page, unmarked.
      let before = try await browser.tiles()
      try await browser.press("x", Key.right, "x")
      try await browser.wait("document.querySelectorAll('.tile.wrong').length === 2")
      try await browser.reload()
      try await browser.wait("document.querySelectorAll('.tile').length === 12")
      #expect(try await browser.tiles() == before)
      #expect(try await browser.run("return document.querySelectorAll('.tile.wrong').length") as? Int == 0)

      // The last page can be taken back, after the reload too; its marks come with it.
      try await browser.press("u")
      try await browser.wait("document.querySelector('#toast').textContent.includes('12 verdicts')")
      #expect(try kept() == 12)
      try await browser.commit()
      #expect(try kept() == 24)

      // Ranges by Shift.
      try await browser.press([Key.right, Key.right], with: Key.shift)
      try await browser.wait("document.querySelectorAll('.tile.wrong').length === 3")
      try await browser.press("s")
      try await browser.wait("document.querySelectorAll('.tile.unsure').length === 1")

      // One by one.
      try await browser.press("v")
      for count in 25...50 {
        let sample = try await browser.large()
        try await browser.press(try fixture.isRight(sample) ? (count % 2 == 0 ? "1" : Key.right) : "n")
        try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(sample)'")
        #expect(try kept() == count)
      }
      let last = try await browser.large()
      try await browser.press("1")
      try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(last)'")
      try await browser.press("u")
      try await browser.wait("document.querySelector('img.large')?.dataset.image === '\(last)'")
      #expect(try kept() == 50)
      try await browser.screenshot("single-light")
    }
    for (sample, isRight) in try workspace.verifications() {
      #expect(isRight == (try fixture.isRight(sample)), "image \(sample)")
    }
    let looked = try workspace.verificationHistory().filter { $0.client?.hasPrefix("undo:") == false }
    #expect(looked.allSatisfy { $0.person == "Ann" && $0.dwell != nil && $0.selection == .drawn })
  }

  @Test func choosingTheRightClassByTyping() async throws {
    let fixture = try ReviewFixture(count: 60)
    try await visit(fixture) { program, browser in
      let label = try fixture.label(0)
      try await browser.show(program, "#/class/\(label)/one")
      let sample = try await browser.large()
      try await browser.press("c", "s", "n", "e")
      try await browser.wait("document.querySelectorAll('#class-list li').length === 1")
      try await browser.screenshot("choose-light")
      try await browser.press(Key.enter)
      try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(sample)'")
      let record = try #require(try fixture.workspace.verificationHistory().first)
      #expect(record.sample == sample && record.answer == .wrong)
      #expect(record.correction == (try fixture.label(1)))
    }
  }

  @Test func whatElseIsToBeSaidOfAnImage() async throws {
    let fixture = try ReviewFixture(count: 24)
    try await visit(fixture) { program, browser in
      let label = try fixture.label(0)
      try await browser.show(program, "#/class/\(label)/one")
      func press(_ key: String) async throws -> Int {
        let sample = try await browser.large()
        try await browser.press(key)
        try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(sample)'")
        return sample
      }
      try await browser.screenshot("remarks-light")
      let later = try await press("l")
      let bad = try await press("b")
      let noClass = try await press("o")
      var history = try fixture.workspace.verificationHistory()
      #expect(history.map(\.sample) == [bad, noClass])
      #expect(history.map(\.remark) == [.bad, .noClass] && history.map(\.answer) == [.unsure, .wrong])
      // Images that were put off come when nothing else is left.
      let count = try fixture.workspace.labels().count { $0 == label }
      for _ in 0..<count - 3 { _ = try await press("1") }
      #expect(try await browser.large() == later)
      try await browser.press("e")
      try await browser.wait("document.querySelector('.message:not([hidden])') !== null")
      history = try fixture.workspace.verificationHistory()
      #expect(history.count == count && history.last?.sample == later && history.last?.remark == .exclude)
    }
  }

  @Test func aKilledServerLosesNothing() async throws {
    let fixture = try ReviewFixture(count: 60)
    let workspace = fixture.workspace
    try await visit(fixture) { program, browser in
      try await browser.show(program, "#/class/1/one")
      var answered: [Int] = []
      func answer() async throws {
        answered.append(try await browser.large())
        try await browser.press("1")
        try await browser.wait(
          "document.querySelector('img.large')?.dataset.image !== '\(answered.last ?? -1)'")
      }
      for _ in 0..<3 { try await answer() }
      await program.server.stop()
      let held = try await browser.large()
      try await browser.press("0")
      try await browser.wait("!document.querySelector('#offline').hidden")
      // The page does not go on before the answer is kept.
      #expect(try await browser.large() == held)
      try await browser.press("0", "1", "0")
      let again = try await ReviewProgram(fixture, port: program.port)
      try await browser.wait("document.querySelector('#offline').hidden")
      try await browser.wait("document.querySelector('img.large')?.dataset.image !== '\(held)'")
      try await answer()
      let history = try workspace.verificationHistory()
      #expect(history.map(\.sample) == answered[..<3] + [held, answered[3]])
      #expect(history.map(\.answer) == [.right, .right, .right, .wrong, .right])
      let outbox = "Object.entries(localStorage).find(([name]) => name.startsWith('cleannet-outbox'))[1]"
      #expect(try await browser.run("return \(outbox)") as? String == "[]")
      await again.server.stop()
    }
  }

  @Test func twoReviewersAtOnce() async throws {
    let fixture = try ReviewFixture(count: 90)
    let workspace = fixture.workspace
    let program = try await ReviewProgram(fixture, reviewers: ["Ann", "Bob"])
    #expect(program.links.count == 2)
    let mine = try #require(SharedBrowser.current)
    try await Browser.open { theirs in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (browser, link) in zip([mine, theirs], program.links) {
          group.addTask {
            try await browser.start(dark: false)
            try await browser.enter(link, pageSize: 12)
            try await browser.show(program, "#/class/2")
            while try await !browser.tiles().isEmpty { try await browser.commit() }
          }
        }
        try await group.waitForAll()
      }
    }
    let labels = try workspace.labels()
    let members = labels.indices.filter { labels[$0] == 2 }
    let verified = try workspace.verifications().map(\.sample)
    #expect(verified == members)
    // Nobody answers twice, and two answer only what is shown to two.
    let history = try workspace.verificationHistory()
    let byImage = Dictionary(grouping: history, by: \.sample)
    for (sample, records) in byImage {
      #expect(Set(records.map(\.person)).count == records.count)
      #expect(records.count == 1 || sample % Answers.sharedShare == 0)
    }
    await program.server.stop()
  }

  @Test func tenThousandImagesOfOneClass() async throws {
    let fixture = try ReviewFixture(large: 10_000)
    try await visit(fixture, pageSize: 60) { program, browser in
      try await browser.show(program, "#/class/0")
      for page in 0..<3 {
        #expect(try await browser.run("return document.querySelectorAll('.tile').length") as? Int == 60)
        let left = 10_000 - 60 * page
        let text = "\(left / 1000 == 10 ? "10,000" : "9,\(left % 1000)") left"
        try await browser.wait("document.querySelector('.actions').textContent.includes('\(text)')")
        if page == 0 { try await browser.screenshot("grid-60-light") }
        try await browser.commit()
      }
    }
    #expect(try fixture.workspace.verifications().count == 180)
  }

  @Test func aKeyPressedTwiceSavesNothingUnseen() async throws {
    let fixture = try ReviewFixture(count: 60)
    // Nobody is so slow.
    try await visit(fixture, glance: 1_000) { program, browser in
      try await browser.show(program, "#/class/0")
      _ = try await browser.tiles()
      try await browser.wait("[...document.querySelectorAll('.tile img')].every((one) => one.complete)")
      try await browser.press(Key.enter)
      try await browser.wait("document.querySelector('#toast').textContent.includes('Press again')")
      #expect(try fixture.workspace.verificationHistory().isEmpty)
      try await Task.sleep(for: .milliseconds(700))
      try await browser.commit()
      #expect(try fixture.workspace.verificationHistory().count == 12)
      // Where this page ends, another one begins that is asked about again.
      try await browser.wait("[...document.querySelectorAll('.tile img')].every((one) => one.complete)")
      try await browser.press(Key.enter)
      try await browser.wait("document.querySelector('#toast').textContent.includes('Press again')")
      #expect(try fixture.workspace.verificationHistory().count == 12)
    }
  }

  @Test func aMouseMarksByStrokes() async throws {
    let fixture = try ReviewFixture(count: 60)
    try await visit(fixture) { program, browser in
      try await browser.show(program, "#/class/0")
      _ = try await browser.tiles()
      #expect(try await browser.run("return document.querySelector('.tile img').draggable") as? Bool == false)
      try await browser.stroke(".tile:nth-child(2)", ".tile:nth-child(3)", ".tile:nth-child(4)")
      try await browser.wait(
        "[...document.querySelectorAll('.tile')].map((tile) => Number(tile.classList.contains('wrong'))).join('').startsWith('01110')"
      )
    }
  }

  @Test func whoHasNoNameIsAskedUntilThereIsOne() async throws {
    let fixture = try ReviewFixture(count: 12)
    // Chrome notes what leaving clears, and that who has left is not let in.
    try await visit(fixture, expecting: ["Clear-Site-Data header", "(Unauthorized)"]) { program, browser in
      let token =
        try await browser.run(
          "return fetch('/api/invitations', {method: 'POST', headers: {'X-CleanNet': '1', 'Content-Type': 'application/json'}, body: '{}'})"
            + ".then((reply) => reply.json()).then((reply) => reply.token)") as? String
      try await browser.run(
        "return fetch('/api/leave', {method: 'POST', headers: {'X-CleanNet': '1'}}).then(() => 1)")
      try await browser.open("about:blank")
      let link = "\(program.address)#token=\(token ?? "none")"
      try await browser.open(link)
      try await browser.wait("document.querySelector('dialog[open] #person')")
      // Neither Escape nor a click beside it leaves an empty page.
      try await browser.press(Key.escape)
      try await browser.run("document.querySelector('dialog').click()")
      #expect(try await browser.run("return document.querySelector('dialog .close')") is NSNull)
      try await browser.wait("document.querySelector('dialog[open] #person')")
      try await browser.press("B", "o", "b", Key.enter)
      try await browser.wait(
        "document.querySelector('#me').textContent === 'Bob' && document.querySelector('.card')")
    }
  }

  @Test func longNamesAndOddImagesStayInTheirPlaces() async throws {
    let fixture = try ReviewFixture(count: 90) { $0 + String(repeating: "WithoutASpace", count: 12) }
    let panorama = try thumbnailJPEG(
      .pixels(
        RawPixels(width: 800, height: 100, bands: 1, bytes: [UInt8](repeating: 90, count: 80_000)[...])),
      maximumSide: 800, quality: 90)
    try Data(panorama).write(to: fixture.folder.appendingPathComponent("0.jpg"))
    try fixture.score { sample in
      let isRight = try fixture.isRight(sample)
      return sample % 3 == 0 ? 0.45 : isRight ? 0.9 : 0.1
    }
    try await visit(fixture) { program, browser in
      for (width, height) in [(1366, 768), (390, 844)] {
        try await browser.beScreen(width: width, height: height)
        for hash in [
          "#/queue", "#/class/0", "#/class/0/one", "#/suspects", "#/mend", "#/progress", "#/disputes",
          "#/suspects/pairs", "#/suspects/pair/0/1", "#/similar/5", "#/map", "#/copies",
        ] {
          try await browser.show(program, hash)
          let excess = "document.scrollingElement.scrollWidth - innerWidth"
          #expect(try await browser.run("return \(excess)") as? Int == 0, "\(hash) at \(width)")
          try await browser.screenshot(
            "long-\(width)-\(hash.split(separator: "/").dropFirst().joined(separator: "-"))")
        }
        // Nothing lies over the button that leads on.
        try await browser.show(program, "#/queue")
        try await browser.wait("document.querySelector('.card .primary')")
        let isFree = """
          const button = document.querySelector('.card .primary');
          button.scrollIntoView({block: 'center'});
          const box = button.getBoundingClientRect();
          return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)?.closest('a')?.textContent === 'Verify';
          """
        #expect(try await browser.run(isFree) as? Bool == true, "at \(width)")
      }
    }
  }

  @Test func theAccessibilityTreeIsWhole() async throws {
    let fixture = try ReviewFixture()
    let workspace = fixture.workspace
    let labels = try workspace.labels().map(Int.init)
    let records = try labels.indices.filter { labels[$0] < 2 }.prefix(60).map { sample in
      VerificationRecord(
        sample: sample, label: labels[sample], answer: .init(isRight: try fixture.isRight(sample)),
        person: "Cid",
        origin: .reviewed)
    }
    try workspace.addVerifications(Array(records))
    try ShortTraining(workspace: workspace).retrain { _ in }
    let disputed = try #require(try workspace.verifications().first)
    try workspace.addVerifications([
      VerificationRecord(
        sample: disputed.sample, label: labels[disputed.sample],
        answer: .init(isRight: !disputed.isRight), person: "Dee", origin: .reviewed)
    ])
    try await visit(fixture, dark: true) { program, browser in
      let views = [
        ("queue", "#/queue", ".card"), ("grid", "#/class/2", ".tile"),
        ("single", "#/class/2/one", "img.large[src]"),
        ("mend", "#/mend", ".group .tile"), ("pairs", "#/suspects/pairs", ".pair"),
        ("similar", "#/similar/100", ".tile"), ("map", "#/map", "canvas"),
        ("copies", "#/copies", ".copies button"),
        ("suspects", "#/suspects", "img.large[src]"), ("disagreements", "#/disputes", ".opinions"),
        ("progress", "#/progress", "tbody tr"), ("history", "#/history", ".history li"),
      ]
      for (name, hash, sign) in views {
        try await browser.show(program, hash)
        try await browser.wait("document.querySelector('\(sign)')")
        try await browser.screenshot("\(name)-dark")
        let nodes = try await browser.accessibilityTree()
        Self.check(nodes, of: name)
      }
      // The first link leads past the tabs, and to no other view.
      try await browser.show(program, "#/suspects")
      try await browser.run("document.querySelector('.skip-link').click()")
      try await browser.wait("document.activeElement.id === 'view' && location.hash === '#/suspects'")
      // Many suggestions at once can be taken back.
      try await browser.wait("document.querySelector('img.large[src]')")
      let first = try await browser.large()
      try await browser.run("document.querySelector('.tools button').click()")
      try await browser.run(
        "const above = document.querySelector('#above'); above.value = 50; above.dispatchEvent(new Event('input'))"
      )
      // How many, and which, is said first.
      try await browser.wait(
        "/^Accept [0-9]+$/.test(document.querySelector('dialog form button').textContent)")
      try await browser.wait("document.querySelector('dialog figure img')?.complete")
      try await browser.screenshot("accept-dark")
      try await browser.run("document.querySelector('dialog form button').click()")
      try await browser.wait("document.querySelector('#toast').textContent.includes('accepted')")
      let accepted = try workspace.currentAnswers().count { $0.origin == .accepted }
      #expect(accepted > 0)
      // From another view.
      try await browser.show(program, "#/class/2")
      try await browser.wait("document.querySelector('.tile')")
      try await browser.press("u")
      try await browser.wait("document.querySelector('#toast').textContent.includes('taken back')")
      try await browser.show(program, "#/suspects")
      #expect(try workspace.currentAnswers().count { $0.origin == .accepted } == 0)
      try await browser.wait("document.querySelector('img.large')?.dataset.image === '\(first)'")
      // The help opens by its key, takes the focus and closes by Escape.
      try await browser.press("?")
      try await browser.wait("document.querySelector('dialog[open]')?.contains(document.activeElement)")
      try await browser.wait("document.querySelectorAll('dialog kbd').length > 10")
      try await browser.screenshot("help-dark")
      try await browser.press(Key.escape)
      try await browser.wait("!document.querySelector('dialog')")
    }
  }

  /// Things that every view must tell screen readers.
  private static func check(_ nodes: [Browser.AccessibleNode], of view: String) {
    let titles = nodes.filter { $0.role == "heading" && $0.level == 1 }
    #expect(titles.count == 1, "\(view)")
    let roles = Set(nodes.map(\.role))
    #expect(roles.isSuperset(of: ["main", "navigation", "banner"]), "\(view): \(roles)")
    let speaking: Set = [
      "button", "link", "option", "combobox", "searchbox", "slider", "textbox", "listbox", "img", "image",
    ]
    let mute = nodes.filter { speaking.contains($0.role) && $0.name.isEmpty }
    #expect(mute.isEmpty, "\(view): \(mute)")
    guard view == "grid" else { return }
    let tiles = nodes.filter { $0.role == "option" && $0.name.hasPrefix("Image ") }
    #expect(tiles.count == 12)
    let lists = nodes.filter { $0.role == "listbox" && $0.isMultiselectable }
    #expect(lists.count == 1)
  }
}
