import Foundation

/// A place in a pickle's bytes that moves forward.
struct PickleCursor {
  let file: FileBytes
  private(set) var position: Int

  init(_ file: FileBytes, at position: Int = 0) {
    self.file = file
    self.position = position
  }

  mutating func bytes(_ count: Int) throws(CheckpointFault) -> Data {
    let slice = try file.slice(position, count: count, of: "its pickle")
    position += count
    return slice
  }

  mutating func byte() throws(CheckpointFault) -> UInt8 {
    let byte = try file.byte(at: position, of: "its pickle")
    position += 1
    return byte
  }

  mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type
  ) throws(CheckpointFault) -> Value {
    let value = try file.integer(type, at: position, of: "its pickle")
    position += MemoryLayout<Value>.size
    return value
  }

  mutating func text(_ count: Int) throws(CheckpointFault) -> String {
    guard count <= PickleMachine.maximumTextLength else {
      throw CheckpointFault("its pickle holds a text of \(count) bytes", remedy: CheckpointFault.resave)
    }
    guard let text = String(validating: try bytes(count), as: UTF8.self) else {
      throw CheckpointFault("its pickle holds a text that is not UTF-8", remedy: CheckpointFault.resave)
    }
    return text
  }

  /// Text up to the end of the line.
  mutating func line() throws(CheckpointFault) -> String {
    let start = position
    while try byte() != UInt8(ascii: "\n") {
      guard position - start <= 1_000 else { throw CheckpointFault("its pickle holds a name without an end") }
    }
    let count = position - start - 1
    position = start
    let text = try text(count)
    position += 1
    return text
  }
}
