import Datasets
import Files
import Foundation
import Workspace

/// Writes images and people's verdicts on their labels.
protocol VerificationOutput {
  /// - Parameter verdict: nil: nobody has looked; the image is the next of its class to be drawn.
  func write(_ sample: StoredSample, label: String, _ verdict: VerifiedImages.Image?) throws
  func finish() throws
}

/// Begins to write verification labels in a format, by default what the file's name says.
func verificationOutput(
  _ path: String?, _ format: VerificationFormat?, _ imagePrefix: String, classes: [String]
) throws -> any VerificationOutput {
  let isJSON = path?.lowercased().hasSuffix(".json") == true
  switch format ?? (isJSON ? .labelStudio : .table) {
  case .table: return try VerificationTableOutput(path, classes: classes)
  case .food101N: return try Food101NOutput(path)
  case .labelStudio: return try LabelStudioOutput(path, imagePrefix: imagePrefix)
  }
}

/// CSV, TSV or JSON lines.
private struct VerificationTableOutput: VerificationOutput {
  private let table: TableOutput
  private let classes: [String]

  init(_ path: String?, classes: [String]) throws {
    self.classes = classes
    table = try TableOutput(
      path,
      columns: [
        "key", "path", "label", "verification", "selection", "person", "correction", "remark", "time",
      ])
  }

  func write(_ sample: StoredSample, label: String, _ verdict: VerifiedImages.Image?) throws {
    let image: [TableOutput.Cell] = [.text(sample.key), .text(sample.path), .text(label)]
    guard let verdict else {
      return try table.write(
        image + [.empty, .text(VerdictSelection.drawn.rawValue), .empty, .empty, .empty, .empty])
    }
    try table.write(
      image + [
        verdict.answer.isRight.map { .number($0 ? "1" : "0") } ?? .text("unsure"),
        .text(VerdictSelection(verdict).rawValue), .text(verdict.person),
        verdict.correction.map { .text(classes[$0]) } ?? .empty,
        verdict.remark.map { .text($0.rawValue) } ?? .empty,
        .text(verdict.date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
      ])
  }

  func finish() throws { try table.finish() }
}

/// Food-101N's table, which has no place for images without a verdict.
private struct Food101NOutput: VerificationOutput {
  private let output: TextOutput

  init(_ path: String?) throws {
    output = try TextOutput(path)
    try output.write("class_name/key\tverification_label\n")
  }

  func write(_ sample: StoredSample, label: String, _ verdict: VerifiedImages.Image?) throws {
    guard let isRight = verdict?.answer.isRight else { return }
    let hasClass = sample.key.utf8.starts(with: "\(label)/".utf8)
    let key = hasClass ? sample.key : "\(label)/\(sample.key)"
    guard !key.utf8.contains(where: { "\t\n\r".utf8.contains($0) }) else {
      throw PipelineError(
        .badInput,
        "The key \(key.debugDescription) holds a tab or a line end, which Food-101N's table cannot",
        remedy: "Write a .csv or .jsonl table")
    }
    try output.write("\(key)\t\(isRight ? 1 : 0)\n")
  }

  func finish() throws { try output.finish() }
}

/// Label Studio's tasks: what is verified as annotations, so that people go on where others stopped.
package final class LabelStudioOutput: VerificationOutput {
  /// How Label Studio names files below its document root, which is `/` then.
  package static let localFiles = "/data/local-files/?d="

  /// The labelling configuration that goes with the tasks.
  package static let configuration = """
    <View>
      <Image name="image" value="$image"/>
      <Header value="Is this: $label?"/>
      <Choices name="verification" toName="image" choice="single" required="true">
        <Choice value="right" hotkey="1"/>
        <Choice value="wrong" hotkey="2"/>
        <Choice value="unsure" hotkey="3"/>
      </Choices>
    </View>
    """

  private let output: TextOutput
  private let imagePrefix: String
  private var count = 0

  init(_ path: String?, imagePrefix: String) throws {
    output = try TextOutput(path)
    self.imagePrefix = imagePrefix
    try output.write("[")
  }

  func write(_ sample: StoredSample, label: String, _ verdict: VerifiedImages.Image?) throws {
    guard case .file(let file) = sample.location else {
      throw PipelineError(
        .badInput, "The image \(sample.key) is in an archive, and Label Studio cannot show it",
        remedy: "Export the data set first: cleannet export dataset --format image-folder --wrong keep")
    }
    let address =
      imagePrefix + Self.escaped(String(decoding: file.utf8.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self))
    let selection = verdict.map(VerdictSelection.init) ?? .drawn
    let members = [
      ("image", address), ("key", sample.key), ("label", label), ("selection", selection.rawValue),
    ]
    let data = members.map { name, text in
      "\"\(name)\": \(JSONText.quoted(text))"
    }
    var task = "{\"data\": {\(data.joined(separator: ", "))}"
    if let verdict {
      let choice = verdict.answer.isRight.map { $0 ? "right" : "wrong" } ?? "unsure"
      task += """
        , "annotations": [{"result": [{"from_name": "verification", "to_name": "image", "type": "choices", \
        "value": {"choices": ["\(choice)"]}}]}]
        """
    }
    try output.write("\(count == 0 ? "" : ",")\n\(task)}")
    count += 1
  }

  func finish() throws {
    try output.write("\n]\n")
    try output.finish()
  }

  /// Percent-encoded, slashes kept.
  private static func escaped(_ path: String) -> String {
    path.addingPercentEncoding(
      withAllowedCharacters: .urlPathAllowed.subtracting(CharacterSet(charactersIn: "&+;="))) ?? path
  }
}
