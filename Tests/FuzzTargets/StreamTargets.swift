import Foundation
import Pipeline

extension FuzzTarget {
  /// Bytes that come through a pipe: requests to a worker, and images to judge as JSON lines.
  static let streams: [FuzzTarget] = [
    stream("worker-frames") { descriptor in
      let reader = FrameReader(descriptor, room: 1 << 16)
      reader.start()
      var number = 0
      while let frames = try reader.next(atMost: 8) {
        for frame in frames {
          _ = frame.image(number)
          number += 1
        }
      }
    },
    stream("judge-lines") { descriptor in
      var lines = NewImageLines(descriptor, root: "/images", keyPrefix: "new/")
      while try lines.next(atMost: 8) != nil {}
    },
  ]

  private static func stream(
    _ name: String, _ parse: @escaping @Sendable (CInt) throws -> Void
  ) -> FuzzTarget {
    FuzzTarget(name) { folder in
      let path = "\(folder)/stream"
      return { bytes in
        try write(bytes, to: path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        try parse(descriptor)
      }
    }
  }
}
