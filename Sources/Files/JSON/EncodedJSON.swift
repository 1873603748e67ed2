import Foundation

extension Encodable {
  /// The value as one line of JSON with sorted keys, so that equal values give equal text.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
