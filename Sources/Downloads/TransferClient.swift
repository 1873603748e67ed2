import CDownloads
import Foundation
import Synchronization

/// Asks servers, many at a time, over connections that are kept for the next question; the work is done on a thread of
/// its own.
final class TransferClient: Sendable {
  private struct State {
    var isClosed = false
    var arrived: [Transfer] = []
  }

  /// Safe: what it points to may be woken from any thread; all else is done by the thread of the transfers.
  private struct Transfers: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  private let transfers: Transfers
  private let state = Mutex(State())

  /// - Throws: ``TransferLibraryError`` without libcurl.
  init() throws(TransferLibraryError) {
    try TransferLibrary.load()
    guard let pointer = cdownloads_open() else {
      throw TransferLibraryError(what: "libcurl could not be started")
    }
    transfers = Transfers(pointer: pointer)
    Thread.detachNewThread { [self] in work() }
  }

  /// Ends the thread when the transfers under way have ended. Nothing may be asked afterwards.
  func close() {
    state.withLock {
      $0.isClosed = true
      // Within the lock: afterwards the thread may be gone, and libcurl's part with it.
      cdownloads_wake(transfers.pointer)
    }
  }

  /// Asks once. Redirects are not followed.
  ///
  /// - Throws: `TransferError`; an answer of any status is none.
  func ask(_ request: Transfer.Request, _ receiver: any TransferReceiver) async throws(TransferError) {
    let transfer = Transfer(request, receiver: receiver)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        transfer.whenDone = { continuation.resume(returning: $0) }
        state.withLock {
          $0.arrived.append(transfer)
          cdownloads_wake(transfers.pointer)
        }
      }
    } onCancel: {
      transfer.cancel()
      state.withLock { if !$0.isClosed { cdownloads_wake(transfers.pointer) } }
    }
    try result.get()
  }

  private func work() {
    var running: [Transfer] = []
    while true {
      let (arrived, isClosed) = state.withLock { state in
        defer { state.arrived = [] }
        return (state.arrived, state.isClosed)
      }
      for transfer in arrived { begin(transfer, &running) }
      if isClosed && running.isEmpty { break }
      cdownloads_work(transfers.pointer, milliseconds(until: running.map(\.deadline).min()))
      var code: Int32 = 0
      while let handle = cdownloads_ended(transfers.pointer, &code) {
        guard let transfer = running.first(where: { $0.handle == handle }) else { continue }
        let reason = String(cString: cdownloads_reason(handle, code))
        end(transfer, transfer.result(code: code, reason: reason), &running)
      }
      let now = ContinuousClock.now
      for transfer in running {
        if transfer.isCancelled {
          end(transfer, .failure(.cancelled), &running)
        } else if transfer.deadline <= now {
          end(transfer, .failure(.tooLong), &running)
        }
      }
    }
    cdownloads_close(transfers.pointer)
  }

  private func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    let longest = Duration.seconds(1)
    let wait = min(longest, max(.zero, (deadline ?? .now + longest) - .now))
    return Int32(wait / .milliseconds(1)) + 1
  }

  private func begin(_ transfer: Transfer, _ running: inout [Transfer]) {
    let request = transfer.request
    let handle = request.address.withCString { address in
      request.userAgent.withCString { userAgent in
        request.accept.withCString { accept in
          withOptionalCString(request.proxy) { proxy in
            withOptionalCString(request.certificates) { certificates in
              var question = CTransferRequest(
                address: address, userAgent: userAgent, accept: accept, proxy: proxy,
                certificates: certificates,
                connectMilliseconds: Int64(request.connectTimeout / .milliseconds(1)),
                context: Unmanaged.passUnretained(transfer).toOpaque(),
                mayConnect: { context, address, count in
                  Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                    .mayConnect(to: Array(UnsafeBufferPointer(start: address, count: count)))
                },
                head: { context, line, count in
                  Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                    .receive(headLine: UnsafeRawBufferPointer(start: line, count: count))
                },
                body: { context, bytes, count in
                  Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                    .receive(UnsafeRawBufferPointer(start: bytes, count: count))
                })
              return cdownloads_start(transfers.pointer, &question)
            }
          }
        }
      }
    }
    guard let handle else { return transfer.whenDone(.failure(.broken("libcurl refuses the address"))) }
    transfer.handle = handle
    // Keeps the transfer alive as long as libcurl may call it.
    running.append(transfer)
  }

  private func end(
    _ transfer: Transfer, _ result: Result<Void, TransferError>, _ running: inout [Transfer]
  ) {
    running.removeAll { $0 === transfer }
    if let handle = transfer.handle { cdownloads_drop(transfers.pointer, handle) }
    transfer.handle = nil
    transfer.whenDone(result)
  }
}

private func withOptionalCString<Result>(
  _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
  guard let text else { return body(nil) }
  return text.withCString(body)
}
