import CZlib
import Foundation

/// Unpacks deflated members of zip files.
enum Inflation {
  /// A member that claims more is refused before any of it is unpacked.
  static let mostBytes: Int64 = 512 << 20
  /// A byte of a deflated member stands for at most this many: 258 by two bits.
  private static let mostGrowth: Int64 = 1032
  private static let pieceSize = 1 << 20

  /// The bytes of a small member, such as an image.
  ///
  /// - Throws: `DatasetProblems` if they are damaged, or not as many as the archive's list says.
  static func bytes(_ file: Descriptor, _ member: ArchiveMember) throws(DatasetProblems) -> [UInt8] {
    var result: [UInt8] = []
    guard member.size <= mostBytes else {
      throw DatasetProblems(
        DatasetProblem(
          file: file.path, what: "holds an image of \(member.size) bytes", remedy: "Make it smaller"))
    }
    guard member.size / mostGrowth <= member.length else {
      throw DatasetProblems(
        DatasetProblem(
          file: file.path,
          what: "says that \(member.length) bytes hold an image of \(member.size), which cannot be",
          remedy: "Pack it again"))
    }
    result.reserveCapacity(Int(member.size))
    try unpack(file, member) { (piece) throws(DatasetProblems) in result += piece }
    return result
  }

  /// Passes a member's bytes on, a piece at a time.
  static func unpack(
    _ file: Descriptor, _ member: ArchiveMember, _ each: (ArraySlice<UInt8>) throws(DatasetProblems) -> Void
  ) throws(DatasetProblems) {
    var stream = z_stream()
    // Negative: without zlib's own header, as zip files hold it.
    guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw damage(file)
    }
    defer { inflateEnd(&stream) }
    var output = [UInt8](repeating: 0, count: Int(min(max(member.size, 1), Int64(pieceSize))))
    var taken = Int64(0)
    var given = Int64(0)
    var sum = crc32(0, nil, 0)
    var status = Z_OK
    while status == Z_OK, taken < member.length {
      let count = Int(min(Int64(pieceSize), member.length - taken))
      var input = try file.bytes(at: member.offset + taken, count: count)
      taken += Int64(count)
      var left = count
      repeat {
        let produced = input.withUnsafeMutableBufferPointer { from in
          output.withUnsafeMutableBufferPointer { into in
            stream.next_in = from.baseAddress.map { $0 + (count - left) }
            stream.avail_in = UInt32(left)
            stream.next_out = into.baseAddress
            stream.avail_out = UInt32(into.count)
            status = inflate(&stream, Z_NO_FLUSH)
            return into.count - Int(stream.avail_out)
          }
        }
        left = Int(stream.avail_in)
        given += Int64(produced)
        guard given <= member.size else { throw damage(file) }
        sum = output.withUnsafeBufferPointer { crc32(sum, $0.baseAddress, UInt32(produced)) }
        try each(output[..<produced])
        if status == Z_BUF_ERROR { status = Z_OK; break }
      } while status == Z_OK && (left > 0 || stream.avail_out == 0)
    }
    guard status == Z_STREAM_END, given == member.size, member.crc.map({ UInt($0) == UInt(sum) }) ?? true
    else {
      throw damage(file)
    }
  }

  private static func damage(_ file: Descriptor) -> DatasetProblems {
    DatasetProblems(
      DatasetProblem(
        file: file.path, what: "is damaged: an unpacked member differs from the archive's list",
        remedy: "Check it with unzip -t, and get it again"))
  }
}
