/// What is wrong, in words and figures, and what to do.
struct SummarySection {
  let data: ReportData

  private var summary: Summary { data.summary }

  var section: Page.Section {
    Page.Section(
      id: "summary", title: "Summary",
      content: """
        \(warnings)
        <p class="lead">\(lead)</p>
        <dl class="tiles">\(tiles)</dl>
        \(guarantee)
        <h3>What to do</h3>
        <ol class="advice">\(advice.map { "<li>\($0)</li>" as HTML })</ol>
        \(remarks)
        """)
  }

  private var warnings: HTML {
    data.about.isStale
      ? """
      <p class="warning" role="note">The scores are out of date: images, labels or verified images have changed \
      since. Run <code>cleannet train</code> and <code>cleannet score</code>, then make the report again.</p>
      """ : ""
  }

  private var lead: HTML {
    guard summary.judged > 0 else {
      return """
        No label has been judged yet. What follows is what the images alone say.
        """
    }
    let estimate: HTML = """
      About <strong>\(Figure.percent(summary.estimatedNoise, "/summary/estimatedNoise"))</strong> of the \
      \(Figure.count(summary.judged, "/summary/judged")) labels judged are wrong by the model’s estimate; \
      \(Figure.count(summary.calledWrong, "/summary/calledWrong")) are called wrong.
      """
    guard let verified = summary.verified else { return estimate }
    return """
      \(estimate) People looked at \(Figure.count(verified.of, "/summary/verified/of")) images drawn at random from \
      \(Figure.count(summary.verifiedClasses, "/summary/verifiedClasses")) classes and found \
      \(Figure.count(verified.count, "/summary/verified/count")) labels wrong: \
      \(Figure.share(verified, "/summary/verified")).
      """
  }

  private var tiles: HTML {
    var tiles: [HTML] = [
      tile("Images", Figure.count(summary.images, "/summary/images"), splits),
      tile(
        "Called wrong", Figure.count(summary.calledWrong, "/summary/calledWrong"), "by model or verification"),
      tile(
        "Estimated noise", Figure.percent(summary.estimatedNoise, "/summary/estimatedNoise"),
        "the model’s estimate, all classes"),
    ]
    if let verified = summary.verified {
      tiles.append(
        tile(
          "Noise among verified", Figure.percent(verified.value, "/summary/verified/value"),
          """
          95 % interval \(Figure.percent(verified.low, "/summary/verified/low"))–\
          \(Figure.percent(verified.high, "/summary/verified/high"))
          """))
      tiles.append(
        tile(
          "Verified", Figure.count(verified.of, "/summary/verified/of"),
          """
          in \(Figure.count(summary.verifiedClasses, "/summary/verifiedClasses")) of \
          \(Figure.count(summary.classes, "/summary/classes")) classes
          """))
    }
    if let guarantee = summary.guarantee {
      tiles.append(
        tile(
          "Left at most", Figure.percent(guarantee.upper, "/summary/guarantee/upper"),
          "of the labels kept in verified classes"))
    }
    return tiles.reduce("") { $0 + $1 }
  }

  private var splits: HTML {
    let parts = summary.splits.enumerated().filter { $1.images > 0 }.map { place, split -> HTML in
      let name: HTML = split.name.isEmpty ? "no split" : "\(split.name)"
      return "\(Figure.count(split.images, "/summary/splits/\(place)/images")) \(name)"
    }
    return parts.dropFirst().reduce(parts.first ?? "") { $0 + " · " + $1 }
  }

  private func tile(_ name: String, _ value: HTML, _ explanation: HTML) -> HTML {
    """
    <div class="tile"><dt>\(name)</dt><dd class="figure">\(value)</dd><dd class="small-print">\(explanation)</dd></div>
    """
  }

  private var guarantee: HTML {
    guard let guarantee = summary.guarantee else {
      return summary.judged > 0
        ? Views.note(
          "Nothing is verified, so nothing can be guaranteed: all figures are the model’s estimates.")
        : ""
    }
    let uneven: HTML =
      summary.verifiedUnevenly
      ? " Classes were verified at different rates, so the share among all verified images is not that of the data set."
      : ""
    return """
      <p class="guarantee">Of the \(Figure.count(guarantee.kept, "/summary/guarantee/kept")) labels that are kept in \
      the verified classes, at most <strong>\(Figure.percent(guarantee.upper, "/summary/guarantee/upper"))</strong> \
      are wrong, with \(Figure.percent(guarantee.confidence, "/summary/guarantee/confidence")) confidence: \
      \(Figure.count(guarantee.wrong, "/summary/guarantee/wrong")) of \
      \(Figure.count(guarantee.sample, "/summary/guarantee/sample")) verified images among them are (Clopper and \
      Pearson’s bound; it holds for verified images drawn at random).\(uneven) For classes that nobody verified the \
      figures are estimates.</p>
      """
  }

  private var advice: [HTML] {
    var advice: [HTML] = []
    if summary.judged == 0 {
      advice.append(
        """
        Verify a few dozen random images of two or more classes (<code>cleannet verify export todo.csv \
        --unverified 30</code>), then <code>cleannet train</code> and <code>cleannet score</code>.
        """)
    } else {
      if summary.calledWrong > 0 {
        advice.append(
          """
          Look through the <a href="#suspicious">most suspicious images</a>; all \
          \(Figure.count(summary.calledWrong, "/summary/calledWrong")) are listed in \
          <code>\(Report.suspiciousName)</code>. Or leave them out: <code>cleannet export dataset --out \
          CLEANED</code>.
          """)
      }
      if let pair = data.confusions.pairs.first, pair.images > 1 {
        advice.append(
          """
          Start with \(data.classes[pair.label].name) that looks like \(data.classes[pair.suggestion].name): \
          \(Figure.count(pair.images, "/confusions/pairs/0/images")) images, the most frequent confusion.
          """)
      }
      if summary.verifiedClasses < summary.classes {
        advice.append(
          """
          Verify 25 to 200 random images in further classes: the guarantee then covers them, and the judgement gets \
          better everywhere.
          """)
      }
    }
    if let duplicates = data.duplicates, duplicates.hidden == nil, duplicates.acrossSplits > 0 {
      advice.append(
        """
        Take \(Figure.count(duplicates.acrossSplits, "/duplicates/acrossSplits")) groups of \
        <a href="#duplicates">duplicates across splits</a> apart: a test image that was trained on measures nothing.
        """)
    }
    if let duplicates = data.duplicates, duplicates.hidden == nil, duplicates.acrossLabels > 0 {
      advice.append(
        """
        Look at \(Figure.count(duplicates.acrossLabels, "/duplicates/acrossLabels")) groups of \
        <a href="#duplicates">the same or nearly the same image with different labels</a>: at least one label of \
        the same image is wrong.
        """)
    }
    if summary.unreadable > 0 {
      advice.append(
        """
        Replace or remove <a href="#checks">the images that cannot be read</a>: \
        \(Figure.count(summary.unreadable, "/summary/unreadable")).
        """)
    }
    return advice.isEmpty ? ["Nothing: no label is called wrong."] : advice
  }

  private var remarks: HTML {
    data.remarks.isEmpty
      ? "" : "<ul class=\"remarks\">\(data.remarks.map { "<li>\($0)</li>" as HTML })</ul>"
  }
}
