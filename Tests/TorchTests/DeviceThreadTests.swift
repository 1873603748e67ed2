import Foundation
import Synchronization
import Testing

@testable import Torch

/// The thread that computes for a device.
struct DeviceThreadTests {
  @Test func allWorkIsDoneOnOneThreadAndGivesItsResult() {
    let thread = DeviceThread.of(.cuda(7))
    let seen = Mutex<Set<UInt>>([])
    let results = Mutex<[Int: Double]>([:])
    concurrently(over: 200, threads: 8) { index in
      let result = thread {
        seen.withLock { _ = $0.insert(UInt(pthread_self())) }
        return (Tensor([Float(index)]) * 2).item
      }
      results.withLock { $0[index] = result }
    }
    #expect(seen.withLock { $0 }.count == 1)
    #expect(seen.withLock { $0 }.first != UInt(pthread_self()))
    #expect(
      results.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<200).map { ($0, 2 * Double($0)) }))
  }

  @Test func aDeviceHasOneThread() {
    #expect(DeviceThread.of(.cuda(8)) === DeviceThread.of(.cuda(8)))
    #expect(DeviceThread.of(.cuda(8)) !== DeviceThread.of(.cuda(9)))
  }
}
