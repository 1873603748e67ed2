import ArgumentParser
import Pipeline
import Torch

struct ExportModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Write the trained model as one file, which judges new images anywhere.",
    discussion: """
      `cleannet judge --model FILE` and `cleannet worker --model FILE` need nothing else, except the files of networks \
      that did not come with set-up. The file holds the model with your verdicts, and features and keys of training images \
      (2 bytes per number), but no images.
      """)

  @Option(help: "The file, safetensors.", completion: .file())
  var out: String
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var model: String
    var classes: Int
    var out: String
  }

  func run() throws {
    try Engine.load()
    let model = try JudgeModel(try workspace.open())
    try model.write(to: out)
    let result = Result(model: model.identity, classes: model.classNames.count, out: out)
    try workspace.output.print(result) {
      "The model \(model.identity) of \(model.classNames.count) classes was written to \(out)."
    }
  }
}
