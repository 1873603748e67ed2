import Classifier
import Datasets
import Foundation
import Torch

/// Says which class new images belong to.
package struct ClassifyPredictStage: Sendable {
  package enum Format: String, Sendable, CaseIterable {
    case csv, tsv, jsonl
  }

  /// The classifier's file.
  package var file: String
  /// Image files, folders of them, and text files that list some.
  package var sources: [String]
  /// How many classes an image is given.
  package var top = 1
  /// nil: what the file's name says.
  package var format: Format?
  /// nil or `-`: stdout.
  package var out: String?
  package var threads = 2
  package var device = DeviceChoice.auto

  package init(file: String, sources: [String]) {
    self.file = file
    self.sources = sources
  }

  package struct Outcome: Sendable, Encodable {
    package var images: Int
    /// Images that could not be read.
    package var problems: Int
    package var out: String
  }

  /// Writes one row per image: its path, classes with their probabilities, and its faults. Rows are written as the
  /// images are looked at; no more than some batches of them are held.
  package func run(progress: some ProgressReporter) throws -> Outcome {
    let classifier = try ClassifierFile(path: file)
    let network = try classifier.network(on: device)
    guard let preparation = classifier.about.preparation else {
      throw PipelineError(
        .badInput, "The classifier \(file) does not say how to prepare images",
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
    var outcome = Outcome(images: 0, problems: 0, out: out ?? "-")
    try network.forEachBatch(
      images.loader(preparation, threads: threads), batches: (images.count + 31) / 32, threads: threads
    ) { answer in
      var rows = answer.problems.map { place, problem in
        (place, Array(repeating: TableOutput.Cell.empty, count: 2 * top) + [.text(problem.explanation)])
      }
      if let best = answer.logits?.softmax(dim: 1).topK(top) {
        let values = best.values.floats()
        let labels = best.indices.ints()
        for (row, place) in answer.images.enumerated() {
          let cells = (row * top..<(row + 1) * top).flatMap {
            [TableOutput.Cell.text(classes[labels[$0]]), .float(values[$0])]
          }
          rows.append((place, cells + [.empty]))
        }
      }
      for (place, cells) in rows.sorted(by: { $0.0 < $1.0 }) {
        try table.write([.text(images.keys[place])] + cells)
      }
      outcome.images += answer.images.count
      outcome.problems += answer.problems.count
      progress.update(outcome.images + outcome.problems)
    }
    try table.finish()
    progress.end("\(outcome.images) images")
    return outcome
  }
}
