import Files
import Foundation

/// The stored (uncompressed) members of a zip archive, such as PyTorch writes them.
///
/// Checksums are not compared, as PyTorch does not compare them either.
struct ZipArchive {
  private let file: FileBytes
  private let list: ZipList<FileBytes>
  private let members: [String: ZipMember]

  init(_ file: FileBytes) throws(CheckpointFault) {
    self.file = file
    list = try ZipList(file)
    var members: [String: ZipMember] = [:]
    try list.forEach { (member) throws(CheckpointFault) in
      guard members.updateValue(member, forKey: member.name) == nil else {
        throw CheckpointFault("the zip archive holds '\(member.name)' twice")
      }
    }
    self.members = members
  }

  /// The members' names, in no order.
  var names: some Collection<String> { members.keys }

  /// The bytes of a member, without copying them.
  func contents(of name: String) throws(CheckpointFault) -> Data {
    guard let member = members[name] else { throw CheckpointFault("the zip archive lacks '\(name)'") }
    guard member.packing == .stored else {
      throw CheckpointFault(
        "'\(name)' in the zip archive is compressed or encrypted, which torch.save never does",
        remedy: "Load the file in Python with torch.load and save it again with torch.save")
    }
    return try file.slice(
      Int(list.place(of: member)), count: Int(member.packedSize), of: "'\(name)' in the zip archive")
  }
}

extension FileBytes: ZipSource {
  var byteCount: Int64 { Int64(count) }

  func bytes(at offset: Int64, count: Int) throws(CheckpointFault) -> [UInt8] {
    Array(try slice(Int(offset), count: count, of: "the list of zip members"))
  }

  func fault(_ fault: ZipFault) -> CheckpointFault { CheckpointFault(fault.what, remedy: fault.remedy) }
}
