import Foundation
import Workspace

/// The report's page: one file without any reference to another place.
struct Page {
  let data: ReportData
  private let json: Data
  private let pictures: Gatherer.Pictures

  init(_ data: ReportData, json: Data, pictures: Gatherer.Pictures) {
    self.data = data
    self.json = json
    self.pictures = pictures
  }

  /// One part of the page, and its entry in the table of contents.
  struct Section {
    var id: String
    var title: String
    var content: HTML
  }

  private var sections: [Section] {
    let views = Views(data)
    return [
      SummarySection(data: data).section, GallerySection(data: data, views: views).section,
      ThresholdSection(data: data).section, ClassSections(data: data, views: views).section,
      ConfusionSection(data: data, views: views).section, MapSection(data: data, views: views).section,
      QualitySection(data: data).section, DuplicateSection(data: data, views: views).section,
      CheckSection(data: data, views: views).section, OddSection(data: data, views: views).section,
      ClassifierSection(data: data).section,
      ComparisonSection(data: data, views: views).section, HistorySection(data: data).section,
    ].compactMap { $0 }
  }

  var document: String {
    let sections = sections
    // Only scripts with this word run, so that none can come in with the data.
    let nonce = StableHash.of(String(decoding: json, as: UTF8.self))
    let html: HTML = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
      style-src 'unsafe-inline'; script-src 'nonce-\(nonce)'; base-uri 'none'; form-action 'none'">
      <meta name="generator" content="cleannet \(data.about.version)">
      <meta name="color-scheme" content="light dark">
      <title>\(data.about.name) – label report</title>
      <style>\(Self.asset(PackageResources.report_css))</style>
      </head>
      <body>
      <a class="skip" href="#summary">Skip to the summary</a>
      <div class="layout">
      <nav class="contents" aria-label="Contents">
      <p class="brand">CleanNet <span>report</span></p>
      <ol>
      \(sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" as HTML })
      </ol>
      <button type="button" class="theme" id="theme" aria-pressed="false">Dark</button>
      </nav>
      <main>
      \(header)
      \(sections.map(Self.section))
      <footer>Made by cleannet \(data.about.version) on \
      <time datetime="\(data.about.made.formatted(.iso8601))">\(Self.date(data.about.made))</time>. \
      Every number is in <code>\(Report.dataName)</code>; all labels called wrong are in \
      <code>\(Report.suspiciousName)</code>.</footer>
      </main>
      </div>
      <div id="status" class="status" role="status" aria-live="polite"></div>
      <noscript><p class="noscript">Pictures, map and slider need JavaScript; all figures are here without it.</p></noscript>
      <script type="application/json" id="report-data">\(.json(String(decoding: json, as: UTF8.self)))</script>
      <script type="application/json" id="report-pictures">\(.json(picturesJSON))</script>
      <script nonce="\(nonce)">\(Self.asset(PackageResources.report_js))</script>
      </body>
      </html>

      """
    return html.markup
  }

  private var header: HTML {
    """
    <header class="title">
    <p class="eyebrow">Label report</p>
    <h1>\(data.about.name)</h1>
    <p class="sub">\(Figure.count(data.summary.images, "/summary/images")) images · \
    \(Figure.count(data.summary.classes, "/summary/classes")) classes · \(Self.date(data.about.made))</p>
    </header>
    """
  }

  private static func section(_ section: Section) -> HTML {
    """
    <section id="\(section.id)" aria-labelledby="\(section.id)-title">
    <h2 id="\(section.id)-title">\(section.title)</h2>
    \(section.content)
    </section>

    """
  }

  /// Data URIs by sample, and the map's sprite.
  private var picturesJSON: String {
    let entries = pictures.thumbnails.sorted { $0.key < $1.key }.map { "\"\($0)\":\"\(Self.dataURI($1))\"" }
    let sprite = pictures.sprite.map { "\"\(Self.dataURI($0))\"" } ?? "null"
    return "{\"images\":{\(entries.joined(separator: ",\n"))},\"sprite\":\(sprite)}"
  }

  private static func dataURI(_ jpeg: [UInt8]) -> String {
    "data:image/jpeg;base64,\(Data(jpeg).base64EncodedString())"
  }

  private static func asset(_ bytes: [UInt8]) -> HTML {
    HTML(trusted: String(decoding: bytes, as: UTF8.self))
  }

  /// "25 November 2026, 02:30 UTC".
  static func date(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_GB")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "d MMMM yyyy, HH:mm 'UTC'"
    return formatter.string(from: date)
  }
}
