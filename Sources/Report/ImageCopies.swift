import Images
import Torch
import Workspace

/// Finds images that occur more than once among all of a workspace, for cleaned data sets that must not hold them.
package struct ImageCopies: Sendable {
  package var threads = 2

  /// Beyond this many images only pixels and hashes are compared: comparing features takes time with their square.
  private static let mostWithFeatures = 50_000

  package init() {}

  /// - Parameter features: Those in use; `nil` compares pixels alone.
  /// - Returns: The groups of images that show the same, as sample numbers, ascending.
  /// - Throws: `VipsError` if there are images to look at and no libvips.
  package func groups(
    _ workspace: Workspace, features: (any FeatureSource)?,
    progress: @escaping @Sendable (ReportProgress) -> Void = { _ in }
  ) throws -> [[Int]] {
    let table = try LabelTable(workspace)
    let all = table.present
    var signatures = [ImageSignature?](repeating: nil, count: table.count)
    if try workspace.hasImages() {
      try Vips.load()
      progress(.began("Looking at images", total: all.count, unit: "images"))
      let read = try ImageReader(workspace, threads: threads).signatures(all) { progress(.reached($0)) }
      for (image, signature) in zip(all, read) { signatures[image] = signature }
      progress(.ended("\(signatures.count { $0 != nil }) images"))
    }
    let usable = all.count <= Self.mostWithFeatures ? features : nil
    let gathered = usable.flatMap { FeatureGatherer($0, among: all) }
    let ids = gathered?.ids ?? all.filter { signatures[$0] != nil }
    guard ids.count > 1 else { return [] }
    progress(.began("Looking for duplicates", total: nil, unit: ""))
    let found = DuplicateFinder(
      table: table, ids: ids, signatures: ids.map { signatures[$0] }, features: gathered?.projected,
      threads: threads
    ).find()
    progress(.ended("\(found.groups.count) groups"))
    return found.groups.map { $0.sorted() }.sorted { ($0.first ?? 0) < ($1.first ?? 0) }
  }
}
