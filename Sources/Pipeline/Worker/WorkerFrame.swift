import Foundation

/// The frames that a worker and its client exchange: `u32 length | u8 kind | payload`, numbers little endian, the length
/// that of the payload. docs/worker.md describes all of it.
package struct WorkerFrame: Sendable {
  /// The version of the protocol, in the hello.
  static let version = 1
  /// A longer payload is no frame: the stream is out of step.
  static let longest = 1 << 30

  enum Kind: UInt8, Sendable {
    /// Requests: a label and the bytes of an image file, float32 features, or a path.
    case image = 1
    case features = 2
    case path = 3
    /// Answers.
    case hello = 128
    case embedding = 129
    case judgement = 130
    case error = 255
  }

  var kind: UInt8
  var payload: [UInt8]
  /// The payload was longer than the worker takes, and was passed over.
  var isTooLong = false

  init(_ kind: Kind, _ payload: [UInt8]) {
    self.kind = kind.rawValue
    self.payload = payload
  }

  init(kind: UInt8, payload: [UInt8], isTooLong: Bool) {
    self.kind = kind
    self.payload = payload
    self.isTooLong = isTooLong
  }

  init(_ kind: Kind, json value: some Encodable) throws { self.init(kind, Array(try value.json().utf8)) }

  var bytes: [UInt8] {
    withUnsafeBytes(of: UInt32(payload.count).littleEndian) { Array($0) } + [kind] + payload
  }

  /// The image that a request is about: a label's length and bytes, then its content.
  ///
  /// - Parameter number: Of the request, from 0.
  package func image(_ number: Int) -> NewImage {
    let key = "\(number)"
    func problem(_ what: String) -> NewImage { NewImage(key: key, label: nil, content: .problem(what)) }
    if isTooLong { return problem("The frame is longer than the worker accepts; see --memory.") }
    guard payload.count >= 4 else { return problem("The frame has no label's length.") }
    let stated = payload.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
    }
    let length = stated == .max ? 0 : Int(stated)
    guard 4 + length <= payload.count else { return problem("The label ends beyond the frame.") }
    let label = stated == .max ? nil : String(decoding: payload[4..<4 + length], as: UTF8.self)
    let content = payload[(4 + length)...]
    switch Kind(rawValue: kind) {
    case .image: return NewImage(key: key, label: label, content: .bytes(Array(content)))
    case .path:
      let path = String(decoding: content, as: UTF8.self)
      return NewImage(
        key: key, label: label, content: .location(.file(URL(fileURLWithPath: path).path)))
    case .features where content.count % 4 == 0:
      return NewImage(key: key, label: label, content: .features(Data(content).littleEndianFloats))
    case .features: return problem("The features are not a multiple of 4 bytes (float32).")
    default: return problem("There is no request of kind \(kind).")
    }
  }
}

/// Reads frames ahead of the work, so that a client may write while answers are made, within bounded memory.
package final class FrameReader: Sendable {
  private struct State {
    var frames: [WorkerFrame] = []
    var bytes = 0
    var end: Result<Void, PipelineError>?
  }

  private let state = GuardedState(State())
  private let descriptor: CInt
  private let room: Int

  /// - Parameter room: Bytes of frames that may wait. A frame of more than half of it is passed over.
  package init(_ descriptor: CInt, room: Int) {
    self.descriptor = descriptor
    self.room = room
  }

  /// Begins to read, on a thread of its own.
  package func start() {
    Thread.detachNewThread { [self] in
      let end = Result { () throws(PipelineError) in try readAll() }
      state.change { $0.end = end }
    }
  }

  /// All frames that are there, at least one and at most `count`; nil at the end.
  package func next(atMost count: Int) throws(PipelineError) -> [WorkerFrame]? {
    let (frames, end) = state.wait(until: { !$0.frames.isEmpty || $0.end != nil }) { state in
      let frames = Array(state.frames.prefix(count))
      state.frames.removeFirst(frames.count)
      state.bytes -= frames.reduce(0) { $0 + $1.payload.count }
      return (frames, state.end)
    }
    if frames.isEmpty, let end {
      try end.get()
      return nil
    }
    return frames
  }

  private func readAll() throws(PipelineError) {
    while let header = try read(5, mayEnd: true) {
      let length = Int(
        UInt32(header[0]) | UInt32(header[1]) << 8 | UInt32(header[2]) << 16 | UInt32(header[3]) << 24)
      guard length <= WorkerFrame.longest else {
        throw PipelineError(
          .badInput, "A frame claims \(length) bytes: the stream is malformed",
          remedy: "Write frames as docs/worker.md describes: u32 length, u8 kind, payload")
      }
      let isTooLong = length > room / 2
      if isTooLong { try skip(length) }
      let payload = isTooLong ? [] : try read(length, mayEnd: false) ?? []
      let frame = WorkerFrame(kind: header[4], payload: payload, isTooLong: isTooLong)
      state.wait(until: { $0.frames.isEmpty || $0.bytes + payload.count <= self.room }) { state in
        state.frames.append(frame)
        state.bytes += payload.count
      }
    }
  }

  private func skip(_ count: Int) throws(PipelineError) {
    var left = count
    while left > 0 {
      let piece = min(left, 1 << 20)
      _ = try read(piece, mayEnd: false)
      left -= piece
    }
  }

  /// - Returns: nil at the end of the stream, where it may end.
  private func read(_ count: Int, mayEnd: Bool) throws(PipelineError) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let found = bytes.withUnsafeMutableBytes { buffer in
        Foundation.read(descriptor, buffer.baseAddress.map { $0 + done }, count - done)
      }
      if found < 0, errno == EINTR { continue }
      guard found > 0 else {
        if done == 0, mayEnd, found == 0 { return nil }
        throw PipelineError(
          .badInput, "The input ends within a frame", remedy: "Send it again to another worker")
      }
      done += found
    }
    return bytes
  }
}

/// A value that threads change, and whose changes they wait for.
private final class GuardedState<Value>: @unchecked Sendable {
  // Safe: `value` is only touched under the condition's lock.
  private var value: Value
  private let condition = NSCondition()

  init(_ value: Value) { self.value = value }

  func change(_ body: (inout Value) -> Void) { wait(until: { _ in true }, then: body) }

  @discardableResult
  func wait<Result>(until holds: (Value) -> Bool, then body: (inout Value) -> Result) -> Result {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    while !holds(value) { condition.wait() }
    return body(&value)
  }
}
