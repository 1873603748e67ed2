import Foundation

/// DuckDB's program, which reads and writes Parquet as a child process.
///
/// It is found by `CLEANNET_DUCKDB`, on `PATH`, or where `Scripts/fetch` puts it.
package struct DuckDB: Sendable {
  /// The program's path.
  package let program: String

  /// The message for a data set that cannot be read without it; the command line's exit status follows from that.
  package static let missing = "needs the program duckdb"

  /// - Throws: `DatasetProblems` with the way to get it, if it is not here.
  package init(for file: String) throws(DatasetProblems) {
    guard let program = Self.find() else {
      throw DatasetProblems(
        DatasetProblem(
          file: file, what: "\(Self.missing), which reads and writes Parquet and is not installed",
          remedy:
            "`cleannet doctor` names the command that installs it; or name the program in CLEANNET_DUCKDB"))
    }
    self.program = program
  }

  /// The program's path; `nil` if it is not here.
  package static func find() -> String? {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["CLEANNET_DUCKDB"] { return access(named, X_OK) == 0 ? named : nil }
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let cache = environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
    return (folders.map { "\($0)/duckdb" } + ["\(cache)/cleannet/duckdb/duckdb"]).first {
      access($0, X_OK) == 0
    }
  }

  /// A text in SQL.
  static func quoted(_ text: String) -> String {
    "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
  }

  /// A column's name in SQL.
  static func name(_ column: String) -> String {
    "\"" + column.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }

  /// Runs statements, and gives what they print as lines of JSON, or as what `COPY … TO '/dev/stdout'` writes.
  ///
  /// - Returns: A file without a name, which is gone with the value.
  /// - Throws: `DatasetProblems` with the program's words, if it fails.
  func run(_ sql: String, file: String) throws(DatasetProblems) -> UnnamedFile {
    let output = try UnnamedFile(for: file)
    let errors = try UnnamedFile(for: file)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = ["-no-init", "-bail", "-jsonlines", "-no-stdin", "-c", sql]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output.handle
    process.standardError = errors.handle
    do { try process.run() } catch { throw Self.failure(file, "\(error)") }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Self.failure(file, errors.text) }
    return output
  }

  static func failure(_ file: String, _ text: String) -> DatasetProblems {
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no word about why"
    return DatasetProblems(
      DatasetProblem(file: file, what: "duckdb fails: \(line)", remedy: "Check the file, or get it again"))
  }
}

/// A file that has no name and is gone when nobody holds it.
final class UnnamedFile: Sendable {
  let descriptor: CInt

  init(for file: String) throws(DatasetProblems) {
    let name = NSTemporaryDirectory() + "/.cleannet-\(UUID().uuidString)"
    descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw DatasetProblems(
        DatasetProblem(
          file: file, what: "needs a temporary file, which cannot be made: \(errnoText())",
          remedy: "Set TMPDIR to a folder with room for it"))
    }
    unlink(name)
  }

  deinit { close(descriptor) }

  /// Under which this process opens it from its beginning.
  var path: String { "/proc/self/fd/\(descriptor)" }

  var handle: FileHandle { FileHandle(fileDescriptor: descriptor, closeOnDealloc: false) }

  var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
