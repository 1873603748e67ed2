import CZlib
import Files

extension TarImages: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    let session = try WritingSession(output, foldersAreClasses: true)
    return try ArchiveWriter(session, TarOutput(OutputFile(session.place)))
  }
}

extension ZipImages: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    let session = try WritingSession(output, foldersAreClasses: true)
    return try ArchiveWriter(session, ZipOutput(OutputFile(session.place)))
  }
}

/// Writes the members of an archive file.
protocol ArchiveOutput {
  func add(_ name: String, _ bytes: some Collection<UInt8>) throws(DatasetProblems)
  func finish() throws(DatasetProblems)
}

extension TarOutput: ArchiveOutput {}

/// Writes an archive that is laid out as an image folder.
final class ArchiveWriter: DatasetWriter {
  private let session: WritingSession
  private let archive: any ArchiveOutput
  private let layout: FolderLayout
  private let bytes = ImageBytes()
  private var names: Set<String> = []

  init(_ session: WritingSession, _ archive: any ArchiveOutput) throws {
    self.session = session
    self.archive = archive
    layout = try FolderLayout(session.output, names: session.names)
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      let wanted = layout.path(sample)
      var name = wanted
      var attempt = 1
      while !names.insert(name).inserted {
        attempt += 1
        name = ImagePlacer.numbered(wanted, attempt)
      }
      if attempt > 1 { session.notices.add("images renamed, because two would have the same name", name) }
      try archive.add(name, bytes.read(sample.location, key: sample.key))
    }
  }

  func finish() throws -> [String] { try session.finish { try archive.finish() } }
}

/// Writes a zip file whose members are stored as they are, with zip64's fields where sizes need them.
final class ZipOutput: ArchiveOutput {
  private let file: OutputFile
  /// The list of members, written at the end.
  private var directory: [UInt8] = []
  private var count = 0

  init(_ file: OutputFile) { self.file = file }

  func add(_ name: String, _ bytes: some Collection<UInt8>) throws(DatasetProblems) {
    let content = Array(bytes)
    let checksum = content.withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, UInt32($0.count))) }
    let offset = UInt64(file.position)
    let path = Array(name.utf8)
    // Bit 11: the name is UTF-8. The date is 1 January 1980, the first that the format knows.
    func common(version: UInt16) -> [UInt8] {
      Self.bytes(version) + Self.bytes(UInt16(1 << 11)) + Self.bytes(UInt16(0)) + Self.bytes(UInt16(0))
        + Self.bytes(UInt16(0x21)) + Self.bytes(checksum) + Self.bytes(UInt32(content.count))
        + Self.bytes(UInt32(content.count)) + Self.bytes(UInt16(path.count))
    }
    try file.write(zipSignature + common(version: 20) + Self.bytes(UInt16(0)) + path)
    try file.write(content)
    let isFar = offset >= 0xFFFF_FFFF
    let extra = isFar ? Self.bytes(UInt16(1)) + Self.bytes(UInt16(8)) + Self.bytes(offset) : []
    directory += [0x50, 0x4B, 0x01, 0x02] + Self.bytes(UInt16(45)) + common(version: 45)
    directory += Self.bytes(UInt16(extra.count)) + [UInt8](repeating: 0, count: 10)
    directory += Self.bytes(isFar ? 0xFFFF_FFFF : UInt32(offset)) + path + extra
    count += 1
  }

  func finish() throws(DatasetProblems) {
    let offset = UInt64(file.position)
    let length = UInt64(directory.count)
    let entries = UInt64(count)
    try file.write(directory)
    let isLarge = offset >= 0xFFFF_FFFF || length >= 0xFFFF_FFFF || entries >= 0xFFFF
    if isLarge {
      let record = UInt64(file.position)
      try file.write(
        [0x50, 0x4B, 0x06, 0x06] + Self.bytes(UInt64(44)) + Self.bytes(UInt16(45)) + Self.bytes(UInt16(45))
          + Self.bytes(UInt64(0)) + Self.bytes(entries) + Self.bytes(entries) + Self.bytes(length)
          + Self.bytes(offset))
      try file.write(
        [0x50, 0x4B, 0x06, 0x07] + Self.bytes(UInt32(0)) + Self.bytes(record) + Self.bytes(UInt32(1)))
    }
    let shown = UInt16(isLarge ? 0xFFFF : entries)
    try file.write(
      [0x50, 0x4B, 0x05, 0x06] + Self.bytes(UInt32(0)) + Self.bytes(shown) + Self.bytes(shown)
        + Self.bytes(isLarge ? 0xFFFF_FFFF : UInt32(length))
        + Self.bytes(isLarge ? 0xFFFF_FFFF : UInt32(offset))
        + Self.bytes(UInt16(0)))
    try file.finish()
  }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
