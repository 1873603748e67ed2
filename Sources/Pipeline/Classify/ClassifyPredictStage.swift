import Classifier
import Datasets
import Foundation
import Torch

/// Says of what class new images are.
public struct ClassifyPredictStage: Sendable {
  public enum Format: String, Sendable, CaseIterable {
    case csv, tsv, jsonl
  }

  /// The classifier's file.
  public var file: String
  /// Image files, folders of them, and text files that list some.
  public var sources: [String]
  /// How many classes an image is given.
  public var top = 1
  /// nil: what the file's name says.
  public var format: Format?
  /// nil or `-`: stdout.
  public var out: String?
  public var threads = 2

  public init(file: String, sources: [String]) {
    self.file = file
    self.sources = sources
  }

  public struct Outcome: Sendable, Encodable {
    public var images: Int
    /// Images that could not be read.
    public var problems: Int
    public var out: String
  }

  /// Writes a row an image: its path, classes with their probabilities, and what is wrong with it.
  public func run(progress: some ProgressReporter) throws -> Outcome {
    let classifier = try ClassifierFile(path: file)
    let network = try classifier.network()
    guard let preparation = classifier.about.preparation else {
      throw PipelineError(
        .badInput, "The classifier \(file) does not say how images become its input",
        remedy: "Train it again: cleannet classify train")
    }
    let images = try SampleImages(files: ImageList.files(sources))
    guard images.count > 0 else {
      throw PipelineError(
        .missingInput, "There are no images in \(sources.joined(separator: ", "))",
        remedy: "Name image files, folders with some, or a text file that lists them")
    }
    let classes = classifier.about.classes
    let top = min(self.top, classes.count)
    let columns = (1...top).flatMap {
      $0 == 1 ? ["class", "probability"] : ["class\($0)", "probability\($0)"]
    }
    let table = try TableOutput(
      out, columns: ["path"] + columns + ["problem"],
      syntax: format.flatMap { TableOutput.Syntax(rawValue: $0.rawValue) })
    progress.begin("Predicting", total: images.count, unit: "images")
    var rows: [Int: [TableOutput.Cell]] = [:]
    let bad = network.forEachBatch(
      images.loader(preparation, threads: threads), batches: (images.count + 31) / 32, threads: threads
    ) { places, logits in
      let best = logits.softmax(dim: 1).topK(top)
      let (values, labels) = (best.values.floats(), best.indices.ints())
      for (row, place) in places.enumerated() {
        rows[place] = (row * top..<(row + 1) * top).flatMap {
          [.text(classes[labels[$0]]), .float(values[$0])]
        }
      }
      progress.update((places.last ?? 0) + 1)
    }
    let problems = Dictionary(uniqueKeysWithValues: bad.map { ($0.index, $0.problem.explanation) })
    for (place, path) in images.keys.enumerated() {
      let cells = rows[place] ?? Array(repeating: .empty, count: 2 * top)
      try table.write([.text(path)] + cells + [problems[place].map { .text($0) } ?? .empty])
    }
    try table.finish()
    progress.end("\(rows.count) images")
    return Outcome(images: rows.count, problems: bad.count, out: out ?? "-")
  }
}
