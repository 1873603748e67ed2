import Files
import Foundation
import Pipeline
import Synchronization

/// Bars on a terminal, with rate and time left; single lines elsewhere. All on stderr, so that stdout is results.
///
/// With `CLEANNET_PROGRESS=json` a JSON object per event instead, for programs that show progress themselves:
/// `{"progress":"begin","stage":"Embedding","total":1000,"unit":"images"}`, then `"update"` with `"done"`, and `"end"`.
final class ConsoleProgress: ProgressReporter {
  private struct Stage {
    var name = ""
    var unit = ""
    var total: Int?
    var done = 0
    var start = ContinuousClock.now
    var lastDrawn: ContinuousClock.Instant?
    var isActive = false
  }

  private let stage = Mutex(Stage())
  private let quiet: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let writesEvents = ProcessInfo.processInfo.environment["CLEANNET_PROGRESS"] == "json"
  /// Stages shorter than this show no bar.
  private static let patience = Duration.seconds(1)
  private static let interval = Duration.milliseconds(200)

  init(quiet: Bool) { self.quiet = quiet }

  func begin(_ name: String, total: Int?, unit: String) {
    stage.withLock {
      $0 = Stage(name: name, unit: unit, total: total, isActive: true)
      if writesEvents, !quiet { write(Event(progress: "begin", stage: name, total: total, unit: unit)) }
    }
  }

  func update(_ done: Int) {
    guard !quiet, isTerminal || writesEvents else { return }
    stage.withLock { stage in
      stage.done = max(stage.done, done)
      let now = ContinuousClock.now
      guard stage.isActive, writesEvents || now - stage.start > Self.patience else { return }
      if let last = stage.lastDrawn, now - last < Self.interval { return }
      stage.lastDrawn = now
      if writesEvents {
        return write(Event(progress: "update", stage: stage.name, done: stage.done, total: stage.total))
      }
      write("\r\u{1B}[K" + Self.bar(stage, elapsed: now - stage.start))
    }
  }

  func end(_ note: String?) {
    stage.withLock { stage in
      guard stage.isActive else { return }
      stage.isActive = false
      guard !quiet else { return }
      if writesEvents { return write(Event(progress: "end", stage: stage.name, note: note)) }
      if stage.lastDrawn != nil { write("\r\u{1B}[K") }
      let time = Self.text(ContinuousClock.now - stage.start)
      write("\(stage.name): \(note ?? "done") (\(time))\n")
    }
  }

  func note(_ message: String) {
    guard !quiet else { return }
    stage.withLock { stage in
      if stage.lastDrawn != nil { write("\r\u{1B}[K") }
      stage.lastDrawn = nil
      write("\(message)\n")
    }
  }

  func warn(_ message: String) {
    stage.withLock { stage in
      if stage.lastDrawn != nil, !writesEvents { write("\r\u{1B}[K") }
      stage.lastDrawn = nil
      write("warning: \(message)\n")
    }
  }

  /// The progress as other programs read it.
  private struct Event: Encodable {
    var progress: String
    var stage: String
    var done: Int?
    var total: Int?
    var unit: String?
    var note: String?
  }

  private func write(_ event: Event) {
    guard let line = try? event.json() else { return }
    write(line + "\n")
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

  private static func bar(_ stage: Stage, elapsed: Duration) -> String {
    let seconds = max(elapsed.seconds, 1e-9)
    let rate = Double(stage.done) / seconds
    guard let total = stage.total, total > 0 else {
      return "\(stage.name) \(stage.done) \(stage.unit), \(number(rate))/s"
    }
    let share = min(1, Double(stage.done) / Double(total))
    let filled = Int(share * 24)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
    let left = rate > 0 ? Duration.seconds(Double(total - stage.done) / rate) : nil
    return "\(stage.name) \(bar) \(Int(share * 100)) % · \(stage.done)/\(total) \(stage.unit) · "
      + "\(number(rate))/s" + (left.map { " · \(text($0)) left" } ?? "")
  }

  private static func number(_ value: Double) -> String {
    value < 10 ? String(format: "%.1f", value) : String(Int(value))
  }

  /// "0.4 s", "12 s", "3 min 05 s", "2 h 10 min".
  static func text(_ duration: Duration) -> String {
    let seconds = duration.seconds
    if seconds < 10 { return String(format: "%.1f s", seconds) }
    if seconds < 60 { return "\(Int(seconds)) s" }
    if seconds < 3600 { return String(format: "%d min %02d s", Int(seconds) / 60, Int(seconds) % 60) }
    return String(format: "%d h %02d min", Int(seconds) / 3600, Int(seconds) / 60 % 60)
  }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
