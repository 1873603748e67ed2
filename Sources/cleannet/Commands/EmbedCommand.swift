import ArgumentParser
import Backbones
import Pipeline

extension BackboneKind: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Compute the features of all images that have none yet.",
    discussion: """
      A pretrained network looks at every image once. An image that cannot be read is listed (see `status`), and the \
      run goes on. Run again after an interruption or an import, it does only what is missing.
      """)

  @OptionGroup var embedding: EmbedOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    try compute.prepareEngine()
    let outcome = try embedding.stage(threads: compute.threads)
      .run(try workspace.open(), progress: workspace.output.progress)
    try workspace.output.print(outcome) {
      "\(outcome.embedded) images embedded, \(outcome.present) were there already, \(outcome.problems) cannot be read."
        + (outcome.problems > 0 ? " List them with: cleannet status --problems" : "")
    }
  }
}

/// How images become features.
struct EmbedOptions: ParsableArguments {
  @Option(help: "The network.")
  var backbone = BackboneKind.efficientNetLite0
  @Option(
    help: "Its weights: safetensors, or what torch.save wrote. By default what set-up downloaded.",
    completion: .file())
  var weights: String?
  @Option(help: "Width and height of the images that the network sees, in pixels.")
  var size: Int?
  @Option(help: "What the network computes with; auto takes bf16 where the processor has it.")
  var precision = Precision.auto

  func validate() throws {
    if let size, size < 32 || size > 1024 { throw ValidationError("--size must lie between 32 and 1024.") }
  }

  func stage(threads: Int) -> EmbedStage {
    var stage = EmbedStage()
    (stage.backbone, stage.weights, stage.size) = (backbone, weights, size)
    (stage.precision, stage.threads) = (precision, threads)
    return stage
  }
}
