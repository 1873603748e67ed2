/// All classes in a table, and the noisiest one by one.
struct ClassSections {
  let data: ReportData
  let views: Views

  /// Sections that are open at first.
  private static let open = 3

  var section: Page.Section {
    let detailed = data.classes.indices.filter { data.classes[$0].isDetailed }.sorted {
      (data.classes[$0].estimatedNoise ?? 0, $1) > (data.classes[$1].estimatedNoise ?? 0, $0)
    }
    let details = detailed.enumerated().map { rank, label in detail(label, isOpen: rank < Self.open) }
    let buttons: HTML =
      detailed.isEmpty
      ? ""
      : """
      <h3>Class by class, the noisiest first</h3>
      <p class="tools"><button type="button" data-details="open">Open all</button> \
      <button type="button" data-details="close">Close all</button></p>
      """
    return Page.Section(
      id: "classes", title: "Classes", content: "\(table)\(buttons)\(details)")
  }

  private var table: HTML {
    let filter: HTML =
      data.classes.count > 15
      ? """
      <p class="tools"><label for="class-filter">Show classes named</label> <input id="class-filter" type="search" \
      data-filter="class-table"></p>
      """ : ""
    return """
      \(filter)
      <div class="scroll" tabindex="0" role="region" aria-label="Table of classes">
      <table id="class-table" class="sortable"><caption>Noise by class. Intervals hold with 95 % confidence for images \
      verified at random.</caption>
      <thead><tr>\(columns.map { name in
        "<th scope=\"col\"><button type=\"button\" data-sort>\(name)</button></th>" as HTML
      })</tr></thead>
      <tbody>\(data.classesByName.map(row))</tbody></table></div>
      """
  }

  private var columns: [String] {
    [
      "Class", "Images", "Called wrong", "Estimated noise", "Verified", "Noise among verified",
      "Wrong labels left, at most",
    ]
  }

  private func row(_ label: Int) -> HTML {
    let report = data.classes[label]
    let at = "/classes/\(label)"
    let name: HTML =
      report.isDetailed ? "<a href=\"#class-\(label)\">\(report.name)</a>" : "\(report.name)"
    let verified: HTML =
      report.verified.map { Figure.count($0.of, "\(at)/verified/of") } ?? "<span class=\"none\">0</span>"
    return """
      <tr><th scope="row">\(name)</th><td>\(Figure.count(report.images, "\(at)/images"))</td>\
      <td>\(Figure.count(report.calledWrong, "\(at)/calledWrong"))</td>\
      <td class="bar" style="--share:\("\(report.estimatedNoise ?? 0)")">\
      \(Figure.percent(report.estimatedNoise, "\(at)/estimatedNoise"))</td>\
      <td>\(verified)</td><td>\(Figure.share(report.verified, "\(at)/verified"))</td>\
      <td>\(Figure.percent(report.guaranteedUpper, "\(at)/guaranteedUpper"))</td></tr>
      """
  }

  private func detail(_ label: Int, isOpen: Bool) -> HTML {
    let report = data.classes[label]
    let at = "/classes/\(label)"
    let verified: HTML =
      report.verified.map {
        """
        Of \(Figure.count($0.of, "\(at)/verified/of")) verified images \
        \(Figure.count($0.count, "\(at)/verified/count")) are wrong: \(Figure.share($0, "\(at)/verified")).
        """
      } ?? "Nobody has verified images of this class; the figures are the model’s."
    return """
      <details class="class" id="class-\(label)"\(isOpen ? " open" : "" as HTML)>
      <summary><h4>\(report.name)</h4><span>\(Figure.count(report.calledWrong, "\(at)/calledWrong")) of \
      \(Figure.count(report.judged, "\(at)/judged")) called wrong</span>\
      <span>estimated noise \(Figure.percent(report.estimatedNoise, "\(at)/estimatedNoise"))</span></summary>
      <div class="class-body"><p>\(verified)</p>
      \(report.histogram.map { HistogramView($0, name: report.name, basis: data.about.basis).html } ?? "")
      \(gallery("Most suspicious", report.suspicious, report.name))
      \(gallery("Borderline: nearest to the threshold", report.borderline, report.name))
      </div></details>
      """
  }

  private func gallery(_ title: String, _ ids: [Int], _ name: String) -> HTML {
    ids.isEmpty ? "" : "<h5>\(title)</h5>\(views.gallery(ids, in: .ofClass, label: "\(title), \(name)"))"
  }
}
