/// The most suspicious images of all classes.
struct GallerySection {
  let data: ReportData
  let views: Views

  var section: Page.Section? {
    guard !data.suspicious.isEmpty else { return nil }
    return Page.Section(
      id: "suspicious", title: "Most suspicious",
      content: """
        <p>The labels least likely to be right, of all classes. Below each: the suggested class, the probability \
        that the label is right, and the nearest references of both classes with the cosine of the features. A click \
        on a path copies it.</p>
        \(views.gallery(data.suspicious, in: .suspicious, label: "Most suspicious images"))
        """)
  }
}
