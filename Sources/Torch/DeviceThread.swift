import Dispatch
import Foundation
import Synchronization

/// The one thread that networks compute on for a device, whoever asks.
///
/// A GPU computes one operation after another, and one thread is enough to keep it busy. cuDNN needs seconds
/// to plan a network's convolutions, and keeps the plans per thread: threads that come and go would plan them again.
package final class DeviceThread: Sendable {
  private static let threads = Mutex<[Device: DeviceThread]>([:])

  private struct Job: Sendable {
    var body: (@Sendable () -> Void)?
    let done = DispatchSemaphore(value: 0)
  }

  private let work = Mutex<[Job]>([])
  private let arrived = DispatchSemaphore(value: 0)

  /// The thread of a device; it is made once and stays.
  package static func of(_ device: Device) -> DeviceThread {
    threads.withLock { threads in
      if let thread = threads[device] { return thread }
      let made = DeviceThread(name: "\(device)")
      threads[device] = made
      return made
    }
  }

  private init(name: String) {
    let thread = Thread { [self] in
      while true {
        arrived.wait()
        var job = work.withLock { $0.removeFirst() }
        job.body?()
        // Whoever waits lent the body: nothing may hold it any more.
        job.body = nil
        job.done.signal()
      }
    }
    thread.name = name
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Runs a body on the thread, after bodies that others gave before, and waits for it.
  package func callAsFunction<Result>(_ body: () -> Result) -> Result {
    var result: Result?
    withoutActuallyEscaping({ result = body() }) { body in
      // Safe: this thread waits until the other is done with it.
      nonisolated(unsafe) let body = body
      let done = enqueue { body() }
      arrived.signal()
      done.wait()
    }
    guard let result else { preconditionFailure("the body was not run") }
    return result
  }

  private func enqueue(_ body: @escaping @Sendable () -> Void) -> DispatchSemaphore {
    let job = Job(body: body)
    work.withLock { $0.append(job) }
    return job.done
  }
}
