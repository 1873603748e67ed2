import Foundation
import Workspace

/// How the scores were made, and by which commands it can be done again.
struct HistoryGatherer {
  let workspace: Workspace

  /// The last runs are kept.
  private static let entries = 60

  func history() throws -> [HistoryEntry] {
    try workspace.runs().filter { $0.stage != "report" }.suffix(Self.entries).map { run in
      HistoryEntry(
        stage: run.stage, started: run.started,
        seconds: run.finished.flatMap {
          $0.timeIntervalSince(run.started).rounded(to: 2)
        },
        outcome: run.outcome?.rawValue, settings: run.settings)
    }
  }

  /// From imports and the last run of each stage; what was verified lies in the workspace.
  func commands() throws -> [String] {
    var commands = try workspace.sources().map(Self.importCommand)
    if let settings = try settings(of: "embed", as: Embedding.self), !settings.parts.isEmpty {
      let networks = settings.parts.map { "--network \(Self.quoted($0.network))" }.joined(separator: " ")
      // Several networks have one --size, or each its own by default.
      let sizes = Set(settings.parts.map(\.preparation.size))
      let size = sizes.count == 1 ? sizes.map { " --size \($0)" }.joined() : ""
      let pool = settings.parts.lazy.compactMap(\.pooling).first { $0 != "auto" }.map { " --pool \($0)" }
      commands.append(
        "cleannet embed \(networks)\(size)\(pool ?? "") --precision \(settings.parts[0].precision)")
    }
    if let run = try workspace.finishedRun(stage: "train") {
      struct Metrics: Decodable { var objective: String }
      let metrics = run.metrics.flatMap { try? JSONDecoder().decode(Metrics.self, from: Data($0.utf8)) }
      let settings = try self.settings(of: "train", as: TrainSettings.self)
      let options = [
        metrics.map { "--objective \($0.objective)" },
        (settings?.kMeans?.clusters).map { "--references \($0)" },
        (settings?.recall).map { "--recall \($0)" },
        (settings?.training?.steps).map { "--steps \($0)" },
        (settings?.normalization).map { "--normalization \($0)" },
        (settings?.seed).map { "--seed \($0)" },
      ]
      commands.append((["cleannet train"] + options.compactMap { $0 }).joined(separator: " "))
    }
    if try workspace.finishedRun(stage: "score") != nil {
      let settings = try self.settings(of: "score", as: Scoring.self)
      let options = [
        settings?.targetNoise.map { "--target-noise \($0)" }, settings?.recall.map { "--recall \($0)" },
      ]
      commands.append((["cleannet score"] + options.compactMap { $0 }).joined(separator: " "))
    }
    return commands + ["cleannet report"]
  }

  /// The options of `cleannet import` by the names under which the workspace keeps them.
  private static let importOptions = [
    ("root", "--root"), ("path", "--path-column"), ("label", "--label-column"), ("key", "--key-column"),
    ("verification", "--verification-column"), ("splitColumn", "--split-column"), ("split", "--split"),
    ("classLevel", "--class-level"), ("labelPattern", "--label-pattern"),
    ("pathTemplate", "--path-template"), ("keyPrefix", "--key-prefix"),
  ]

  private static func importCommand(_ source: ImportedSource) -> String {
    let options = try? JSONDecoder().decode([String: String].self, from: Data(source.options.utf8))
    let words = importOptions.compactMap { name, flag in options?[name].map { "\(flag) \(quoted($0))" } }
    let prefixes = (options?["pathPrefixes"] ?? "").split(separator: "\n")
      .map { "--path-prefix \(quoted(String($0)))" }
    // Inputs from files of which the workspace keeps the content, not the name.
    let files = [
      ("featuresOnly", "--features FILE"), ("labels", "--label-map FILE"), ("classes", "--class-names FILE"),
    ]
    .filter { options?[$0.0] != nil }.map(\.1)
    let truth = options?["truth"].map {
      "--truth-columns \(quoted($0.replacingOccurrences(of: "\n", with: ",")))"
    }
    return
      (["cleannet import \(quoted(source.path)) --format \(source.format)"] + words + prefixes + files
      + [truth].compactMap { $0 })
      .joined(separator: " ")
  }

  private struct Embedding: Decodable {
    struct Preparation: Decodable { var size: Int }
    struct Part: Decodable {
      var network: String
      var precision: String
      var pooling: String?
      var preparation: Preparation
    }
    var parts: [Part]
  }

  private struct TrainSettings: Decodable {
    struct KMeans: Decodable { var clusters: Int }
    struct Steps: Decodable { var steps: Int }
    var kMeans: KMeans?
    var recall: Double?
    var training: Steps?
    var normalization: String?
    var seed: UInt64?
  }

  private struct Scoring: Decodable {
    var targetNoise: Double?
    var recall: Double?
  }

  private func settings<Value: Decodable>(of stage: String, as type: Value.Type) throws -> Value? {
    try workspace.finishedRun(stage: stage).flatMap {
      try? JSONDecoder().decode(type, from: Data($0.settings.utf8))
    }
  }

  /// A word of a shell's command.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || "/._-+,".unicodeScalars.contains($0)
    }
    return isPlain && !text.isEmpty ? text : "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }
}
