import Foundation
import Synchronization

/// How much memory this process may hold. Tables that grow with the number of images lie in mapped files. When the
/// process would hold more than it may, their pages are put aside, and come back from the file when they are read
/// again.
package enum MemoryLimit {
  /// Bytes. Half of the machine's, or of the container's, unless it is set.
  package static var bytes: Int {
    get { limit.load(ordering: .relaxed) }
    set { limit.store(max(1 << 20, newValue), ordering: .relaxed) }
  }

  private static let limit = Atomic<Int>(total / 2)
  /// Bytes read since the last look at what the process holds.
  private static let read = Atomic<Int>(0)
  private static let mappings = Mutex<[UInt: Int]>([:])

  /// The memory of the machine, in bytes, or of the container if that is less.
  package static let total: Int = {
    let machine = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
    let limits = files.compactMap { path in
      (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
        Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
    return limits.filter { $0 > 0 }.reduce(machine, min)
  }()

  /// How many threads may work side by side that take `each` bytes: what they take together is at most a quarter of all.
  package static func threads(_ wanted: Int, each: Int) -> Int {
    max(1, min(wanted, bytes / 4 / max(1, each)))
  }

  /// The bytes that one read at a random place brings into the process: the system fetches neighboring pages with it.
  package static let randomRead = 1 << 16

  /// Says that bytes of mapped files were read or written: now and then it is looked whether the process holds too much.
  package static func didRead(_ count: Int) {
    let sum = read.add(count, ordering: .relaxed).newValue
    guard sum > bytes / 16 else { return }
    read.store(0, ordering: .relaxed)
    if resident > bytes / 4 * 3 { putAside() }
  }

  /// Adds a mapping of a file, shared with it, whose pages may be put aside at any time.
  package static func add(_ mapping: UnsafeRawBufferPointer) {
    guard let start = mapping.baseAddress else { return }
    mappings.withLock { $0[UInt(bitPattern: start)] = mapping.count }
  }

  /// Removes a mapping, before it ends.
  package static func remove(_ mapping: UnsafeRawBufferPointer) {
    guard let start = mapping.baseAddress else { return }
    _ = mappings.withLock { $0.removeValue(forKey: UInt(bitPattern: start)) }
  }

  /// Takes the pages of all mappings out of the process. Bytes that were written to them are in the file already.
  package static func putAside() {
    mappings.withLock { mappings in
      for (start, count) in mappings {
        guard let pointer = UnsafeMutableRawPointer(bitPattern: start) else { continue }
        madvise(pointer, count, MADV_DONTNEED)
      }
    }
  }

  /// Bytes that the process holds; 0 where the system does not tell.
  package static var resident: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let numbers = text.split(separator: " ")
    return numbers.count > 1 ? (Int(numbers[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }
}
