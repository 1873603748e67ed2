/// Writes a tar file: POSIX ustar, with pax records for names that do not fit. The same members give the same bytes.
struct TarOutput {
  private let file: OutputFile

  init(_ file: OutputFile) { self.file = file }

  func add(_ name: String, _ bytes: some Collection<UInt8>) throws(DatasetProblems) {
    let path = Array(name.utf8)
    if path.count > 100 || path.contains(where: { $0 >= 0x80 }) {
      try member(Array("pax/path".utf8), kind: UInt8(ascii: "x"), Self.record("path", name))
    }
    try member(Array(path.prefix(100)), kind: UInt8(ascii: "0"), bytes)
  }

  /// Two empty blocks end the archive.
  func finish() throws(DatasetProblems) {
    try file.write([UInt8](repeating: 0, count: 1024))
    try file.finish()
  }

  /// `length key=value\n`, the length counting itself.
  private static func record(_ key: String, _ value: String) -> [UInt8] {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count
    while String(length).utf8.count + rest.utf8.count != length {
      length = String(length).utf8.count + rest.utf8.count
    }
    return Array("\(length)\(rest)".utf8)
  }

  private func member(_ name: [UInt8], kind: UInt8, _ bytes: some Collection<UInt8>) throws(DatasetProblems) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ field: some Sequence<UInt8>, at offset: Int) {
      for (index, byte) in field.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, digits: Int) -> [UInt8] {
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8)
    }
    put(name, at: 0)
    put(octal(0o644, digits: 7), at: 100)
    put(octal(0, digits: 7), at: 108)
    put(octal(0, digits: 7), at: 116)
    put(octal(bytes.count, digits: 11), at: 124)
    put(octal(0, digits: 11), at: 136)
    header[156] = kind
    put("ustar\u{0}00".utf8, at: 257)
    put(repeatElement(UInt8.space, count: 8), at: 148)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6), at: 148)
    header[154] = 0
    try file.write(header)
    try file.write(bytes)
    try file.write([UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512))
  }
}
