/// Which labels are taken for which.
struct ConfusionSection {
  let data: ReportData
  let views: Views

  /// Pairs in the list.
  private static let listed = 20
  /// Classes of which the matrix shows numbers.
  private static let numbered = 25

  var section: Page.Section? {
    let pairs = data.confusions.pairs
    guard !pairs.isEmpty else { return nil }
    return Page.Section(
      id: "confusions", title: "Label → suggestion",
      content: """
        <p>Images whose label is called wrong, by their label and the class that fits best.</p>
        \(matrix)
        <div class="scroll" tabindex="0" role="region" aria-label="Table of the most frequent confusions">
        <table class="sortable"><caption>The most frequent confusions</caption>
        <thead><tr><th scope="col"><button type="button" data-sort>Label</button></th>\
        <th scope="col" class="text"><button type="button" data-sort>Suggestion</button></th>\
        <th scope="col"><button type="button" data-sort>Images</button></th>\
        <th scope="col"><button type="button" data-sort>Of the class</button></th>\
        <th scope="col">Examples</th></tr></thead>
        <tbody>\(pairs.indices.prefix(Self.listed).map(row))</tbody></table></div>
        \(pairs.count > Self.listed ? Views.note("Further pairs are in \(Report.dataName).") : "")
        """)
  }

  private func row(_ place: Int) -> HTML {
    let pair = data.confusions.pairs[place]
    let at = "/confusions/pairs/\(place)"
    let examples = pair.examples.map { id -> HTML in
      "<img class=\"thumb\" data-picture=\"\(id)\" alt=\"\(views.className(pair.label)) that looks like \(views.className(pair.suggestion))\">"
    }
    return """
      <tr><th scope="row">\(views.className(pair.label))</th><td class="text">\(views.className(pair.suggestion))</td>\
      <td>\(Figure.count(pair.images, "\(at)/images"))</td>\
      <td class="bar" style="--share:\("\(pair.share)")">\(Figure.percent(pair.share, "\(at)/share"))</td>\
      <td class="thumbs">\(examples)</td></tr>
      """
  }

  private var matrix: HTML {
    guard let matrix = data.confusions.matrix else { return "" }
    guard matrix.count <= Self.numbered else { return ConfusionMap(data: data, matrix: matrix).html }
    let most = Double(matrix.flatMap { $0 }.max() ?? 1)
    let order = data.classesByName
    let head = order.map { "<th scope=\"col\"><span>\(data.classes[$0].name)</span></th>" as HTML }
    let rows = order.map { label -> HTML in
      let cells = order.map { suggestion -> HTML in
        let count = matrix[label][suggestion]
        if label == suggestion { return "<td class=\"own\"><span class=\"visually-hidden\">same</span></td>" }
        if count == 0 { return "<td class=\"none\">·</td>" }
        let share = (Double(count) / max(most, 1)).squareRoot()
        return """
          <td style="--share:\("\(share.rounded(to: 3) ?? 0)")">\
          \(Figure.count(count, "/confusions/matrix/\(label)/\(suggestion)"))</td>
          """
      }
      return "<tr><th scope=\"row\">\(data.classes[label].name)</th>\(cells)</tr>"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Matrix of labels and suggestions"><table class="matrix">\
      <caption>Rows: label. Columns: suggested class.</caption>
      <thead><tr><td></td>\(head)</tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }
}
