import ArgumentParser
import Foundation
import Workspace

/// The command line. Each verb is a file in `Commands`; its `run()` calls one stage of `Pipeline`.
@main struct CleanNetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleannet",
    abstract: "Find the wrong labels of an image data set from a few right/wrong verdicts.",
    discussion: """
      A workspace is a folder with the features, your verdicts, the models and the scores of a data set. Images stay \
      where they are.

        cleannet import photos/               read photos/<class>/*.jpg, or another format
        cleannet embed                        compute the features of each image
        cleannet review                       mark wrong labels on a page, in a few classes
        cleannet train                        learn from features and labels
        cleannet score                        judge every label, also in classes nobody verified
        cleannet export scores --out scores.csv

      `cleannet demo` shows all steps on images that come with Debian.
      """,
    version: ProgramVersion.current,
    subcommands: [
      DemoCommand.self, ImportCommand.self, DownloadCommand.self, EmbedCommand.self, VerifyCommand.self,
      ReviewCommand.self, TrainCommand.self, ScoreCommand.self, JudgeCommand.self, ReportCommand.self,
      EvaluateCommand.self,
      ExportCommand.self,
      RunCommand.self, StatusCommand.self, CheckCommand.self, CleanCommand.self, RelocateCommand.self,
      ClassifyCommand.self, MergeCommand.self, WorkerCommand.self, DoctorCommand.self,
    ])

  static func main() async {
    Interruption.exitOnSignal()
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let error where Failure.describes(error) {
      Failure(error).exit()
    } catch {
      exit(withError: error)
    }
  }
}

/// Ctrl-C: the disk is in a complete state at any moment, so the program may simply end.
enum Interruption {
  private static let numbers = [SIGINT, SIGTERM]

  static func exitOnSignal() {
    // Whoever started the program may have blocked them, and children inherit that.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in numbers {
      signal(number) { number in
        let text: StaticString = "\ninterrupted: run the same command again to go on where it stopped\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        // As shells say it of a program that a signal ended.
        _exit(128 + number)
      }
    }
  }

  /// The same for a program whose end this is: nothing is left to be done.
  static func endOnSignal() {
    for number in numbers { signal(number) { _ in _exit(0) } }
  }
}
