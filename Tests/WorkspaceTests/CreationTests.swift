import Foundation
import Synchronization
import Testing

@testable import Workspace

@Suite("Making a workspace") struct CreationTests {
  @Test("several may make the same one at once")
  func atOnce() {
    for _ in 0..<5 {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let problems = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        do {
          #expect(try Workspace(path: folder, create: true).sampleCount() == 0)
        } catch {
          problems.withLock { $0.append("\(error)") }
        }
      }
      #expect(problems.withLock { $0 }.isEmpty)
    }
  }
}
