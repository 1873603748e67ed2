import NIOCore

/// Runs tasks on the thread of an event loop. Swift's own tasks share as many threads as the machine has cores; a busy
/// test may hold all of them for long, and a server that waits for one would not answer in time.
final class EventLoopExecutor: TaskExecutor {
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
