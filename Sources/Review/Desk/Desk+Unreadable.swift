import Foundation
import Images
import Workspace

extension Desk {
  /// The stage under which images that could not be shown are noted.
  static let problemStage = "review"

  /// Stops showing an image that could not be decoded: nobody can judge it, and "right" would be a guess. Images that
  /// came as features alone are left as they are.
  func cannotShow(_ sample: Int, _ problem: ImageProblem) async throws {
    guard problem.kind != .missing else { return }
    let label: Int? = state.withLock { $0.catalogue.remove(sample) }
    guard let label else { return }
    await orders.reset(label)
    let workspace = workspace
    let noted = SampleProblem(sample: sample, stage: Self.problemStage, what: problem.explanation)
    try await Blocking.run { try workspace.addProblems([noted]) }
  }

  /// Tries images again that could not be shown earlier: the file may have been mended since. Blocks.
  static func retryUnreadable(_ workspace: Workspace, _ cache: ThumbnailCache) throws {
    for problem in try workspace.problems() where problem.stage == problemStage {
      guard let sample = try workspace.sample(problem.sample),
        (try? cache.jpeg(of: sample, side: ThumbnailCache.sides[0])) != nil
      else { continue }
      try workspace.clearProblems(stage: problemStage, in: sample.id..<(sample.id + 1))
    }
  }
}
