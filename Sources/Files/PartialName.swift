import Foundation

/// The name that a file or folder has until all of it is there: hidden, beside its target, and locked as long as its
/// writer lives.
///
/// A writer that was killed leaves it behind; the system lets go of the lock. Whoever writes the same target next, or
/// sweeps the folder, removes what nobody holds. A sweeper holds the lock while it removes, and a writer looks after
/// locking whether its entry is still there, so that neither can take the other's.
final class PartialName {
  private static let prefix = ".cleannet-"
  private static let suffix = ".part"

  let path: String
  private var lock: CInt = -1

  /// - Parameter target: An absolute path, or one from the working folder.
  init(beside target: String) {
    let (folder, name) = Self.parts(target)
    let mark = Self.mark(name)
    Self.sweep(folder) { $0.hasPrefix(Self.prefix + mark) }
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    path = "\(folder)/\(Self.prefix)\(mark)-\(random)\(Self.suffix)"
  }

  deinit { if lock >= 0 { close(lock) } }

  /// Locks the entry, which the caller has just made. `false` if a sweeper was faster; then it is gone.
  func hold() -> Bool {
    precondition(lock < 0, "the entry is held already; waiting for oneself would never end")
    lock = open(path, O_RDONLY | O_CLOEXEC)
    guard lock >= 0 else { return false }
    while flock(lock, LOCK_EX) != 0 {
      // A file system without locks: nobody sweeps there either.
      guard errno == EINTR else { return true }
    }
    var own = stat()
    var named = stat()
    return fstat(lock, &own) == 0 && stat(path, &named) == 0 && own.st_ino == named.st_ino
      && own.st_dev == named.st_dev
  }

  /// The folder and the name of a path.
  static func parts(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = String(path[..<slash])
    return (folder.isEmpty ? "/" : folder, String(path[path.utf8.index(after: slash)...]))
  }

  /// Names may be as long as the system allows, so their digest stands for them.
  private static func mark(_ name: String) -> String {
    var name = name
    let word = name.withUTF8 { ContentDigest.of(UnsafeRawBufferPointer($0)).word }
    return String(word, radix: 36)
  }

  /// Removes what killed writers left in a folder.
  static func sweep(_ folder: String, where isWanted: (String) -> Bool = { $0.hasPrefix(prefix) }) {
    guard let entries = opendir(folder) else { return }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasPrefix(prefix), name.hasSuffix(suffix), isWanted(name) else { continue }
      let path = "\(folder)/\(name)"
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: path) }
      close(descriptor)
    }
  }
}

/// Removes what killed writers left in a folder, as the next writer of the same file would.
package func sweepLeftovers(in folder: String) { PartialName.sweep(folder) }
