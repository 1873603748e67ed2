import Foundation
import Testing

/// The report, made by the built program on real images and looked at in a real browser.
///
/// `CLEANNET_SCREENSHOTS=folder swift test --filter ReportTests` keeps pictures of it.
@Suite("The report", .serialized) struct ReportTests {
  /// A file name that would run a script if it were taken for markup.
  private static let hostile = "<img src=x onerror=\"document.title='hacked'\">&amp;'.jpg"

  /// 160 images, two classes verified, scored; one image bad, one twice, one with markup in its name.
  private func prepare(_ cleannet: Program) async throws {
    let images = try RealImages(count: 160, in: cleannet.folder)
    var manifest = try cleannet.read("images.csv")
    try cleannet.write("images/text.jpg", "no image")
    let twice = try #require(images.truth.keys.min())
    let bytes = try Data(contentsOf: cleannet.folder.appendingPathComponent(twice))
    try bytes.write(to: cleannet.folder.appendingPathComponent("images/twice.jpg"))
    let other = try #require(images.truth.keys.max())
    try Data(contentsOf: cleannet.folder.appendingPathComponent(other)).write(
      to: cleannet.folder.appendingPathComponent("images/\(Self.hostile)"))
    let quoted = Self.hostile.replacingOccurrences(of: "\"", with: "\"\"")
    manifest += "images/text.jpg,Bag,Bag\nimages/twice.jpg,Sandal,Sandal\n"
    manifest += "\"images/\(quoted)\",\"<b>Bag</b>\",Bag\n"
    try cleannet.write("images.csv", manifest)
    try await cleannet.succeed("import", "images.csv")
    try await cleannet.succeed("embed", "--size", "64")
    try await cleannet.succeed(
      "verify", "simulate", "--truth", "truth", "--classes", "Bag,Sneaker", "--per-class", "20")
    try await cleannet.succeed("train", "--steps", "60")
    try await cleannet.succeed("score")
  }

  @Test("every number of the page is that of the JSON; names are harmless; the slider works")
  func page() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    try await prepare(cleannet)
    try await cleannet.succeed("report", "--out", "first")
    let printed = try await cleannet.succeed(
      "report", "--out", "report", "--truth", "truth", "--compare", "first", "--json"
    ).json()
    let file = cleannet.folder.appendingPathComponent("report/report.json")
    let data = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    #expect(NSDictionary(dictionary: printed) == NSDictionary(dictionary: data))
    let summary = try #require(data["summary"] as? [String: Any])
    #expect(summary["images"] as? Int == 163 && summary["judged"] as? Int == 162)
    #expect(
      (summary["verified"] as? [String: Any])?["of"] as? Int == 40 && summary["unreadable"] as? Int == 1)

    let page = cleannet.folder.appendingPathComponent("report/index.html")
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(text.utf8.count < 10_000_000)
    // Nothing is fetched from anywhere.
    #expect(text.firstMatch(of: /(src|href)\s*=\s*["'](https?:|\/|file:)/) == nil)
    let browser = try Browser(in: cleannet.folder)
    let rendered = try await browser.render(page)
    #expect(rendered.console == [])
    let figures = try Figures(rendered.dom)
    #expect(figures.count > 300)
    let values = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file))
    #expect(figures.differences(from: values) == [])

    // Sections that this workspace has reason for.
    for id in [
      "summary", "suspicious", "threshold", "classes", "confusions", "map", "quality", "duplicates",
      "checks", "comparison", "history",
    ] { #expect(rendered.dom.contains("<section id=\"\(id)\""), "\(id)") }
    let duplicates = try #require(data["duplicates"] as? [String: Any])
    #expect(duplicates["exactGroups"] as? Int == 2 && duplicates["acrossLabels"] as? Int ?? 0 >= 1)
    #expect(rendered.dom.contains("images/twice.jpg") && rendered.dom.contains("images/text.jpg"))

    // Markup in names stays text.
    #expect(rendered.dom.contains("&lt;img src=x onerror="))
    #expect(!rendered.dom.contains("<img src=\"x\"") && !rendered.dom.contains("<b>Bag</b>"))
    #expect(rendered.dom.firstMatch(of: /<title>([^<]*)<\/title>/)?.1 == "w – label report")

    // The slider, moved by the address.
    let moved = try await browser.render(page, fragment: "#threshold=0.2")
    #expect(moved.console == [])
    let after = try Figures(moved.dom)
    #expect(after.differences(from: values) == [])
    #expect(after.value(at: "/sweep/rows/20/threshold") == 0.2)
    #expect(after.value(at: "/sweep/rows/20/dropped") != nil && after.value(at: "/sweep/rows/50/kept") == nil)

    try await act(on: page, in: browser, values)

    if let target = ProcessInfo.processInfo.environment["CLEANNET_SCREENSHOTS"] {
      try await browser.takeScreenshots(of: page, into: URL(fileURLWithPath: target))
    }

    let suspicious = try cleannet.read("report/suspicious.csv").split(separator: "\n")
    #expect(suspicious.count - 1 == summary["calledWrong"] as? Int)
    #expect(try cleannet.read("report/duplicates.csv").contains("images/twice.jpg,Sandal"))
  }

  /// Moves the slider, sorts a table, copies a path, and goes from a point of the map to the gallery.
  private func act(on page: URL, in browser: Browser, _ values: JSONValue) async throws {
    let rendered = try await browser.render(
      page,
      acting: """
        const seen = {};
        const slider = document.getElementById("slider");
        slider.value = 35;
        slider.dispatchEvent(new Event("input"));
        const table = document.getElementById("class-table");
        const column = () => [...table.tBodies[0].rows].map((row) => row.cells[1].textContent).join(" ");
        const head = table.tHead.rows[0].cells[1].querySelector("button");
        head.click();
        seen.falling = column();
        head.click();
        seen.rising = column();
        Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { seen.copied = text; } } });
        const path = document.querySelector("#suspicious .path");
        seen.path = path.textContent;
        path.click();
        const { map } = JSON.parse(document.getElementById("report-data").textContent);
        const canvas = document.getElementById("map-canvas");
        const box = canvas.getBoundingClientRect();
        // The most suspicious point that lies alone: none hides it.
        const place = (point) => map.neighborhood[point].map((value, axis) =>
          12 + (axis ? 1 - value : value) * ((axis ? canvas.clientHeight : canvas.clientWidth) - 24));
        const isAlone = (point) => map.ids.every((_, other) => other === point
          || Math.hypot(...place(point).map((value, axis) => value - place(other)[axis])) > 1);
        const point = map.ids.findIndex((id, point) => document.getElementById(`image-${id}`) && isAlone(point));
        const [x, y] = place(point);
        canvas.dispatchEvent(new PointerEvent("click", { clientX: box.left + x, clientY: box.top + y, bubbles: true }));
        seen.pointed = String(document.querySelector("#map-detail .path").textContent === map.paths[point]);
        [...document.querySelectorAll("#map-detail button")].at(-1).click();
        seen.found = String(document.querySelector(".card.found").id === `image-${map.ids[point]}`);
        setTimeout(() => { for (const [name, value] of Object.entries(seen)) document.body.setAttribute(`data-seen-${name}`, value); }, 100);
        """)
    #expect(rendered.console == [])
    func seen(_ name: String) throws -> Substring? {
      try Regex("<body[^>]* data-seen-\(name)=\"([^\"]*)\"", as: (Substring, Substring).self)
        .firstMatch(in: rendered.dom)?.output.1
    }
    let figures = try Figures(rendered.dom)
    #expect(figures.differences(from: values) == [])
    #expect(figures.value(at: "/sweep/rows/35/kept") != nil)
    let falling = try #require(try seen("falling")).split(separator: " ").compactMap { Int($0) }
    #expect(falling.count == 5 && falling == falling.sorted(by: >))
    #expect(try seen("rising")?.split(separator: " ").compactMap { Int($0) } == falling.sorted())
    let path = try #require(try seen("path"))
    #expect(!path.isEmpty)
    #expect(try seen("copied") == path)
    #expect(try seen("pointed") == "true")
    #expect(try seen("found") == "true")
  }

  @Test("before anything is scored the images themselves are reported on")
  func unscored() async throws {
    let cleannet = try Program()
    defer { cleannet.remove() }
    _ = try RealImages(count: 30, in: cleannet.folder)
    try await cleannet.succeed("import", "images.csv")
    try await cleannet.succeed("report")
    let page = cleannet.folder.appendingPathComponent("w/report/index.html")
    let rendered = try await Browser(in: cleannet.folder).render(page)
    #expect(rendered.console == [])
    #expect(rendered.dom.contains("No label has been judged yet"))
    #expect(!rendered.dom.contains("<section id=\"threshold\""))
    let missing = try await cleannet("report", "--compare", "nowhere")
    #expect(missing.status == 66 && missing.errors.contains("neither a workspace nor an earlier report"))
  }
}

