/// A zip file of some members in memory, stored without compression: what NumPy's `.npz` is.
package enum StoredZip {
  /// Writes the file, replacing what is there.
  ///
  /// - Throws: `DatasetProblems` if the disk refuses.
  package static func write(_ members: [(name: String, bytes: [UInt8])], to path: String) throws {
    let place = try OutputPlace(path, replacing: true)
    let zip = ZipOutput(try OutputFile(place))
    for member in members { try zip.add(member.name, member.bytes) }
    try zip.finish()
    try place.finish()
  }
}
