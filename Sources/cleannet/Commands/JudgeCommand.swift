import ArgumentParser
import Datasets
import Foundation
import Pipeline
import Workspace

extension JudgeStage.Format: ExpressibleByArgument {}

struct JudgeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge", abstract: "Judge labels of new images by the trained model.",
    discussion: """
      SOURCE is an image (with --label), anything that `import` reads, or - for JSON lines on stdin. New images stay \
      outside of the workspace, and the model does not learn from them.

        cleannet judge photo.jpg --label Sneaker
        cleannet judge new/ --out judged.csv
        cleannet judge new.csv --features new.npy --out judged.csv
        cleannet judge - <lines.jsonl >answers.jsonl
        cleannet judge new.csv --shard 3/8 --out parts/

      A line on stdin is an object with `label`, `key` (both may be missing) and one of `path`, `image` (the bytes of an \
      image file in base64) and `features` (numbers, or float32 in base64). Its answer is written before the next line \
      is waited for. Answers have `verdict`, `probability` (that the label is right), `suggested_label`, and `error` if \
      an image cannot be judged; the remaining lines are still judged.
      """)

  @Argument(help: "An image, a data set, or - for JSON lines on stdin.", completion: .file())
  var source: String
  @Option(help: "The label of a single image.")
  var label: String?
  @OptionGroup var judging: JudgeOptions
  @Option(
    help:
      "The file to write, .csv, .tsv or .jsonl; by default JSON lines on stdout. With --shard the folder of its part.",
    completion: .file())
  var out: String?
  @OptionGroup var shard: ShardOption
  @OptionGroup var importing: ImportOptions
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var memory: MemoryOptions
  @OptionGroup var workspace: WorkspaceOptions

  private var isImage: Bool {
    var isFolder: ObjCBool = false
    let isThere = FileManager.default.fileExists(atPath: source, isDirectory: &isFolder)
    return isThere && !isFolder.boolValue && ImageName.isImage(source)
  }

  func validate() throws {
    if label != nil, source == "-" { throw ValidationError("Lines on stdin have labels of their own.") }
    if shard.shard != nil {
      guard out != nil else {
        throw ValidationError("--shard writes a part to a folder: name it with --out.")
      }
      if source == "-" {
        throw ValidationError("Lines on stdin have no parts; give each process lines of its own.")
      }
    } else if let out {
      try TableName.check(out, hasFormat: false, "Answers")
    }
  }

  /// Options of data sets that would do nothing: lines and single images say themselves what they are.
  private func refuseIdle() throws {
    if let path = shard.shard, isImage {
      throw ValidationError("--shard \(path) is for data sets; \(source) is one image.")
    }
    var others = importing
    if source == "-" {
      others.root = nil
      others.keyPrefix = nil
    }
    guard source == "-" || isImage, others.isGiven else { return }
    throw ValidationError(
      source == "-"
        ? "For lines on stdin, only --root and --key-prefix of the options of data sets have an effect."
        : "Options of data sets have no effect on \(source), which is one image.")
  }

  func run() throws {
    try refuseIdle()
    memory.apply()
    try compute.prepareEngine()
    let stage = JudgeStage(try judging.judge(workspace, compute))
    if source == "-" { return try judgeLines(stage) }
    if isImage { return try judgeImage(stage.judge) }
    if label != nil {
      throw ValidationError("--label is the label of a single image; \(source) brings its own.")
    }
    let outcome = try judgeDataset(stage)
    if let out, out != "-" {
      try workspace.output.print(outcome) { "\(outcome.text) The answers are in \(out)." }
    }
  }

  private func judgeLines(_ stage: JudgeStage) throws {
    let output = try JudgementOutput(out, format: out == nil ? .jsonl : nil)
    let lines = NewImageLines(STDIN_FILENO, root: importing.root, keyPrefix: importing.keyPrefix ?? "")
    _ = try stage.run(lines) { try output.write($0) }
    try output.finish()
  }

  private func judgeImage(_ judge: ImageJudge) throws {
    let image = NewImage(
      key: source, label: label, content: .location(.file(URL(fileURLWithPath: source).path)))
    let answers = try judge.judge([image])
    if out != nil {
      let output = try JudgementOutput(out, format: nil)
      try output.write(answers)
      return try output.finish()
    }
    for answer in answers { try workspace.output.print(answer) { answer.text } }
    if let error = answers.first?.error {
      throw PipelineError(.badInput, "\(source): \(error)", remedy: "See the message")
    }
  }

  private func judgeDataset(_ stage: JudgeStage) throws -> JudgeStage.Outcome {
    var options = try importing.datasetOptions()
    options.readsOnly = true
    let dataset = try DatasetReader.open(source: source, options: options)
    try ImportOptions.refuseIdle([dataset])
    let folder = NSTemporaryDirectory()
    func judge(_ features: NpyMatrix?) throws -> JudgeStage.Outcome {
      let progress = workspace.output.progress
      if let part = shard.value, let out {
        return try stage.run(part, of: dataset, features: features, to: out, progress: progress)
      }
      let output = try JudgementOutput(out, format: nil)
      let outcome = try stage.run(dataset, features: features, progress: progress) { try output.write($0) }
      try output.finish()
      return outcome
    }
    if let path = importing.features { return try judge(try FeatureInput.open(path, in: folder)) }
    return try FeatureInput.withOwn(of: dataset, in: folder) { try judge($0) }
  }
}

/// By what new images are judged.
struct JudgeOptions: ParsableArguments {
  @Option(
    help: "A model that `cleannet export model` wrote; by default the workspace's.", completion: .file())
  var model: String?
  @Option(
    name: .customLong("network"),
    help: ArgumentHelp(
      "The file of a network that the model uses, if it has moved since training; may be repeated.",
      valueName: "file"), completion: .file())
  var networks: [String] = []
  @Option(help: "Also name this many of the most similar training images.")
  var nearest = 0
  @OptionGroup var device: DeviceOption

  func validate() throws {
    guard (0...50).contains(nearest) else { throw ValidationError("--nearest must lie between 0 and 50.") }
  }

  func judge(_ workspace: WorkspaceOptions, _ compute: ThreadOptions) throws -> ImageJudge {
    let found = try model.map { try JudgeModel(file: $0) } ?? JudgeModel(try workspace.open())
    return try ImageJudge(
      found, nearest: nearest, weights: networks, device: device.choice, threads: compute.threads)
  }
}

extension JudgeStage.Outcome {
  var text: String {
    "\(judged) of \(rows) labels judged: \(wrong) look wrong."
      + (errors > 0 ? " \(errors) images could not be judged; their answers say why." : "")
  }
}

extension JudgedImage {
  /// For people.
  var text: String {
    var lines: [String] = []
    if let verdict, let probability, let label {
      lines.append(
        "\(key): \"\(label)\" looks \(verdict) (probability of being right \(Double(probability).percent)).")
    }
    if let suggestedLabel, suggestedLabel != label {
      lines.append("It looks most like \"\(suggestedLabel)\".")
    }
    for near in nearest ?? [] { lines.append("  similar: \(near.key) (\(near.label))") }
    return lines.joined(separator: "\n")
  }
}
