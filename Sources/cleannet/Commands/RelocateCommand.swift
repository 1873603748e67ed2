import ArgumentParser
import Foundation
import Workspace

struct RelocateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relocate", abstract: "Tell the workspace where moved images are now.",
    discussion: """
      OLD is the path of a folder or archive when it was imported; NEW is its path now. Features, verdicts, models and \
      scores stay as they are.

        cleannet relocate /media/disk/photos /data/photos
      """)

  @Argument(help: "The path at the time of the import.")
  var old: String
  @Argument(help: "The path now.", completion: .file())
  var new: String
  @OptionGroup var workspace: WorkspaceOptions

  struct Result: Encodable {
    var images: Int
    var old: String
    var new: String
  }

  func run() throws {
    let result = Result(images: try workspace.open().relocate(old, to: new), old: old, new: new)
    try workspace.output.print(result) { "\(result.images) images are now expected in \(new)." }
  }
}
