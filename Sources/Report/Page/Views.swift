/// The views that several sections share: images, galleries, notes.
struct Views {
  private let data: ReportData
  /// By sample its place in ``ReportData/images``.
  private let places: [Int: Int]
  /// Images in the gallery at the top, and in those of classes.
  private let (suspicious, ofClasses): (Set<Int>, Set<Int>)

  init(_ data: ReportData) {
    self.data = data
    places = Dictionary(uniqueKeysWithValues: data.images.enumerated().map { ($1.id, $0) })
    suspicious = Set(data.suspicious)
    ofClasses = Set(data.classes.flatMap { $0.suspicious + $0.borderline })
  }

  /// The page's galleries in their order: an image that several show can be linked to in the first.
  enum Gallery { case suspicious, ofClass, comparison }

  func className(_ label: Int) -> String {
    data.classes.indices.contains(label) ? data.classes[label].name : ""
  }

  /// A list of images with all that is said about them.
  func gallery(_ ids: [Int], in gallery: Gallery, label: String) -> HTML {
    let cards = ids.compactMap { id in
      let isFirst =
        switch gallery {
        case .suspicious: true
        case .ofClass: !suspicious.contains(id)
        case .comparison: !suspicious.contains(id) && !ofClasses.contains(id)
        }
      return card(id, anchor: isFirst ? " id=\"image-\(id)\"" : "")
    }
    return "<ul class=\"gallery\" aria-label=\"\(label)\">\(cards)</ul>"
  }

  /// A list of images with label and path.
  func strip(_ ids: [Int], label: String) -> HTML {
    "<ul class=\"strip\" aria-label=\"\(label)\">\(ids.compactMap(smallCard))</ul>"
  }

  private func card(_ id: Int, anchor: HTML) -> HTML? {
    guard let place = places[id] else { return nil }
    let card = data.images[place]
    let state = card.isWrong.map { $0 ? "wrong" : "right" } ?? "unknown"
    let suggestion = card.suggestion.flatMap { $0 == card.label ? nil : $0 }
    let suggested: HTML =
      suggestion.map {
        """
        <span class="arrow" aria-hidden="true">→</span><span class="visually-hidden">suggested: </span>\
        <b class="suggested">\(className($0))</b>
        """
      } ?? ""
    return """
      <li class="card \(state)"\(anchor)>
      \(picture(card))
      <div class="about">
      <p class="labels"><span class="given">\(className(card.label))</span>\(suggested)</p>
      <p class="chance">probability right \(Figure.percent(card.probability, "/images/\(place)/probability"))\(verification(card))</p>
      \(references(card, place))
      \(path(card.path))
      </div></li>
      """
  }

  private func smallCard(_ id: Int) -> HTML? {
    guard let place = places[id] else { return nil }
    let card = data.images[place]
    return """
      <li class="small">\(picture(card))<p class="labels"><span class="given">\(className(card.label))</span>\
      <small class="split">\(card.split)</small></p>\(path(card.path))</li>
      """
  }

  private func picture(_ card: ImageCard) -> HTML {
    let alternative = "\(card.path), labelled \(className(card.label))"
    guard card.hasThumbnail else {
      return
        "<div class=\"picture empty\" role=\"img\" aria-label=\"\(alternative): no picture\">no picture</div>"
    }
    return "<div class=\"picture\"><img data-picture=\"\(card.id)\" alt=\"\(alternative)\"></div>"
  }

  private func references(_ card: ImageCard, _ place: Int) -> HTML {
    guard !card.references.isEmpty else { return "" }
    let items = card.references.enumerated().map { rank, reference -> HTML in
      let name = className(reference.label)
      return """
        <figure><img data-picture="\(reference.image)" alt="nearest reference of \(name)">\
        <figcaption><span>\(name)</span>\(Figure.decimal(
          reference.similarity, "/images/\(place)/references/\(rank)/similarity", digits: 2))</figcaption></figure>
        """
    }
    return "<div class=\"references\" role=\"group\" aria-label=\"Nearest references\">\(items)</div>"
  }

  private func verification(_ card: ImageCard) -> HTML {
    switch card.verification {
    case true?: " <span class=\"badge right\">verified right</span>"
    case false?: " <span class=\"badge wrong\">verified wrong</span>"
    case nil: ""
    }
  }

  /// A path that a click copies.
  func path(_ path: String) -> HTML {
    "<button type=\"button\" class=\"path\" data-copy=\"\(path)\" title=\"Copy the path\"><bdi>\(path)</bdi></button>"
  }

  static func note(_ text: String) -> HTML { "<p class=\"note\">\(text)</p>" }
}
