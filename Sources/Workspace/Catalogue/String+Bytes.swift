import Foundation

/// Comparison byte by byte, without Unicode's equivalences, at the speed of memory: catalogues of ten million images
/// compare each path several times.
extension String {
  /// Whether both consist of the same bytes.
  func hasSameBytes(as other: String) -> Bool {
    withBytes { own in other.withBytes { own.count == $0.count && Self.areSame(own, $0, count: own.count) } }
  }

  /// Whether the other's bytes come first.
  func hasBytePrefix(_ prefix: String) -> Bool {
    withBytes { own in
      prefix.withBytes { own.count >= $0.count && Self.areSame(own, $0, count: $0.count) }
    }
  }

  /// Whether it is `folder/path`.
  func isJoined(_ folder: String, _ path: String) -> Bool {
    withBytes { own in
      folder.withBytes { head in
        path.withBytes { tail in
          own.count == head.count + 1 + tail.count && own[head.count] == UInt8(ascii: "/")
            && Self.areSame(own, head, count: head.count)
            && Self.areSame(UnsafeBufferPointer(rebasing: own[(head.count + 1)...]), tail, count: tail.count)
        }
      }
    }
  }

  private static func areSame(
    _ first: UnsafeBufferPointer<UInt8>, _ second: UnsafeBufferPointer<UInt8>, count: Int
  ) -> Bool {
    guard count > 0, let first = first.baseAddress, let second = second.baseAddress else { return count == 0 }
    return memcmp(first, second, count) == 0
  }

  private func withBytes<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    if let value = utf8.withContiguousStorageIfAvailable(body) { return value }
    return Array(utf8).withUnsafeBufferPointer(body)
  }
}
