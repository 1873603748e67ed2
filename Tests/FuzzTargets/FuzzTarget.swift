import Foundation

/// A parser of bytes from outside, as libFuzzer (Scripts/fuzz) and the tests call it.
///
/// An error of the parser is a right answer. A trap, a bad access, a hang or too much memory is a finding.
package struct FuzzTarget: Sendable, CustomStringConvertible {
  /// Parses one input.
  package typealias Parser = (UnsafeRawBufferPointer) throws -> Void

  package let name: String
  private let make: @Sendable (String) throws -> Parser

  /// - Parameter make: Makes the parser. It may write into the folder that it is given.
  init(_ name: String, _ make: @escaping @Sendable (String) throws -> Parser) {
    self.name = name
    self.make = make
  }

  package var description: String { name }

  package static let all = (files + streams + pages).sorted { $0.name < $1.name }

  /// The parser. Its errors have become the message that people would read, and are gone.
  ///
  /// - Parameter folder: A folder of its own, which is there.
  package func parser(in folder: String) throws -> (UnsafeRawBufferPointer) -> Void {
    let parse = try make(folder)
    return { bytes in
      do { try parse(bytes) } catch { _ = "\(error)".utf8.count }
    }
  }
}

extension FuzzTarget {
  /// The border between the files of an input that stands for several.
  private static let border = Array("\n====\n".utf8)

  /// A parser of files by their paths.
  ///
  /// - Parameters:
  ///   - files: Names below the folder, since formats are told apart by them. An input's parts are written to them in order.
  ///     A file for which there is no part is not there.
  ///   - parse: Gets the first file's path.
  static func file(
    _ name: String, _ files: String..., parse: @escaping @Sendable (String) throws -> Void
  ) -> FuzzTarget {
    FuzzTarget(name) { folder in
      let paths = files.map { "\(folder)/\($0)" }
      for path in paths {
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
      }
      return { bytes in
        let parts = paths.count == 1 ? [bytes] : split(bytes, atMost: paths.count)
        for (place, path) in paths.enumerated() {
          if place < parts.count { try write(parts[place], to: path) } else { unlink(path) }
        }
        try parse(paths[0])
      }
    }
  }

  private static func split(_ bytes: UnsafeRawBufferPointer, atMost count: Int) -> [UnsafeRawBufferPointer] {
    var parts: [UnsafeRawBufferPointer] = []
    var start = 0
    var place = 0
    while parts.count + 1 < count, place + border.count <= bytes.count {
      if bytes[place..<place + border.count].elementsEqual(border) {
        parts.append(UnsafeRawBufferPointer(rebasing: bytes[start..<place]))
        place += border.count
        start = place
      } else {
        place += 1
      }
    }
    return parts + [UnsafeRawBufferPointer(rebasing: bytes[start...])]
  }

  /// Writes a file in the quickest way: it is read once, by this process.
  static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
    defer { close(descriptor) }
    var done = 0
    while done < bytes.count {
      let written = Foundation.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      guard written > 0 else { throw CocoaError(.fileWriteOutOfSpace) }
      done += written
    }
  }
}
