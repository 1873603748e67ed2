import Backbones
import Foundation
import Torch
import Workspace

extension EmbedStage {
  /// Repeats how the workspace's features were made, so that new and changed images get the same.
  ///
  /// - Returns: A description for people; nil, leaving the stage as it is, if nothing was embedded yet.
  /// - Throws: ``PipelineError`` if the weights are no longer there.
  package mutating func takeLastSettings(_ workspace: Workspace) throws -> String? {
    guard
      let run = try workspace.finishedRun(stage: Self.stage) ?? workspace.runs(stage: Self.stage).last,
      let settings = try? JSONDecoder().decode(Settings.self, from: Data(run.settings.utf8)),
      let first = settings.parts.first
    else { return nil }
    let about = try workspace.featureSet(key: run.key)?.about ?? [:]
    precision = first.precision == "bf16" ? .bfloat16 : .float32
    pooling = settings.parts.lazy.compactMap(\.pooling).first ?? .auto
    let sizes = Set(settings.parts.map(\.preparation.size))
    size = sizes.count == 1 ? sizes.first : nil
    networks = try settings.parts.enumerated().map { place, part in
      try source(of: part, file: about[settings.parts.count == 1 ? "weights" : "weights \(place + 1)"])
    }
    return settings.title
  }

  /// The network that a part of the features was made by.
  ///
  /// - Parameter file: Where its weights were.
  private func source(of part: Settings.Part, file: String?) throws -> NetworkSource {
    var candidates: [NetworkSource] = []
    if let kind = part.backbone {
      candidates.append(.builtIn(kind))
      if let file { candidates.append(.builtIn(kind, weights: file)) }
    }
    if let file { candidates.append(.file(file)) }
    let use = NetworkUse(size: size, pooling: pooling, precision: precision, device: try device.device())
    for candidate in candidates {
      if let plan = try? NetworkPlan(candidate, use), try plan.settings.json() == part.json() {
        return candidate
      }
    }
    throw PipelineError(
      .missingInput,
      "The features were made by \(part.network), whose weights are not at \(file ?? "their place")",
      remedy: "Put them back, or choose a network for all images: --quality or --network")
  }
}
