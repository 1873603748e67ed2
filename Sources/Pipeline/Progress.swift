/// Where stages say how far they are. The command line draws bars, a server sends events, a library may ignore it.
package protocol ProgressReporter: Sendable {
  /// A stage begins: its name as a user reads it, and how many units it has, if known.
  func begin(_ stage: String, total: Int?, unit: String)
  /// So many units are done in all. Called from any thread, as often as the stage likes.
  func update(_ done: Int)
  /// The stage has ended; `note` sums it up.
  func end(_ note: String?)
  /// Something that the user may like to know before a stage begins, such as how long it will take.
  func note(_ message: String)
  /// Something that the user should read, though the run goes on.
  func warn(_ message: String)
}

extension ProgressReporter {
  package func note(_ message: String) {}
}

/// Reports nothing.
package struct SilentProgress: ProgressReporter {
  package init() {}
  package func begin(_ stage: String, total: Int?, unit: String) {}
  package func update(_ done: Int) {}
  package func end(_ note: String?) {}
  package func warn(_ message: String) {}
}
