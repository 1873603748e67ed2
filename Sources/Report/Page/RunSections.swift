import Evaluation
import Foundation

/// The classifiers' gain from the weights.
struct ClassifierSection {
  let data: ReportData

  var section: Page.Section? {
    guard !data.classifiers.isEmpty else { return nil }
    return Page.Section(
      id: "classifiers", title: "Classifiers", content: "\(data.classifiers.indices.map(run))")
  }

  private func run(_ place: Int) -> HTML {
    let run = data.classifiers[place]
    let at = "/classifiers/\(place)"
    let tests: HTML = run.testImages.map { " on \(Figure.count($0, "\(at)/testImages")) test images" } ?? ""
    let rows = run.rows.enumerated().map { index, row -> HTML in
      let own = "\(at)/rows/\(index)"
      return """
        <tr><th scope="row">\(row.weights)</th><td>\(Figure.percent(row.top1.mean, "\(own)/top1/mean")) \
        <small>(\(Figure.percent(row.top1.low, "\(own)/top1/low"))–\
        \(Figure.percent(row.top1.high, "\(own)/top1/high")))</small></td>\
        <td>\(Figure.percent(row.gainShare, "\(own)/gainShare"))</td></tr>
        """
    }
    let table: HTML =
      rows.isEmpty
      ? ""
      : """
      <table><caption>Accuracy by sample weights</caption><thead><tr><th scope="col">Weights</th>\
      <th scope="col">Top-1 accuracy</th><th scope="col">Of the oracle’s gain</th></tr></thead>\
      <tbody>\(rows)</tbody></table>
      """
    let losses = run.curves.filter { $0.name.lowercased().contains("loss") }
    let shares = run.curves.filter { !$0.name.lowercased().contains("loss") }
    return """
      <div class="panel group"><h3>\(Self.title(run)), \(Page.date(run.date))\(tests)</h3>\(table)\
      <div class="plots">\(plot(losses, "loss", place))\(plot(shares, "share", place))</div></div>
      """
  }

  private static func title(_ run: ClassifierRun) -> String {
    switch run.stage {
    case "classify": run.weights.map { "Training, images weighed by \($0)" } ?? "Training"
    case "classify-rounds": "CleanNet and the network in turn"
    case "classify-compare": "Ways to weigh, compared"
    default: run.stage
    }
  }

  /// The names of numbers in the records, in words.
  private static let quantities = [
    "loss": "training", "validationLoss": "held out", "validationTop1": "held out, top-1",
    "top1": "top-1",
  ]

  /// Quantities of different kinds do not share an axis.
  private func plot(_ curves: [ClassifierRun.Curve], _ name: String, _ place: Int) -> HTML {
    guard !curves.isEmpty else { return "" }
    let plot = LinePlot(
      title: "Run \(place + 1): \(name)", xLabel: "epoch or round", yLabel: name,
      lines: curves.map { curve in
        LinePlot.Line(
          name: Self.quantities[curve.name] ?? curve.name,
          points: curve.points.map { LinePlot.Point(x: $0[0], y: $0[1]) }, hasMarks: true)
      })
    return HTML(trusted: plot.svg())
  }
}

/// How it was made, so that it can be made again.
struct HistorySection {
  let data: ReportData

  var section: Page.Section {
    let sources = data.about.sources.enumerated().map { place, source -> HTML in
      """
      <tr><td class="text">\(source.path)</td><td class="text">\(source.format)</td>\
      <td>\(Figure.count(source.images, "/about/sources/\(place)/images"))</td></tr>
      """
    }
    let features = data.about.features.sorted { $0.key < $1.key }
    return Page.Section(
      id: "history", title: "How this was made",
      content: """
        <dl class="facts">\(fact("Workspace", data.about.workspace))\
        \(fact("Version", "cleannet \(data.about.version)"))\
        \(data.about.objective.map { fact("Objective", $0) } ?? "")\
        \(fact("Threshold on", data.about.basis))\
        \(data.about.neighborRecall.map(recall) ?? "")\
        \(data.about.truth.map { fact("True labels", "column “\($0)”, for measuring only") } ?? "")\
        \(features.map { fact("Features: \($0.key)", $0.value) })</dl>
        <h3>Commands</h3>
        <p>Verdicts are in the workspace. <code>cleannet verify export verdicts.csv</code> saves them, \
        <code>cleannet verify import verdicts.csv</code> brings them back. All else follows from:</p>
        <div class="command"><pre id="commands" tabindex="0">\(data.commands.joined(separator: "\n"))</pre>\
        <button type="button" data-copy="\(data.commands.joined(separator: "\n"))">Copy</button></div>
        <div class="scroll" tabindex="0" role="region" aria-label="Table of sources"><table><caption>Sources</caption>\
        <thead><tr><th scope="col">Path</th><th scope="col" class="text">Format</th><th scope="col">Images</th></tr></thead>\
        <tbody>\(sources)</tbody></table></div>
        <h3>Runs</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="Table of runs"><table><caption>Runs of stages, the \
        last first</caption><thead><tr><th scope="col">Stage</th><th scope="col" class="text">Began</th><th scope="col">Seconds</th>\
        <th scope="col" class="text">Outcome</th><th scope="col" class="text">Settings</th></tr></thead>\
        <tbody>\(data.history.indices.reversed().map(run))</tbody></table></div>
        """)
  }

  private func recall(_ share: Double) -> HTML {
    """
    <div><dt>Nearest neighbors found</dt>\
    <dd>\(Figure.percent(share, "/about/neighborRecall")) of the true ones</dd></div>
    """
  }

  private func fact(_ name: String, _ value: String) -> HTML {
    "<div><dt>\(name)</dt><dd>\(value)</dd></div>"
  }

  private func run(_ place: Int) -> HTML {
    let run = data.history[place]
    let settings: HTML =
      run.settings == "{}"
      ? "" : "<details><summary>show</summary><pre>\(run.settings)</pre></details>"
    return """
      <tr><th scope="row">\(run.stage)</th><td class="text">\(Page.date(run.started))</td>\
      <td>\(Figure.decimal(run.seconds, "/history/\(place)/seconds", digits: 1))</td>\
      <td class="text">\(run.outcome ?? "ended early")</td><td class="text">\(settings)</td></tr>
      """
  }
}
