import ArgumentParser
import Foundation
import Pipeline
import Workspace

struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Embed or judge images that another program sends through a pipe.",
    discussion: """
      Reads requests as frames on stdin and writes answers, in order, as frames on stdout; docs/worker.md describes them. \
      Distributed engines start it on their machines: the Python package does so for Spark. The first frame is a hello \
      with the protocol's version. An image that cannot be used gets an answer that says why. The worker ends when \
      its input ends. Exit status 65: a frame is malformed. 75: a limit was reached; start another worker and resend the \
      unanswered requests.
      """,
    subcommands: [WorkerEmbed.self, WorkerJudge.self])
}

/// Bounds of a worker.
struct WorkerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Memory limit in megabytes. Beyond it, the worker sends the answers that are due and ends with status 75.",
      valueName: "mb"))
  var memory = 4096
  @Option(help: "Time limit in seconds for each image of a batch. Beyond it, the worker ends with status 75.")
  var secondsPerImage: Double?

  func validate() throws {
    guard memory >= 64 else { throw ValidationError("--memory must be at least 64 MB.") }
    guard secondsPerImage.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--seconds-per-image must be above 0.")
    }
  }

  func run(_ task: Worker.Task, _ compute: ThreadOptions) throws {
    var limits = Worker.Limits()
    limits.memory = memory << 20
    limits.secondsPerImage = secondsPerImage
    signal(SIGPIPE, SIG_IGN)
    // Whatever libraries print must not come between the frames.
    let output = dup(STDOUT_FILENO)
    dup2(STDERR_FILENO, STDOUT_FILENO)
    let worker = try Worker(task, limits: limits, build: ProgramVersion.current, threads: compute.threads)
    try worker.run(input: STDIN_FILENO, output: output)
  }
}

struct WorkerEmbed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Answer each image with its features.")

  @OptionGroup var embedding: EmbedOptions
  @OptionGroup var bounds: WorkerOptions
  @OptionGroup var compute: ThreadOptions

  func run() throws {
    try compute.prepareEngine()
    try bounds.run(.embed(embedding.stage(threads: compute.threads)), compute)
  }
}

struct WorkerJudge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "judge",
    abstract: "Answer each image, or its features, with a judgement of its label.")

  @OptionGroup var judging: JudgeOptions
  @OptionGroup var bounds: WorkerOptions
  @OptionGroup var compute: ThreadOptions
  @OptionGroup var workspace: WorkspaceOptions

  func run() throws {
    try compute.prepareEngine()
    try bounds.run(.judge(try judging.judge(workspace, compute)), compute)
  }
}
