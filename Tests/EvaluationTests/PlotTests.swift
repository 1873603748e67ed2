import CleanNet
import Evaluation
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct PlotTests {
  /// Reads a document as XML does, and counts its elements.
  private final class Elements: NSObject, XMLParserDelegate {
    var names: [String: Int] = [:]
    var texts: [String] = []
    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI _: String?, qualifiedName _: String?,
      attributes _: [String: String]
    ) {
      names[name, default: 0] += 1
    }
    func parser(_: XMLParser, foundCharacters text: String) { texts.append(text) }
  }

  private func parsed(_ svg: String) throws -> Elements {
    let parser = XMLParser(data: Data(svg.utf8))
    let elements = Elements()
    parser.delegate = elements
    try #require(parser.parse(), "\(String(describing: parser.parserError))")
    return elements
  }

  private let ranking = Ranking(
    scores: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], isRight: [false, false, true, false, true, true])

  @Test func isWellFormedWhateverTheNames() throws {
    let plot = LinePlot.roc([("a < b & \"c\"", ranking), ("other", ranking)], title: "ROC & <more>")
    let elements = try parsed(plot.svg())
    // One title for the picture, one for each line.
    #expect(elements.names["title"] == 3)
    #expect(elements.names["desc"] == 1)
    #expect(elements.texts.joined().contains("a < b & \"c\" .889"))
  }

  @Test func theSamePlotGivesTheSameText() {
    let plot = LinePlot.precisionRecall([("knn", ranking)])
    #expect(plot.svg() == plot.svg())
  }

  @Test func pointsLieWhereTheirValuesSay() throws {
    let estimates = [2.0, 4.0].map {
      (verified: $0, error: Estimate(mean: 10 * $0, low: 8 * $0, high: 12 * $0))
    }
    let plot = LinePlot.error([("naive", estimates)], over: "verified classes")
    let svg = plot.svg()
    #expect(try parsed(svg).names["circle"] == 2)
    // x from 2 to 4 is the whole width; y runs from 10 to 50 over 320 pixels from 34.
    #expect(svg.contains("<circle cx=\"58\" cy=\"274\""))
    #expect(svg.contains("<circle cx=\"478\" cy=\"114\""))
  }

  @Test func thousandsOfPointsStaySmall() {
    let points = (0...100_000).map { LinePlot.Point(x: Double($0) / 100_000, y: Double($0) / 100_000) }
    let plot = LinePlot(title: "t", xLabel: "x", yLabel: "y", lines: [.init(name: "n", points: points)])
    #expect(plot.svg().utf8.count < 20_000)
  }

  @Test func emptyPlotsAreDrawn() throws {
    _ = try parsed(LinePlot.roc([("none", Ranking(scores: [], isRight: []))]).svg())
    _ = try parsed(LinePlot(title: "t", xLabel: "x", yLabel: "y", lines: []).svg())
  }
}
