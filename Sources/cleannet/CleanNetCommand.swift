import ArgumentParser
import Foundation

/// The command line. Each verb is a file in `Commands`; its `run()` calls one stage of `Pipeline`.
@main struct CleanNetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleannet",
    abstract: "Finds the wrong labels of an image data set from a few right/wrong glances.",
    discussion: """
      A workspace (a folder) keeps what a data set's images look like, what you verified, and what was found. Images \
      stay where they are.

        cleannet import photos/               read a folder of images, a folder a class
        cleannet embed                        compute what each image looks like
        cleannet review                       a page on which you say which labels are right and wrong
        cleannet train
        cleannet score                        judge every label, also of classes that nobody verified
        cleannet export scores --out scores.csv

      `cleannet demo` shows all of it on images that come with Debian.
      """,
    version: Version.text,
    subcommands: [
      DemoCommand.self, ImportCommand.self, DownloadCommand.self, EmbedCommand.self, VerifyCommand.self,
      ReviewCommand.self, TrainCommand.self, ScoreCommand.self, ReportCommand.self, EvaluateCommand.self,
      ExportCommand.self,
      RunCommand.self, StatusCommand.self, CheckCommand.self, CleanCommand.self, RelocateCommand.self,
      ClassifyCommand.self, DoctorCommand.self,
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

enum Version {
  static let text = "0.1.0"
}

/// Ctrl-C: what is on disk is whole at any moment, so the program may simply end.
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
