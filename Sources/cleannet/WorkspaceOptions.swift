import ArgumentParser
import Foundation
import Pipeline
import Torch
import Workspace

/// Options of every verb that works on a workspace.
struct WorkspaceOptions: ParsableArguments {
  @Option(
    name: [.customShort("w"), .long],
    help: ArgumentHelp(
      "The workspace's folder.", discussion: "Default: $CLEANNET_WORKSPACE, else ./cleannet-workspace",
      valueName: "dir"))
  var workspace: String?

  @OptionGroup var output: OutputOptions

  var path: String {
    workspace ?? ProcessInfo.processInfo.environment["CLEANNET_WORKSPACE"] ?? "cleannet-workspace"
  }

  func open() throws -> Workspace { try Workspace(path: path) }

  /// Makes the workspace if there is none. A source that cannot be read leaves no empty workspace behind.
  ///
  /// Of two processes that begin at once, one may remove the empty workspace that both have opened; the other then makes
  /// it anew.
  func filling<Value>(_ body: (Workspace) throws -> Value) throws -> Value {
    while true {
      let store = try Workspace(path: path, create: true)
      do {
        return try body(store)
      } catch let error as WorkspaceError where error.kind == .removed {
        continue
      } catch {
        try? store.removeIfEmpty()
        throw error
      }
    }
  }
}

/// How results and progress are shown.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as one JSON document.")
  var json = false

  @Flag(name: [.short, .long], help: "Show no progress on stderr.")
  var quiet = false

  var progress: ConsoleProgress { ConsoleProgress(quiet: quiet) }

  /// Prints a result: as JSON if wished, else as text.
  func print(_ result: some Encodable, text: () -> String) throws {
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      encoder.dateEncodingStrategy = .iso8601
      Swift.print(String(decoding: try encoder.encode(JSONResult(value: result)), as: UTF8.self))
    } else {
      Swift.print(text())
    }
  }
}

/// A result, which is an object, with the version of its fields.
private struct JSONResult<Value: Encodable>: Encodable {
  private enum CodingKeys: String, CodingKey { case schema }

  /// Rises when a field of any verb goes or changes its meaning; further fields may come without.
  static var schema: Int { 1 }

  let value: Value

  func encode(to encoder: any Encoder) throws {
    try value.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(Self.schema, forKey: .schema)
  }
}

/// Options of verbs that compute with random choices.
struct ComputeOptions: ParsableArguments {
  @Option(help: "Seed of all random choices.")
  var seed: UInt64 = 0

  @OptionGroup var threadOptions: ThreadOptions

  var threads: Int { threadOptions.threads }

  /// Opens the engine.
  func prepareEngine() throws { try threadOptions.prepareEngine() }
}

/// Options of verbs that compute, and leave nothing to chance.
struct ThreadOptions: ParsableArguments {
  @Option(name: .customLong("threads"), help: "Number of threads (default: one per core).")
  var wantedThreads: Int?

  var threads: Int { wantedThreads ?? ProcessInfo.processInfo.activeProcessorCount }

  func validate() throws {
    guard threads > 0 else { throw ValidationError("--threads must be at least 1.") }
  }

  /// Opens the engine.
  func prepareEngine() throws { try Self.prepareEngine(threads: threads) }

  static func prepareEngine(threads: Int) throws {
    try Engine.load()
    Engine.setProcessThreads(threads)
  }
}
