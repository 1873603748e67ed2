import CTorch
import Synchronization

/// Runs `body` while memory that is freed stays with the process, for what is allocated next.
///
/// A network's training allocates and frees the same gigabyte every step. Given back to the system and fetched again page
/// by page, as is usual for large pieces, it takes a quarter of the time of a small network. Memory that is free at
/// the end of the last such call that runs goes back.
package func keepingFreedMemory<Result>(_ body: () throws -> Result) rethrows -> Result {
  freedMemoryKeepers.withLock {
    if $0 == 0 { ctorch_keep_freed_memory(true) }
    $0 += 1
  }
  defer {
    freedMemoryKeepers.withLock {
      $0 -= 1
      if $0 == 0 { ctorch_keep_freed_memory(false) }
    }
  }
  return try body()
}

/// How many calls are at work.
private let freedMemoryKeepers = Mutex(0)
