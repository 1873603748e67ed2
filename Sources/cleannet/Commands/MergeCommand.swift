import ArgumentParser
import Pipeline

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Join the parts that processes with --shard have written.",
    discussion: """
      FOLDER is the folder that `embed --shard` or `judge --shard` wrote to (their --out). Features go to the workspace, \
      answers to the file --out, exactly as one process would have written them. All parts must be there, complete, and \
      belong to the same job. Exit status 75: some are missing, so try again later. 65: some are damaged or do not belong \
      together.
      """)

  @Argument(help: "The folder of the parts.", completion: .directory)
  var folder: String
  @Option(help: "The file for answers, .jsonl; by default stdout.", completion: .file())
  var out: String?
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    try ThreadOptions.prepareEngine(threads: 1)
    let outcome = try MergeStage().run(
      folder, workspace: { try workspace.open() }, out: out, progress: workspace.output.progress)
    guard outcome.out != "-" else { return }
    try workspace.output.print(outcome) { outcome.text }
  }
}

extension MergeStage.Outcome {
  var text: String {
    if let features {
      return
        "\(shards) parts joined: \(features.embedded) images have features, \(features.problems) cannot be read."
    }
    return "\(shards) parts joined: \(rows) answers in \(out ?? "")."
  }
}

/// Which part of a job this process does.
struct ShardOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Do only part i of n, counted from 1, and write it to the folder --out. `cleannet merge` joins the parts.",
      discussion: """
        auto takes both from SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT; auto/n takes i from there or from \
        JOB_COMPLETION_INDEX of a Kubernetes Job.
        """, valueName: "i/n"))
  var shard: String?

  var value: Shard? { shard.flatMap { Shard($0) } }

  func validate() throws {
    guard let shard, value == nil else { return }
    throw ValidationError(
      "--shard \(shard) names no part: i/n with i from 1 to n, or auto where Slurm's or Kubernetes' variables are set."
    )
  }
}
