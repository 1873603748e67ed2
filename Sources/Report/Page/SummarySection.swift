/// The faults, in words and figures, and the remedies.
struct SummarySection {
  let data: ReportData

  private var summary: Summary { data.summary }

  var section: Page.Section {
    Page.Section(
      id: "summary", title: "Summary",
      content: """
        \(warnings)
        <p class="lead"><strong>\(conclusion)</strong></p>
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
    let unsure: HTML =
      (summary.unsureDrawn ?? 0) > 0
      ? " They were not sure about \(Figure.count(summary.unsureDrawn ?? 0, "/summary/unsureDrawn")) more."
      : ""
    return """
      \(estimate) People looked at \(Figure.count(verified.of, "/summary/verified/of")) images drawn at random from \
      \(Figure.count(summary.verifiedClasses, "/summary/verifiedClasses")) classes and found \
      \(Figure.count(verified.count, "/summary/verified/count")) labels wrong: \
      \(Figure.share(verified, "/summary/verified")).\(unsure) \(slips)
      """
  }

  /// People err, too.
  private var slips: HTML {
    let contradicted = summary.contradicted ?? 0
    guard contradicted > 0 else { return "" }
    return """
      The model clearly contradicts \(Figure.count(contradicted, "/summary/contradicted")) of people’s verdicts. Some \
      of these may be slips, and slips make every figure here worse: look at them again \
      (<code>cleannet review</code>, Mend).
      """
  }

  /// A sentence for who has to decide.
  private var conclusion: HTML {
    guard let conclusion = summary.conclusion else { return "" }
    let at = "/summary/conclusion"
    let cost: HTML = """
      Looking at \(Figure.count(conclusion.looks, "\(at)/looks")) more random images takes about \
      \(Figure.decimal(conclusion.minutes, "\(at)/minutes", digits: 1)) minutes
      """
    let aim: HTML =
      "at most \(Figure.percent(conclusion.target, "\(at)/target")) of the kept labels are wrong"
    switch conclusion.use {
    case .unknown:
      return "Nothing is known about these labels yet. \(cost) and shows how many are wrong."
    case .use:
      return "Use this data set without the labels called wrong. \(cost) and may show that \(aim)."
    case .clean:
      return "Clean this data set before you rely on it. \(cost) and may show that \(aim)."
    case .avoid:
      return """
        Do not train on this data set as it is: too many labels stay in doubt. \(cost) and shows how many are wrong.
        """
    }
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
          "Verified", Figure.count(summary.looked ?? verified.of, "/summary/looked"),
          """
          \(Figure.count(verified.of, "/summary/verified/of")) of them drawn at random, in \(Figure.count(summary.verifiedClasses, "/summary/verifiedClasses")) of \
          \(Figure.count(summary.classes, "/summary/classes")) classes
          """))
    }
    if let guarantee = summary.guarantee {
      tiles.append(
        tile(
          "Wrong labels left, at most", Figure.percent(guarantee.upper, "/summary/guarantee/upper"),
          "of the kept labels in verified classes, 95 % sure"))
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
      are wrong (95 % sure), because \
      \(Figure.count(guarantee.wrong, "/summary/guarantee/wrong")) of \
      \(Figure.count(guarantee.sample, "/summary/guarantee/sample")) randomly checked ones were. If you \
      stopped checking because this figure looked good, it is at most \
      \(Figure.percent(guarantee.upperAtAnyTime, "/summary/guarantee/upperAtAnyTime")).\(uneven) For classes that nobody verified the \
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
      if let pair = data.confusions.pairs.first, pair.images > 1, pair.isRemarkable != true {
        advice.append(
          """
          No confusion stands out: labels called wrong are spread over the other classes about as chance would spread \
          them.
          """)
      } else if let pair = data.confusions.pairs.first, pair.images > 1 {
        advice.append(
          """
          Start with \(data.classes[pair.label].name) that looks like \(data.classes[pair.suggestion].name): \
          \(Figure.count(pair.images, "/confusions/pairs/0/images")) images, the most frequent confusion, where chance would \
          put about \(Figure.decimal(pair.expected, "/confusions/pairs/0/expected", digits: 0)).
          """)
      }
      advice += merges
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
        <a href="#duplicates">the same or nearly the same image with different labels</a>: unless both classes \
        are in the picture, one of the labels is wrong.
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

  /// Pairs of classes that are taken for each other both ways, often enough that their borders may be at fault.
  private var merges: [HTML] {
    let pairs = data.confusions.pairs.enumerated()
    return pairs.compactMap { place, pair -> HTML? in
      guard pair.label < pair.suggestion, pair.isRemarkable == true, pair.share >= 0.1,
        let back = pairs.first(where: { $1.label == pair.suggestion && $1.suggestion == pair.label }),
        back.element.isRemarkable == true, back.element.share >= 0.1
      else { return nil }
      return """
        Ask whether \(data.classes[pair.label].name) and \(data.classes[pair.suggestion].name) are one class, or define \
        them more sharply: \(Figure.percent(pair.share, "/confusions/pairs/\(place)/share")) of the one look like the \
        other, \(Figure.percent(back.element.share, "/confusions/pairs/\(back.offset)/share")) the other way round.
        """
    }.prefix(3).map { $0 }
  }

  private var remarks: HTML {
    data.remarks.isEmpty
      ? "" : "<ul class=\"remarks\">\(data.remarks.map { "<li>\($0)</li>" as HTML })</ul>"
  }
}
