import Files
import Foundation

// Values that are not tensors stand in the metadata, as JSON.

extension Checkpoint {
  /// Keeps `value` in the metadata, as JSON.
  package mutating func set(_ value: some Encodable, key: String) throws {
    metadata[key] = try value.json()
  }

  /// The value of the metadata that ``set(_:key:)`` kept; nil if there is none.
  ///
  /// - Throws: `DecodingError` if the text is no such value.
  package func value<Value: Decodable>(_ type: Value.Type, key: String) throws -> Value? {
    guard let text = metadata[key] else { return nil }
    return try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
