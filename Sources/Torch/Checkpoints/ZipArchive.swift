import Foundation

/// The stored (uncompressed) entries of a zip archive, such as PyTorch writes them; zip64 is understood.
///
/// Checksums are not compared, as PyTorch does not compare them either.
struct ZipArchive {
  /// Bytes that an archive begins with: those of a first entry.
  static let signature: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

  private struct Entry {
    var isPlain: Bool
    var compressedCount: Int
    var count: Int
    var headerOffset: Int
  }

  /// Where the list of entries lies.
  private struct Directory {
    var offset: Int
    var byteCount: Int
    var entryCount: Int
  }

  private let file: FileBytes
  private var entries: [String: Entry] = [:]

  /// Reads the list of entries, from its end as zip demands.
  init(_ file: FileBytes) throws(CheckpointFault) {
    self.file = file
    let directory = try ZipArchive.directory(of: file)
    guard directory.byteCount / 46 >= directory.entryCount else {
      throw CheckpointFault(
        "the zip archive counts \(directory.entryCount) entries, more than its list can hold")
    }
    _ = try file.slice(directory.offset, count: directory.byteCount, of: "the list of zip entries")
    var offset = directory.offset
    for _ in 0..<directory.entryCount {
      let (name, entry, next) = try ZipArchive.entry(of: file, at: offset)
      guard next <= directory.offset + directory.byteCount else {
        throw CheckpointFault("the list of zip entries is longer than the archive says")
      }
      guard entries.updateValue(entry, forKey: name) == nil else {
        throw CheckpointFault("the zip archive holds '\(name)' twice")
      }
      offset = next
    }
  }

  /// The entries' names, in no order.
  var names: some Collection<String> { entries.keys }

  /// The bytes of an entry, without copying them.
  func contents(of name: String) throws(CheckpointFault) -> Data {
    guard let entry = entries[name] else { throw CheckpointFault("the zip archive lacks '\(name)'") }
    guard entry.isPlain, entry.compressedCount == entry.count else {
      throw CheckpointFault(
        "'\(name)' in the zip archive is compressed or encrypted, which torch.save never does",
        remedy: "Load the file in Python with torch.load and save it again with torch.save")
    }
    let what = "'\(name)' in the zip archive"
    guard file.hasBytes(ZipArchive.signature, at: entry.headerOffset) else {
      throw CheckpointFault("no entry begins where the zip archive says that '\(name)' does")
    }
    let nameCount = Int(try file.integer(UInt16.self, at: entry.headerOffset + 26, of: what))
    let extraCount = Int(try file.integer(UInt16.self, at: entry.headerOffset + 28, of: what))
    return try file.slice(entry.headerOffset + 30 + nameCount + extraCount, count: entry.count, of: what)
  }

  private static func directory(of file: FileBytes) throws(CheckpointFault) -> Directory {
    // The end record is 22 bytes and a comment of up to 65,535.
    guard let end = file.lastPlace(of: [0x50, 0x4B, 0x05, 0x06], from: file.count - 22 - 65_535) else {
      throw CheckpointFault("the zip archive has no end record")
    }
    let what = "the end record of the zip archive"
    guard try file.integer(UInt32.self, at: end + 4, of: what) == 0 else {
      throw CheckpointFault("the zip archive is spread over several files", remedy: CheckpointFault.resave)
    }
    guard end + 22 + Int(try file.integer(UInt16.self, at: end + 20, of: what)) == file.count else {
      throw CheckpointFault("the zip archive ends before its end record does")
    }
    let directory = Directory(
      offset: Int(try file.integer(UInt32.self, at: end + 16, of: what)),
      byteCount: Int(try file.integer(UInt32.self, at: end + 12, of: what)),
      entryCount: Int(try file.integer(UInt16.self, at: end + 10, of: what)))
    // Numbers too large for the record are in a zip64 record, whose place stands just before.
    let locator = end - 20
    guard
      directory.offset == 0xFFFF_FFFF || directory.byteCount == 0xFFFF_FFFF || directory.entryCount == 0xFFFF,
      file.hasBytes([0x50, 0x4B, 0x06, 0x07], at: locator)
    else { return directory }
    let record = try count(file, at: locator + 8, of: what)
    guard file.hasBytes([0x50, 0x4B, 0x06, 0x06], at: record) else {
      throw CheckpointFault("the zip archive's zip64 record is not where it should be")
    }
    return Directory(
      offset: try count(file, at: record + 48, of: what),
      byteCount: try count(file, at: record + 40, of: what),
      entryCount: try count(file, at: record + 32, of: what))
  }

  /// One entry of the list, and where the next begins.
  private static func entry(
    of file: FileBytes, at offset: Int
  ) throws(CheckpointFault) -> (name: String, entry: Entry, next: Int) {
    let what = "the list of zip entries"
    guard file.hasBytes([0x50, 0x4B, 0x01, 0x02], at: offset) else {
      throw CheckpointFault("the list of zip entries breaks off at byte \(offset)")
    }
    let flags = try file.integer(UInt16.self, at: offset + 8, of: what)
    let method = try file.integer(UInt16.self, at: offset + 10, of: what)
    let nameCount = Int(try file.integer(UInt16.self, at: offset + 28, of: what))
    let extraCount = Int(try file.integer(UInt16.self, at: offset + 30, of: what))
    let commentCount = Int(try file.integer(UInt16.self, at: offset + 32, of: what))
    let nameBytes = try file.slice(offset + 46, count: nameCount, of: what)
    guard let name = String(validating: nameBytes, as: UTF8.self) else {
      throw CheckpointFault("the zip archive holds a name that is not UTF-8")
    }
    var entry = Entry(
      isPlain: flags & 1 == 0 && method == 0,
      compressedCount: Int(try file.integer(UInt32.self, at: offset + 20, of: what)),
      count: Int(try file.integer(UInt32.self, at: offset + 24, of: what)),
      headerOffset: Int(try file.integer(UInt32.self, at: offset + 42, of: what)))
    try widen(&entry, file, extra: offset + 46 + nameCount, count: extraCount)
    return (name, entry, offset + 46 + nameCount + extraCount + commentCount)
  }

  /// Takes from the zip64 extra field the numbers that are marked as too large for the entry itself.
  private static func widen(
    _ entry: inout Entry, _ file: FileBytes, extra: Int, count extraCount: Int
  ) throws(CheckpointFault) {
    let what = "the list of zip entries"
    var field = extra
    while field + 4 <= extra + extraCount {
      let tag = try file.integer(UInt16.self, at: field, of: what)
      let byteCount = Int(try file.integer(UInt16.self, at: field + 2, of: what))
      if tag == 1 {
        var place = field + 4
        for part in [\Entry.count, \.compressedCount, \.headerOffset]
        where entry[keyPath: part] == 0xFFFF_FFFF {
          guard place + 8 <= field + 4 + byteCount else {
            throw CheckpointFault("a zip64 field of the zip archive is too short")
          }
          entry[keyPath: part] = try count(file, at: place, of: what)
          place += 8
        }
        return
      }
      field += 4 + byteCount
    }
  }

  /// A 64-bit number that fits in the file.
  private static func count(_ file: FileBytes, at offset: Int, of what: String) throws(CheckpointFault) -> Int
  {
    let value = try file.integer(UInt64.self, at: offset, of: what)
    guard value <= UInt64(file.count) else {
      throw CheckpointFault("the zip archive points to byte \(value) of a file of \(file.count)")
    }
    return Int(value)
  }
}
