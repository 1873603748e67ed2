import Foundation
import Testing

@testable import Review

/// Connections that hold on to what they have, over a socket.
@Suite struct ConnectionTests {
  private let fixture: ReviewFixture

  init() throws { fixture = try ReviewFixture(count: 6) }

  private func serve(
    _ change: (inout ReviewConfiguration) -> Void, body: @Sendable @escaping (Int) async throws -> Void
  ) async throws {
    let server = try fixture.server(change)
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.run { continuation.yield($0) } }
      for await port in ports {
        try await body(port)
        break
      }
      group.cancelAll()
    }
  }

  private static let page = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

  @Test func halfARequestHoldsNothingForEver() async throws {
    try await serve({ $0.limits.request = .milliseconds(100) }) { port in
      for text in [
        "", "GET / HTT", "POST /api/enter HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
      ] {
        let isClosed = try await Blocking.run {
          let connection = try RawConnection(port: port)
          connection.send(text)
          return connection.isHungUp()
        }
        #expect(isClosed, "\(text)")
      }
      #expect(try await Blocking.run { try Self.status(port) } == 200)
    }
  }

  @Test func connectionsThatNobodyHasServedYetMayBeThereWhenTheServerStops() async throws {
    for _ in 0..<10 {
      try await serve({ _ in }) { port in
        try await Blocking.run {
          let connections = try (0..<50).map { _ in try RawConnection(port: port) }
          withExtendedLifetime(connections) {}
        }
      }
    }
  }

  @Test func idleConnectionsEnd() async throws {
    try await serve({ $0.limits.idle = .milliseconds(100) }) { port in
      let isClosed = try await Blocking.run {
        let connection = try RawConnection(port: port)
        connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.isHungUp()
      }
      #expect(isClosed)
    }
  }

  @Test func thereIsAlwaysRoomForOneMore() async throws {
    try await serve({ $0.connections = 8 }) { port in
      let statuses = try await Blocking.run {
        var held: [RawConnection] = []
        var statuses: [Int] = []
        for number in 0..<40 {
          let connection = try RawConnection(port: port)
          connection.send("GET / HTT")
          held.append(connection)
          if number % 10 == 9 { statuses.append(try Self.status(port)) }
        }
        return statuses
      }
      #expect(statuses == [200, 200, 200, 200])
    }
  }

  @Test func aBodyWithoutEndIsCutOff() async throws {
    try await serve({ _ in }) { port in
      let isClosed = try await Blocking.run {
        let connection = try RawConnection(port: port)
        connection.send(
          "POST /api/enter HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nX-CleanNet: 1\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n")
        let chunk = "10000\r\n" + String(repeating: "a", count: 65_536) + "\r\n"
        for _ in 0..<64 { connection.send(chunk) }
        return connection.isHungUp()
      }
      #expect(isClosed)
      #expect(try await Blocking.run { try Self.status(port) } == 200)
    }
  }

  private static func status(_ port: Int) throws -> Int {
    let connection = try RawConnection(port: port)
    connection.send(page)
    return try connection.answer().status
  }
}
