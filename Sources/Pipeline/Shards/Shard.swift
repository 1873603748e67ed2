import Foundation

/// One of several parts of a job, each done by a process of its own.
package struct Shard: Sendable, Hashable {
  /// From 0.
  package let index: Int
  package let count: Int

  /// - Returns: nil if there is no such part.
  package init?(index: Int, count: Int) {
    guard count > 0, (0..<count).contains(index), count < 100_000 else { return nil }
    self.index = index
    self.count = count
  }

  /// `3/8`, counted from 1; `auto`, which takes both numbers from the variables of a Slurm array or a Kubernetes Job; or
  /// `auto/8`, which takes the first from there.
  ///
  /// Slurm: `SLURM_ARRAY_TASK_ID` from `SLURM_ARRAY_TASK_MIN` on, and `SLURM_ARRAY_TASK_COUNT`. Kubernetes:
  /// `JOB_COMPLETION_INDEX`, which counts from 0; the number of completions has no variable of its own there.
  ///
  /// - Returns: nil if the text or the variables say none.
  package init?(_ text: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count) else { return nil }
    if parts[0] != "auto" {
      guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]) else { return nil }
      self.init(index: number - 1, count: count)
      return
    }
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    let given = parts.count == 2 ? Int(parts[1]) : nil
    guard parts.count == 1 || given != nil else { return nil }
    if let task = number("SLURM_ARRAY_TASK_ID") {
      guard let count = given ?? number("SLURM_ARRAY_TASK_COUNT") else { return nil }
      self.init(index: task - (number("SLURM_ARRAY_TASK_MIN") ?? 0), count: count)
    } else if let index = number("JOB_COMPLETION_INDEX"), let given {
      self.init(index: index, count: given)
    } else {
      return nil
    }
  }

  /// This part of some pieces of work, in their order.
  func part(of pieces: Int) -> Range<Int> { index * pieces / count..<(index + 1) * pieces / count }

  /// `00003-of-00008`, counted from 1.
  var name: String { "\(Self.digits(index + 1))-of-\(Self.digits(count))" }

  private static func digits(_ number: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