/// Any JSON, its numbers exactly: `JSONSerialization` is off by a last place here and there.
private enum JSONValue: Decodable {
  case object([String: JSONValue])
  case list([JSONValue])
  case number(Double)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .list(value)
    } else if let value = try? container.decode([String: JSONValue].self) {
      self = .object(value)
    } else {
      self = .other
    }
  }

  subscript(key: String) -> JSONValue {
    switch self {
    case .object(let members): return members[key] ?? .other
    case .list(let values):
      return Int(key).flatMap { values.indices.contains($0) ? values[$0] : nil } ?? .other
    case .number, .other: return .other
    }
  }
}

/// The numbers of a rendered page: elements `data` with their value, its place in the JSON, and the text shown.
private struct Figures {
  private var found: [(pointer: String, value: String, form: String, text: String)] = []

  init(_ dom: String) throws {
    let pattern = try Regex(
      #"<data value="([^"]*)" data-at="([^"]*)" data-as="([^"]*)">([^<]*)</data>"#,
      as: (Substring, Substring, Substring, Substring, Substring).self)
    for match in dom.matches(of: pattern) {
      let (_, value, pointer, form, text) = match.output
      found.append((String(pointer), String(value), String(form), String(text)))
    }
    // Whatever the order of attributes, no element may be passed over.
    #expect(found.count == dom.ranges(of: "<data ").count)
  }

  var count: Int { found.count }

  func value(at pointer: String) -> Double? {
    found.first { $0.pointer == pointer }.flatMap { Double($0.value) }
  }

  /// The differences between the page and the JSON.
  func differences(from data: JSONValue) -> [String] {
    found.compactMap { figure in
      let value = figure.pointer.split(separator: "/").reduce(data) { $0[String($1)] }
      guard case .number(let number) = value, number == Double(figure.value) else {
        return "\(figure.pointer): \(figure.value), not \(value)"
      }
      let shown = figure.form == "percent" ? number * 100 : number
      let plain = figure.text.filter { $0.isNumber || $0 == "." || $0 == "-" || $0 == "−" }
      let digits = plain.split(separator: ".").dropFirst().first?.count ?? 0
      let unit = 0.5 * (0..<digits).reduce(1.0) { half, _ in half / 10 }
      guard let text = Double(plain.replacingOccurrences(of: "−", with: "-")),
        abs(text - shown) <= (figure.form == "count" ? 0 : unit * 1.001)
      else { return "\(figure.pointer): shows \(figure.text) for \(number)" }
      return nil
    }
  }
}
