import ArgumentParser
import Foundation
import Workspace

struct RelocateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relocate", abstract: "Say where images lie that were moved.",
    discussion: """
      OLD is a folder, or a file such as a tar, as it was called when it was imported; NEW is what it is called now. \
      Features, verdicts, models and scores stay as they are.

        cleannet relocate /media/disk/photos /data/photos
      """)

  @Argument(help: "The folder or file as it was called.")
  var old: String
  @Argument(help: "As it is called now.", completion: .file())
  var new: String
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var images: Int
    var old: String
    var new: String
  }

  func run() throws {
    let result = Result(images: try workspace.open().relocate(old, to: new), old: old, new: new)
    try workspace.output.print(result) { "\(result.images) images are looked for in \(new) from now on." }
  }
}
