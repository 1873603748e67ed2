import Files
import Foundation

/// Memory that a file may stand behind, so that the system can put it aside: tables that grow with the number of examples.
final class MappedBytes: @unchecked Sendable {
  // Safe: threads that write do so in ranges of their own, which callers see to; the memory lives as long as the object.
  let bytes: UnsafeMutableRawBufferPointer
  /// Whose the memory is, where it is not the object's own.
  private let owner: Data?
  private let isOfFile: Bool

  private init(_ bytes: UnsafeMutableRawBufferPointer, owner: Data? = nil, isOfFile: Bool = false) {
    self.bytes = bytes
    self.owner = owner
    self.isOfFile = isOfFile
    if isOfFile { MemoryLimit.add(UnsafeRawBufferPointer(bytes)) }
  }

  /// Bytes that are there already, such as bytes of a mapped file, which must not be written.
  convenience init(_ data: Data) {
    // A few bytes lie in the value itself. Others lie in storage that stays where it is while the value is kept.
    guard data.count > 64 else {
      self.init(count: data.count)
      data.withUnsafeBytes { bytes.copyMemory(from: $0) }
      return
    }
    let start = data.withUnsafeBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
    self.init(UnsafeMutableRawBufferPointer(start: start, count: data.count), owner: data)
  }

  /// Memory of no file, all zero.
  convenience init(count: Int) {
    let start = mmap(nil, max(1, count), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let start, start != MAP_FAILED else { fatalError("there is no memory for \(count) bytes") }
    self.init(UnsafeMutableRawBufferPointer(start: start, count: count))
  }

  /// The file at `path`, made or brought to that size; bytes that are new are zero. Nil where that is not possible, for
  /// want of room say: what lies in the mapping can be written without fail.
  convenience init?(path: String, count: Int) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(count)) == 0,
      count == 0 || posix_fallocate(descriptor, 0, off_t(count)) == 0,
      let start = mmap(nil, max(1, count), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      start != MAP_FAILED
    else { return nil }
    self.init(UnsafeMutableRawBufferPointer(start: start, count: count), isOfFile: true)
  }

  /// A file in `folder` that is gone with the object, or memory where there is no folder or no room in it.
  static func passing(_ count: Int, in folder: String?) -> MappedBytes {
    guard let folder else { return MappedBytes(count: count) }
    let path = "\(folder)/.\(UUID().uuidString)"
    defer { unlink(path) }
    return MappedBytes(path: path, count: count) ?? MappedBytes(count: count)
  }

  /// The file at `path`, or memory where there is no path or no room.
  static func kept(_ count: Int, at path: String?) -> MappedBytes {
    path.flatMap { MappedBytes(path: $0, count: count) } ?? MappedBytes(count: count)
  }

  deinit {
    if isOfFile { MemoryLimit.remove(UnsafeRawBufferPointer(bytes)) }
    if owner == nil { munmap(bytes.baseAddress, max(1, bytes.count)) }
  }

  /// A number that any change of a range's bytes changes, but for one in 2⁶⁴; never 0.
  func digest(_ range: Range<Int>) -> UInt64 {
    max(1, Self.digest(UnsafeRawBufferPointer(rebasing: bytes[range])))
  }

  static func digest(_ bytes: UnsafeRawBufferPointer, from start: UInt64 = 0x9E37_79B9_7F4A_7C15) -> UInt64 {
    func mixed(_ value: UInt64) -> UInt64 {
      let product = value &* 0xBF58_476D_1CE4_E5B9
      return product ^ (product >> 32)
    }
    var state = mixed(start ^ UInt64(bytes.count))
    let words = bytes.count / 8
    for word in 0..<words {
      state = mixed(
        state ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)))
    }
    for byte in words * 8..<bytes.count { state = mixed(state ^ UInt64(bytes[byte])) }
    return mixed(state)
  }
}
