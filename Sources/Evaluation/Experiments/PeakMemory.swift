import Foundation

/// How much memory a piece of work needs.
package enum PeakMemory {
  /// Runs `body`, and measures by how many bytes the process grew at most meanwhile, pages of mapped files among them.
  ///
  /// - Returns: nil if the kernel does not tell (Linux: `clear_refs` and `VmHWM`, see proc(5)). Work that runs beside
  ///   `body` in the same process counts too; small pieces that the allocator has kept from earlier work do not.
  package static func measuring<Result>(_ body: () throws -> Result) rethrows -> (result: Result, bytes: Int?)
  {
    let canReset = (try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))) != nil
    let before = canReset ? kibibytes("VmRSS") : nil
    let result = try body()
    guard let before, let peak = kibibytes("VmHWM") else { return (result, nil) }
    return (result, max(0, peak - before) * 1024)
  }

  private static func kibibytes(_ field: String) -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
    return line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
  }
}
