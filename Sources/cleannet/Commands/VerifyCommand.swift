import ArgumentParser
import Datasets
import Foundation
import Pipeline

extension VerificationFormat: ExpressibleByArgument {}
extension VerificationStages.Drawn: ExpressibleByArgument {}

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Import, export or simulate verdicts.",
    discussion: """
      A verdict says whether the label of one image is right (1) or wrong (0). A few dozen in a few classes are \
      enough; the other classes need none.
      """,
    subcommands: [VerifyImport.self, VerifyExport.self, VerifySimulate.self])
}

struct VerifyImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Import verdicts from a table or from Label Studio.",
    discussion: """
      A table (CSV, TSV or JSONL) has a column key (or path) and a column verification: 1 right, 0 wrong, "unsure", or \
      empty for unknown. It may have the columns selection, person, correction (the right class) and time, as `verify \
      export` writes them. Only verdicts on randomly drawn images count towards error rates and bounds: say so with \
      --drawn random, or in the column selection. Food-101N's table (class/key.jpg, tab, 1 or 0) and Label Studio's \
      JSON, of tasks that `verify export` wrote, are recognized.
      """)

  @Argument(help: "The table.", completion: .file())
  var file: String
  @Option(help: "The format (default: detected).")
  var format: VerificationFormat?
  @Option(help: "The person who verified (default: the user's name).")
  var person: String?
  @Option(
    help:
      "How the images were chosen, if the table does not say. random: drawn at random from all images of their class. other: such verdicts help the model, but do not count towards bounds."
  )
  var drawn = VerificationStages.Drawn.other
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    let outcome = try VerificationStages.importing(
      file, format: format, into: try workspace.open(), person: person ?? NSUserName(), drawn: drawn)
    if let first = outcome.disputed.first {
      let more = outcome.disputed.count > 1 ? " and \(outcome.disputed.count - 1) others" : ""
      workspace.output.progress.warn(
        "\(first)\(more): called both right and wrong in this file. Verdicts that differ are all kept, each as a voice of its "
          + "own; settle them in cleannet review")
    }
    try workspace.output.print(outcome) {
      "\(outcome.right) labels verified as right, \(outcome.wrong) as wrong, \(outcome.unsure) unsure; "
        + "\(outcome.unknown) rows without a verdict. \(outcome.random) of the verdicts count as drawn at random."
    }
  }
}

struct VerifyExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the verdicts as a table, and on request images to verify next.",
    discussion: """
      For Label Studio (--format label-studio, or a file .json), set up a project with the configuration that \
      `--label-studio-config` prints, and import the file as tasks.
      """)

  @Argument(help: "A .csv, .tsv, .jsonl or .json file; - is stdout.", completion: .file())
  var file = "-"
  @OptionGroup var options: VerdictOutputOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws { try options.write(workspace, to: file) }
}

/// How verdicts are written, for `verify export` and `export verdicts`.
struct VerdictOutputOptions: ParsableArguments {
  @Option(help: "The format (default: by the file's name). food-101n leaves out images without a verdict.")
  var format: VerificationFormat?
  @Option(help: "Prefix that turns an image's path into an address for Label Studio.")
  var imagePrefix = LabelStudioOutput.localFiles
  @Flag(help: "Print only Label Studio's labelling configuration.")
  var labelStudioConfig = false
  @Option(
    help:
      "Add this many unverified images per class, with an empty verdict: the next ones in the class's random order."
  )
  var unverified = 0
  @Option(help: "Only these classes, comma-separated.")
  var classes: String?
  @Option(help: "Seed of the random order; a workspace keeps the first one it was given.")
  var seed: UInt64 = 0

  struct Result: Encodable { var rows: Int }

  func write(_ workspace: WorkspaceOptions, to file: String) throws {
    if labelStudioConfig { return print(LabelStudioOutput.configuration) }
    let rows = try VerificationStages.exporting(
      try workspace.open(), to: file, format: format, unverified: unverified,
      classes: classes?.split(separator: ",").map(String.init), seed: seed, imagePrefix: imagePrefix)
    guard file != "-" else { return }
    try workspace.output.print(Result(rows: rows)) { "\(rows) rows written to \(file)." }
  }
}

struct VerifySimulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Simulate verdicts from a column with the true labels, for experiments.")

  @Option(help: "The column with the true labels.")
  var truth: String
  @Option(help: "Number of classes, or their names, comma-separated.")
  var classes: String
  @Option(help: "Images per class.")
  var perClass: Int
  @Option(help: "Seed of the choice of images and classes.")
  var seed: UInt64 = 0
  @OptionGroup var workspace: WorkspaceOptions

  private var choice: VerificationStages.Choice {
    Int(classes).map { .count($0) } ?? .named(classes.split(separator: ",").map(String.init))
  }

  func validate() throws {
    guard perClass > 0 else { throw ValidationError("--per-class must be at least 1.") }
  }

  func run() throws {
    let outcome = try VerificationStages.simulating(
      try workspace.open(), truth: truth, classes: choice, perClass: perClass, seed: seed)
    try workspace.output.print(outcome) {
      "\(outcome.right + outcome.wrong) images of \(outcome.classes.count) classes "
        + "(\(outcome.classes.joined(separator: ", "))): \(outcome.right) labels right, \(outcome.wrong) wrong."
    }
  }
}
