import Files
import Foundation

/// The folder that downloads are kept in: one file per image, and `downloads.jsonl`, with one line per event, which
/// says when each image came, or why not.
///
/// A file has its name only when all of it is there; a program that is killed leaves at most some `.part`, which the
/// next download of the same image replaces. Of several lines on one image the last counts. For one process at a time.
package final class DownloadFolder {
  package static let logName = "downloads.jsonl"

  package let path: String
  private let log: FileHandle
  /// Why images did not come, by their names.
  package private(set) var failures: [String: DownloadFailure] = [:]

  private struct Event: Codable {
    var name: String
    var url: String
    var at: String
    var bytes: Int?
    var failure: DownloadFailure?
  }

  /// - Throws: `CocoaError` if the folder cannot be made or its log not be written.
  package init(path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let logPath = "\(path)/\(Self.logName)"
    let descriptor = open(logPath, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: logPath])
    }
    log = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try readLog()
  }

  /// A line that was cut short by a kill is ended, and passed over.
  private func readLog() throws {
    var pending: [UInt8] = []
    let decoder = JSONDecoder()
    while let piece = try log.read(upToCount: 1 << 20), !piece.isEmpty {
      pending += piece
      var lines = pending.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      pending = lines.popLast().map(Array.init) ?? []
      // Images that came need no line: they are there.
      for line in lines
      where line.count < 1 << 16 && String(decoding: line, as: UTF8.self).contains(#""failure""#) {
        guard let event = try? decoder.decode(Event.self, from: Data(line)) else { continue }
        failures[event.name] = event.failure
      }
    }
    if !pending.isEmpty { try log.write(contentsOf: Data("\n".utf8)) }
  }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Whether the image is there.
  package func has(_ name: String) -> Bool {
    var info = stat()
    return stat(file(name), &info) == 0 && info.st_size > 0
  }

  /// Notes what became of a download.
  package func note(_ outcome: DownloadOutcome) throws {
    var event = Event(
      name: outcome.request.name, url: outcome.request.address, at: Date.now.formatted(.iso8601))
    switch outcome.result {
    case .success(let bytes):
      event.bytes = bytes
      failures[event.name] = nil
    case .failure(let failure):
      event.failure = failure
      failures[event.name] = failure
    }
    try log.write(contentsOf: Data((event.json() + "\n").utf8))
  }
}
