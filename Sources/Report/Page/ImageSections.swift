/// Images that occur more than once.
struct DuplicateSection {
  let data: ReportData
  let views: Views

  var section: Page.Section? {
    guard let found = data.duplicates else { return nil }
    let at = "/duplicates"
    let groups = found.groups.indices.map { group($0, found.groups[$0]) }
    let shown: HTML =
      found.groups.count < found.exactGroups + found.nearGroups && found.hidden == nil
      ? Views.note(
        "\(found.groups.count) groups are shown, those across splits and labels first; all are in \(Report.duplicatesName)."
      )
      : ""
    return Page.Section(
      id: "duplicates", title: "Duplicates",
      content: """
        <p>Among \(Figure.count(found.examined, "\(at)/examined")) images, by \(found.method): \
        \(Figure.count(found.exactGroups, "\(at)/exactGroups")) groups of identical and \
        \(Figure.count(found.nearGroups, "\(at)/nearGroups")) groups of nearly identical ones, together \
        \(Figure.count(found.images, "\(at)/images")) images. \
        <b>\(Figure.count(found.acrossSplits, "\(at)/acrossSplits"))</b> groups lie across splits (leakage), \
        <b>\(Figure.count(found.acrossLabels, "\(at)/acrossLabels"))</b> have different labels.</p>
        \(found.hidden.map(Views.note) ?? "")\(shown)
        <div class="groups">\(groups)</div>
        """)
  }

  private func group(_ place: Int, _ group: Duplicates.Group) -> HTML {
    let badges: [HTML] = [
      group.isExact
        ? "<span class=\"badge\">identical</span>" : "<span class=\"badge\">nearly identical</span>",
      group.acrossSplits ? "<span class=\"badge wrong\">across splits</span>" : "",
      group.acrossLabels ? "<span class=\"badge wrong\">different labels</span>" : "",
    ]
    return """
      <div class="panel group"><p>\(badges) \(Figure.count(group.count, "/duplicates/groups/\(place)/count")) \
      images</p>\(views.strip(group.images, label: "Group \(place + 1)"))</div>
      """
  }
}

/// Images that are bad whatever their labels.
struct CheckSection {
  let data: ReportData
  let views: Views

  var section: Page.Section? {
    guard let found = data.checks, found.examined > 0 || found.unreadableCount > 0 else { return nil }
    let flagged = found.checks.indices.filter { found.checks[$0].count > 0 }
    let clean = found.checks.filter { $0.count == 0 }.map { $0.name.lowercased() }
    let none: HTML =
      clean.isEmpty ? "" : Views.note("Looked for and not found: \(clean.joined(separator: ", ")).")
    return Page.Section(
      id: "checks", title: "Image problems",
      content: """
        <p>\(Figure.count(found.examined, "/checks/examined")) of \(Figure.count(found.total, "/checks/total")) \
        images were looked at; \(Figure.count(found.unreadableCount, "/checks/unreadableCount")) could not be read.</p>
        \(unreadable(found))
        <div class="groups wide">\(flagged.map { check($0, found.checks[$0]) })</div>
        \(none)
        """)
  }

  private func unreadable(_ found: ImageChecks) -> HTML {
    guard !found.unreadable.isEmpty else { return "" }
    let rows = found.unreadable.map { problem -> HTML in
      "<tr><td class=\"text\">\(views.path(problem.path))</td><td class=\"text\">\(problem.what)</td></tr>"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="Table of images that cannot be read"><table>\
      <caption>Images that cannot be read</caption><thead><tr><th scope="col">Image</th>\
      <th scope="col" class="text">What is wrong</th></tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }

  private func check(_ place: Int, _ check: ImageChecks.Check) -> HTML {
    let at = "/checks/checks/\(place)"
    return """
      <div class="panel group"><h3>\(check.name)</h3><p>\(Figure.count(check.count, "\(at)/count")) images \
      (\(Figure.percent(check.share, "\(at)/share"))): \(check.rule).</p>
      \(check.hidden.map(Views.note) ?? views.strip(check.images, label: check.name))</div>
      """
  }
}

/// Images and classes that are odd in other ways than by their labels.
struct OddSection {
  let data: ReportData
  let views: Views

  var section: Page.Section? {
    let outliers = data.outliers ?? []
    let ambiguous = data.ambiguous ?? []
    let groups = data.groups ?? []
    guard !outliers.isEmpty || !ambiguous.isEmpty || !groups.isEmpty else { return nil }
    return Page.Section(
      id: "odd", title: "Odd images and classes",
      content: """
        \(list(ambiguous, "Between two classes", "The model cannot say whether these labels are right."))
        \(list(outliers, "Unlike all classes", "These images look least like any class. Some may show something else."))
        \(groups.isEmpty ? "" : table(groups))
        """)
  }

  private func list(_ images: [Int], _ title: String, _ explanation: String) -> HTML {
    images.isEmpty ? "" : "<h3>\(title)</h3><p>\(explanation)</p>\(views.strip(images, label: title))"
  }

  private func table(_ groups: [OddGroup]) -> HTML {
    let rows = groups.enumerated().map { place, group -> HTML in
      """
      <tr><th scope="row">\(views.className(group.label))</th><td class="text">\(group.property)</td>\
      <td>\(Figure.decimal(group.mean, "/groups/\(place)/mean", digits: 2))</td>\
      <td>\(Figure.decimal(group.elsewhere, "/groups/\(place)/elsewhere", digits: 2))</td></tr>
      """
    }
    return """
      <h3>Classes that differ in more than their content</h3>
      <p>A model may learn this difference instead of what the images show.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table of classes that differ"><table>\
      <thead><tr><th scope="col">Class</th><th scope="col" class="text">Property</th><th scope="col">Mean</th>\
      <th scope="col">Elsewhere</th></tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }
}
