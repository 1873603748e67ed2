import Foundation
import Images
import Workspace

/// Makes the report: a page that opens in any browser without a network, the data it was made from, and lists of
/// suspicious and duplicate images.
///
/// ```
/// index.html        the page, small copies of images within it
/// report.json       every number of the page
/// suspicious.csv    all labels called wrong, the worst first
/// duplicates.csv    all groups of images that occur more than once
/// ```
package struct Report: Sendable {
  package var threads = 2
  package var seed: UInt64 = 0
  package var limits = ReportLimits()
  /// Another workspace, or an earlier report, to set beside this one.
  package var comparison: String?

  package static let pageName = "index.html"
  package static let dataName = "report.json"
  static let suspiciousName = "suspicious.csv"
  static let duplicatesName = "duplicates.csv"

  package init() {}

  package struct Outcome: Sendable {
    package var data: ReportData
    /// The page's path.
    package var page: String
    /// The page's size.
    package var bytes: Int
  }

  /// Gathers the data and writes all files into `folder`, which is made if need be.
  ///
  /// - Throws: `WorkspaceError` if the workspace is empty or the folder cannot be written, `VipsError` if there are
  ///   images to show and no libvips.
  package func write(
    _ workspace: Workspace, inputs: ReportInputs, to folder: String,
    progress: @escaping @Sendable (ReportProgress) -> Void = { _ in }
  ) throws -> Outcome {
    guard try workspace.sampleCount() > 0 else {
      throw WorkspaceError(
        .notFound, file: workspace.path, "holds no images", remedy: "Run: cleannet import SOURCE")
    }
    if try workspace.hasImages() { try Vips.load() }
    let gathered = try Gatherer(workspace, inputs: inputs, report: self, progress: progress).gather()
    let json = try gathered.data.json()
    progress(.began("Writing the page", total: nil, unit: ""))
    let page = Page(gathered.data, json: json, pictures: gathered.pictures).document
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkspaceError(
        .cannotWrite, file: folder, "cannot be created", remedy: "Check its permissions and the free space")
    }
    try AtomicFile.write(json, to: "\(folder)/\(Self.dataName)")
    try ImageLists(workspace: workspace, table: gathered.table).write(
      suspicious: "\(folder)/\(Self.suspiciousName)", duplicates: "\(folder)/\(Self.duplicatesName)",
      groups: gathered.duplicateGroups)
    let bytes = Data(page.utf8)
    try AtomicFile.write(bytes, to: "\(folder)/\(Self.pageName)")
    progress(.ended("\(bytes.count / 1000) kB"))
    return Outcome(data: gathered.data, page: "\(folder)/\(Self.pageName)", bytes: bytes.count)
  }
}
