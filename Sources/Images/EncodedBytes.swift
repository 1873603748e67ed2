import Foundation

/// The bytes of an encoded image, read at once.
struct EncodedBytes: ~Copyable {
  private let buffer: UnsafeMutableRawBufferPointer
  /// Whether bytes of the image were left unread.
  let isPrefix: Bool

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(buffer) }

  private init(count: Int, isPrefix: Bool) {
    buffer = .allocate(byteCount: count, alignment: 16)
    self.isPrefix = isPrefix
  }

  /// Reads a file, or `length` bytes from `offset` of it.
  ///
  /// - Parameter most: reads no more than this; the rest is left.
  static func read(
    _ source: ImageSource, path: String, offset: Int64, length: Int64?, limits: ImageLimits, most: Int = .max
  ) throws(ImageProblem) -> EncodedBytes {
    // Opening a pipe would wait for its other end.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw openingProblem(source, errno) }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw openingProblem(source, errno) }
    guard info.st_mode & S_IFMT == S_IFREG else {
      throw ImageProblem(.notAFile, source, "This is a folder, pipe or device. Name an image file.")
    }
    let available = Int64(info.st_size)
    let count = length ?? available
    guard offset >= 0, count >= 0 else {
      throw ImageProblem(
        .damaged, source, "The place in the archive is impossible. Import the archive again.")
    }
    guard count <= available - min(offset, available) else {
      throw ImageProblem(
        .truncated, source, "The archive ends before this image does. Download or copy the archive again.")
    }
    try check(source, count: count, limits)
    let result = EncodedBytes(count: min(Int(count), most), isPrefix: most < count)
    try fill(result.buffer, source, from: descriptor, offset: off_t(offset))
    return result
  }

  /// Refuses images of no bytes or too many.
  static func check(_ source: ImageSource, count: Int64, _ limits: ImageLimits) throws(ImageProblem) {
    guard count > 0 else {
      throw ImageProblem(.empty, source, "The image has no bytes. Download or copy it again.")
    }
    guard count <= limits.bytes else {
      throw ImageProblem(
        .tooLarge, source, "The image has \(count) bytes; the limit is \(limits.bytes). Make it smaller.")
    }
  }

  deinit { buffer.deallocate() }

  private static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, _ source: ImageSource, from descriptor: CInt, offset: off_t
  ) throws(ImageProblem) {
    var done = 0
    while done < buffer.count {
      let got = pread(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done, offset + done)
      if got > 0 {
        done += got
      } else if got == 0 {
        throw ImageProblem.truncated(source)
      } else if errno != EINTR {
        throw ImageProblem(
          .unreadable, source, "Reading fails: \(String(cString: strerror(errno))). Check the disk.")
      }
    }
  }

  private static func openingProblem(_ source: ImageSource, _ code: CInt) -> ImageProblem {
    switch code {
    case ENOENT, ENOTDIR:
      ImageProblem(.missing, source, "There is no such file. Restore it, or import the data set again.")
    case EACCES, EPERM:
      ImageProblem(
        .notPermitted, source, "Reading is not permitted. Change the file's permissions (chmod +r).")
    default:
      ImageProblem(
        .unreadable, source, "The file cannot be opened: \(String(cString: strerror(code))). Check the disk.")
    }
  }
}
