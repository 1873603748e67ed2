/// Two runs side by side.
struct ComparisonSection {
  let data: ReportData
  let views: Views

  var section: Page.Section? {
    guard let other = data.comparison else { return nil }
    let here = data.summary
    let there = other.summary
    let at = "/comparison/summary"
    return Page.Section(
      id: "comparison", title: "Side by side",
      content: """
        <p>This run beside <b>\(other.about.name)</b> (\(other.about.workspace), \(Page.date(other.about.made))).</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Table of both runs"><table>\
        <caption>Both runs</caption><thead><tr><th scope="col"></th><th scope="col">\(data.about.name)</th>\
        <th scope="col">\(other.about.name)</th></tr></thead><tbody>
        \(row("Images", Figure.count(here.images, "/summary/images"), Figure.count(there.images, "\(at)/images")))
        \(row("Judged", Figure.count(here.judged, "/summary/judged"), Figure.count(there.judged, "\(at)/judged")))
        \(row(
          "Called wrong", Figure.count(here.calledWrong, "/summary/calledWrong"),
          Figure.count(there.calledWrong, "\(at)/calledWrong")))
        \(row(
          "Estimated noise", Figure.percent(here.estimatedNoise, "/summary/estimatedNoise"),
          Figure.percent(there.estimatedNoise, "\(at)/estimatedNoise")))
        \(row(
          "Noise among verified", Figure.share(here.verified, "/summary/verified"),
          Figure.share(there.verified, "\(at)/verified")))
        \(row(
          "Wrong labels left, at most (verified classes)", Figure.percent(here.guarantee?.upper, "/summary/guarantee/upper"),
          Figure.percent(there.guarantee?.upper, "\(at)/guarantee/upper")))
        </tbody></table></div>
        \(agreement(other))
        \(classes(other))
        """)
  }

  private func row(_ name: String, _ here: HTML, _ there: HTML) -> HTML {
    "<tr><th scope=\"row\">\(name)</th><td>\(here)</td><td>\(there)</td></tr>"
  }

  private func agreement(_ other: Comparison) -> HTML {
    guard let agreement = other.agreement else { return "" }
    let at = "/comparison/agreement"
    let examples: HTML =
      agreement.examples.isEmpty
      ? ""
      : """
      <h3>Where they differ most</h3>\(views.gallery(
        agreement.examples.map(\.image), in: .comparison, label: "Where the runs differ most"))
      """
    return """
      <p>Of \(Figure.count(agreement.images, "\(at)/images")) images that both have judged, both keep \
      \(Figure.count(agreement.bothRight, "\(at)/bothRight")) and both call \
      \(Figure.count(agreement.bothWrong, "\(at)/bothWrong")) wrong; \
      \(Figure.count(agreement.onlyHere, "\(at)/onlyHere")) are called wrong only here, \
      \(Figure.count(agreement.onlyThere, "\(at)/onlyThere")) only there.</p>\(examples)
      """
  }

  private func classes(_ other: Comparison) -> HTML {
    guard !other.classes.isEmpty else { return "" }
    let rows = other.classes.enumerated().map { place, row -> HTML in
      let at = "/comparison/classes/\(place)"
      return """
        <tr><th scope="row">\(row.name)</th><td>\(Figure.percent(row.estimatedNoise, "\(at)/estimatedNoise"))</td>\
        <td>\(Figure.percent(row.otherNoise, "\(at)/otherNoise"))</td>\
        <td>\(Figure.count(row.calledWrong, "\(at)/calledWrong"))</td>\
        <td>\(Figure.count(row.otherCalledWrong, "\(at)/otherCalledWrong"))</td></tr>
        """
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Table of classes of both runs"><table class="sortable">\
      <caption>Classes</caption><thead><tr>\
      \(["Class", "Noise here", "Noise there", "Called wrong here", "Called wrong there"].map {
        "<th scope=\"col\"><button type=\"button\" data-sort>\($0)</button></th>" as HTML
      })</tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }
}
