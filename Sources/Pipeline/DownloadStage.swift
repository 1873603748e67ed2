import Datasets
import Downloads
import Foundation
import Images
import Workspace

/// Downloads the images that lists named by their addresses.
///
/// Downloaded images are not asked for again, and neither are images that the server refused, unless ``retriesFailures``.
/// Images that do not come are noted as problems, and the run goes on.
package struct DownloadStage: Sendable {
  package var settings: DownloadSettings
  /// Asks again also for images that were refused, or found missing, by an earlier run.
  package var retriesFailures = false

  static let stage = "download"

  package init() {
    settings = DownloadSettings(userAgent: "cleannet/\(ProgramVersion.current) (image data set download)")
    settings.isImage = { bytes in bytes.withUnsafeBytes { ImageFormat(firstBytes: $0) != nil } }
    settings.proxy = DownloadSettings.Proxy.fromEnvironment()
  }

  package struct Outcome: Sendable, Codable {
    /// Images downloaded now.
    package var downloaded = 0
    /// Images that were there already.
    package var present = 0
    /// Images that are not there.
    package var failed = 0
    /// Of the images downloaded now.
    package var bytes = 0
    package var seconds = 0.0
  }

  /// Downloads if a list of addresses was imported.
  func runIfNeeded(_ workspace: Workspace, progress: some ProgressReporter) throws {
    guard FileManager.default.fileExists(atPath: workspace.downloadsFolder) else { return }
    let outcome = try run(workspace, progress: progress)
    if outcome.failed > 0 {
      progress.warn("\(outcome.failed) images could not be downloaded; see cleannet status --problems")
    }
  }

  /// - Throws: `PipelineError` if no image is named by an address.
  @discardableResult
  package func run(_ workspace: Workspace, progress: some ProgressReporter) throws -> Outcome {
    guard FileManager.default.fileExists(atPath: workspace.downloadsFolder) else {
      throw PipelineError(
        .missingInput, "The workspace holds no images that are given by an address",
        remedy: "Import a list of them: cleannet import list.csv, with the columns url and label")
    }
    return try workspace.withWriteLock(Self.stage) {
      try waiting { try await download(workspace, progress) }
    }
  }

  private func download(_ workspace: Workspace, _ progress: some ProgressReporter) async throws -> Outcome {
    let folder = try DownloadFolder(path: workspace.downloadsFolder)
    let known = folder.failures
    let asks = { (name: String) in retriesFailures || known[name]?.isTemporary != false }
    var outcome = Outcome()
    var left = 0
    try workspace.forEachSample { sample in
      guard let name = workspace.downloadName(sample.location) else { return }
      if folder.has(name) { outcome.present += 1 } else if asks(name) { left += 1 }
    }
    if left > 0 {
      do throws(TransferLibraryError) {
        try TransferLibrary.load()
      } catch {
        throw PipelineError(.missingComponent, error.what, remedy: error.remedy)
      }
      let run = try workspace.beginRun(stage: Self.stage, key: Self.stage)
      let start = ContinuousClock.now
      progress.begin("Downloading", total: left, unit: "images")
      let pending = PendingDownloads(workspace) { !folder.has($0) && asks($0) }
      var done = 0
      try await Downloader(settings: settings, folder: folder.path).run(pending) { result in
        try folder.note(result)
        if case .success(let bytes) = result.result {
          outcome.downloaded += 1
          outcome.bytes += bytes
        }
        done += 1
        progress.update(done)
      }
      if let failure = pending.failure { throw failure }
      outcome.seconds = (ContinuousClock.now - start).inSeconds
      progress.end("\(outcome.downloaded) images, \(outcome.bytes / 1_000_000) MB")
      outcome.failed = try noteProblems(workspace, folder)
      try workspace.finishRun(run, .done, metrics: try outcome.json())
    } else {
      outcome.failed = try noteProblems(workspace, folder)
    }
    return outcome
  }

  /// Lists the images that are not there, and why.
  private func noteProblems(_ workspace: Workspace, _ folder: DownloadFolder) throws -> Int {
    try workspace.clearProblems(stage: Self.stage, in: 0..<workspace.sampleCount())
    var problems: [SampleProblem] = []
    try workspace.forEachSample { sample in
      guard let name = workspace.downloadName(sample.location), !folder.has(name) else { return }
      let why = folder.failures[name]?.explanation ?? "It has not been downloaded. Run: cleannet download"
      problems.append(SampleProblem(sample: sample.id, stage: Self.stage, what: why))
    }
    try workspace.addProblems(problems)
    return problems.count
  }
}

/// The images that are still to be downloaded, in the order of the import, each address once.
private final class PendingDownloads: Sequence, IteratorProtocol {
  private static let blockSize = 4096

  private let workspace: Workspace
  private let isWanted: (String) -> Bool
  private var asked: Set<String> = []
  private var block: [DownloadRequest] = []
  private var nextSample = 0
  /// The error that ended the sequence before its time.
  private(set) var failure: (any Error)?

  init(_ workspace: Workspace, where isWanted: @escaping (String) -> Bool) {
    self.workspace = workspace
    self.isWanted = isWanted
  }

  func next() -> DownloadRequest? {
    while true {
      if let request = block.popLast() {
        if asked.insert(request.name).inserted { return request }
      } else {
        do {
          guard try readBlock() else { return nil }
        } catch {
          failure = error
          return nil
        }
      }
    }
  }

  /// Reads the next samples; `false` after the last.
  private func readBlock() throws -> Bool {
    let samples = try workspace.samples(in: nextSample..<(nextSample + Self.blockSize))
    nextSample += Self.blockSize
    block = samples.reversed().compactMap { sample in
      guard let name = workspace.downloadName(sample.location), isWanted(name) else { return nil }
      return DownloadRequest(address: sample.path, name: name)
    }
    return !samples.isEmpty
  }
}
