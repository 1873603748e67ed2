import Backbones
import Foundation
import Workspace

/// Where pretrained weights lie.
package enum BackboneWeights {
  /// The folder that set-up fills: `$XDG_CACHE_HOME/cleannet/weights`, by default below `~/.cache`.
  package static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() + "/.cache"
    return cache + "/cleannet/weights"
  }

  /// The folder that comes with an installed program: `$CLEANNET_WEIGHTS`, by default `../share/cleannet/weights` from
  /// the program.
  static var sharedFolder: String {
    if let named = ProcessInfo.processInfo.environment["CLEANNET_WEIGHTS"], !named.isEmpty { return named }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    return program.appendingPathComponent("../share/cleannet/weights").standardizedFileURL.path
  }

  /// The file of a network's weights.
  ///
  /// - Parameter file: Named by the user; nil: `<network>.pth`, `.pt` or `.safetensors` in one of the folders.
  /// - Throws: ``PipelineError`` if there is none.
  package static func path(_ kind: BackboneKind, named file: String?) throws(PipelineError) -> String {
    if let file { return try readable(file) }
    for folder in [folder, sharedFolder] {
      let candidates = ["pth", "pt", "safetensors"].map { "\(folder)/\(kind.rawValue).\($0)" }
      if let found = candidates.first(where: FileManager.default.isReadableFile(atPath:)) { return found }
    }
    throw PipelineError(
      .missingComponent, "There are no weights for \(kind.rawValue) in \(folder)",
      remedy: kind == .efficientNetLite0 || kind == .efficientNetLite2
        ? "Run: \(ShippedScript.fetch.command) \(kind.rawValue); or name a file with --weights"
        : "Name a file with --weights: safetensors, or a file of torch.save")
  }

  /// The absolute path of a file that the user named.
  ///
  /// - Throws: ``PipelineError`` if it cannot be read.
  static func readable(_ file: String) throws(PipelineError) -> String {
    guard FileManager.default.isReadableFile(atPath: file) else {
      throw PipelineError(
        .missingInput, "The file of weights \(file) cannot be read",
        remedy:
          "Check its path and permissions. Built-in networks are: "
          + BackboneKind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return URL(fileURLWithPath: file).path
  }

  /// A hash of the file's content.
  static func fingerprint(_ path: String) throws(PipelineError) -> String {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else {
      throw PipelineError(
        .missingInput, "The file of weights \(path) cannot be read", remedy: "Check its path and permissions")
    }
    var hash = StableHash()
    data.withUnsafeBytes { hash.combine($0) }
    return hash.text
  }
}
