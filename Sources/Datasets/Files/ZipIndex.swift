import Files

/// Where the members of a zip file lie, stored or deflated; zip64 is understood.
struct ZipIndex: ArchiveIndex {
  let path: String
  private(set) var names: [String] = []
  private(set) var notices: [String] = []
  private var members: [ByteName: ArchiveMember] = [:]
  /// Images among the members that are encrypted or packed otherwise, and the first of them.
  private(set) var unreadable: (count: Int, first: String?) = (0, nil)

  subscript(_ name: String) -> ArchiveMember? { members[ByteName(name)] }

  /// Whether a file begins as a zip file that is an office document, such as a workbook.
  static func isOfficeDocument(_ head: [UInt8]) -> Bool {
    guard head.starts(with: zipSignature) else { return false }
    let text = String(decoding: head, as: UTF8.self)
    return ["[Content_Types].xml", "xl/", "docProps/", "mimetypeapplication/vnd.oasis"].contains {
      text.contains($0)
    }
  }

  /// - Throws: `DatasetProblems` if the file is no zip file, or damaged.
  init(path: String) throws(DatasetProblems) {
    self.path = path
    let list = try ZipList(try Descriptor(reading: path))
    // Closures with typed errors cannot change `self` before it is complete.
    var names: [String] = []
    var members: [ByteName: ArchiveMember] = [:]
    var unreadable: (count: Int, first: String?) = (0, nil)
    try list.forEach { (member) throws(DatasetProblems) in
      if member.isFolder { return }
      guard member.packing != .other else {
        if ImageName.isImage(member.name) {
          unreadable.count += 1
          unreadable.first = unreadable.first ?? member.name
        }
        return
      }
      let place = ArchiveMember(
        offset: try list.place(of: member), length: member.packedSize,
        inflatedLength: member.packing == .deflated ? member.size : nil, crc: member.crc)
      if members.updateValue(place, forKey: ByteName(member.name)) == nil { names.append(member.name) }
    }
    self.names = names
    self.members = members
    self.unreadable = unreadable
    partAtBackslashes()
  }

  /// Old programs of Windows part folders by backslashes, which the format forbids: where no name has a slash, they do.
  private mutating func partAtBackslashes() {
    let backslash = UInt8(ascii: "\\")
    guard names.contains(where: { $0.utf8.contains(backslash) }),
      !names.contains(where: { $0.utf8.contains(.slash) })
    else { return }
    var parted: [ByteName: ArchiveMember] = [:]
    names = names.map { name in
      let slashed = name.fields(at: backslash).joined(separator: "/")
      parted[ByteName(slashed)] = members[ByteName(name)]
      return slashed
    }
    members = parted
    notices.append(
      "the archive's names separate folders by backslashes; they are read as slashes")
  }

  /// Why images in it cannot be read.
  var refusal: DatasetProblem? {
    unreadable.first.map { first in
      DatasetProblem(
        file: path,
        what:
          "holds \(unreadable.count) images that are encrypted or packed by a rare method, such as \(first)",
        remedy: "Unpack it and import the folder, or pack it again with zip -r")
    }
  }
}

extension Descriptor: ZipSource {
  var byteCount: Int64 { size }

  func fault(_ fault: ZipFault) -> DatasetProblems {
    DatasetProblems(DatasetProblem(file: path, what: fault.what, remedy: fault.remedy))
  }
}
