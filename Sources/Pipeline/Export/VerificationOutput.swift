import Datasets
import Foundation
import Workspace

/// Writes images and what people said of their labels.
protocol VerificationOutput {
  /// - Parameter isRight: nil: nobody said.
  func write(_ sample: StoredSample, label: String, isRight: Bool?) throws
  func finish() throws
}

/// Begins to write verification labels in a format, by default what the file's name says.
func verificationOutput(
  _ path: String?, _ format: VerificationFormat?, _ imagePrefix: String
) throws -> any VerificationOutput {
  let isJSON = path?.lowercased().hasSuffix(".json") == true
  switch format ?? (isJSON ? .labelStudio : .table) {
  case .table: return try VerificationTableOutput(path)
  case .food101N: return try Food101NOutput(path)
  case .labelStudio: return try LabelStudioOutput(path, imagePrefix: imagePrefix)
  }
}

/// CSV, TSV or JSON lines.
private struct VerificationTableOutput: VerificationOutput {
  private let table: TableOutput

  init(_ path: String?) throws {
    table = try TableOutput(path, columns: ["key", "path", "label", "verification"])
  }

  func write(_ sample: StoredSample, label: String, isRight: Bool?) throws {
    try table.write([
      .text(sample.key), .text(sample.path), .text(label), isRight.map { .number($0 ? "1" : "0") } ?? .empty,
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

  func write(_ sample: StoredSample, label: String, isRight: Bool?) throws {
    guard let isRight else { return }
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
public final class LabelStudioOutput: VerificationOutput {
  /// How Label Studio names files below its document root, which is `/` then.
  public static let localFiles = "/data/local-files/?d="

  /// The labelling configuration that goes with the tasks.
  public static let configuration = """
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

  func write(_ sample: StoredSample, label: String, isRight: Bool?) throws {
    guard case .file(let file) = sample.location else {
      throw PipelineError(
        .badInput, "The image \(sample.key) lies in an archive, where Label Studio cannot show it",
        remedy: "Export the data set first: cleannet export dataset --format image-folder --wrong keep")
    }
    let address =
      imagePrefix + Self.escaped(String(decoding: file.utf8.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self))
    let data = [("image", address), ("key", sample.key), ("label", label)].map { name, text in
      "\"\(name)\": \(JSONText.quoted(text))"
    }
    var task = "{\"data\": {\(data.joined(separator: ", "))}"
    if let isRight {
      task += """
        , "annotations": [{"result": [{"from_name": "verification", "to_name": "image", "type": "choices", \
        "value": {"choices": ["\(isRight ? "right" : "wrong")"]}}]}]
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
