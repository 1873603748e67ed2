import ArgumentParser
import Pipeline

struct ClassifyExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract:
      "Write a classifier for PyTorch: weights for torchvision or timm, or a TorchScript program.",
    discussion: "docs/classifier.md shows how to load it.")

  @Option(help: "The classifier's file (default: the one trained last).", completion: .file())
  var classifier: String?
  @Option(help: "The file to write.", completion: .file())
  var out: String
  @Option(help: "safetensors or torchscript (default: by the file's name; .pt is TorchScript).")
  var format: ClassifierExport.Format?
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    // No tensor is computed, but the engine holds them.
    try ThreadOptions.prepareEngine(threads: 1)
    let file = try classifier ?? ClassifyEvaluateStage.latest(try workspace.open())
    let outcome = try ClassifierExport.write(
      file, to: out, format: format ?? ClassifierExport.Format(path: out))
    try workspace.output.print(outcome) {
      "\(outcome.tensors) tensors of \(outcome.backbone), \(outcome.classes.count) classes, images of "
        + "\(outcome.size) px: \(outcome.out)"
    }
  }
}

extension ClassifierExport.Format: ExpressibleByArgument {}
