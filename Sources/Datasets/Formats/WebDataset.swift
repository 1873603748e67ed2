import Files
import Foundation

/// WebDataset: tar shards in which neighboring members with one name up to the first dot are one sample: the image,
/// and its class as `.cls` (a number or a name) or in `.json`.
///
/// The source is a shard, a folder of shards, or a pattern such as `train-{000000..000127}.tar`. Nothing is unpacked. A
/// sample's key is `key` in its `.json`, else `<shard>/<member>`. The other members of the `.json` become attributes.
/// Shards whose names begin with a split (`val-000000.tar`) belong to that split, unless the `.json` says otherwise.
package struct WebDataset: DatasetFormat {
  package static let name = "webdataset"
  package static let summary = "WebDataset's tar shards: one, a folder of them, or name-{000000..000127}.tar"

  /// Labels and descriptions larger than this are none.
  private static let largestText: Int64 = 1 << 20

  package static let takes: Set<DatasetOption> = [
    .labelColumn, .keyColumn, .verificationColumn, .splitColumn,
  ]

  private let source: DatasetSource
  private let options: DatasetOptions

  package init(source: DatasetSource, options: DatasetOptions) {
    self.source = source
    self.options = options
  }

  package static func detect(_ source: DatasetSource) -> Bool {
    guard let first = shards(source).first, !hasFolders(source) else { return false }
    // A shard shows what it is in its first members.
    guard var reader = try? TarReader(path: first) else { return false }
    for _ in 0..<64 {
      guard let (name, _) = try? reader.next() else { return false }
      if isText(MemberName(name).suffix) { return true }
    }
    return false
  }

  /// A folder of folders is an image folder, whatever archives lie beside them.
  private static func hasFolders(_ source: DatasetSource) -> Bool {
    source.names(limit: 256).lazy.filter { !$0.hasSuffix(".tar") }
      .contains { DatasetSource.isFolder("\(source.absolutePath)/\($0)") }
  }

  static func shards(_ source: DatasetSource) -> [String] {
    if let files = source.files { return files.filter { $0.lowercased().hasSuffix(".tar") } }
    if !source.isFolder { return TarIndex.looksLikeTar(source.head) ? [source.absolutePath] : [] }
    return source.names(limit: ShardPattern.mostFiles).filter { $0.hasSuffix(".tar") }.map {
      "\(source.absolutePath)/\($0)"
    }
  }

  private static func isText(_ suffix: String) -> Bool {
    suffix == "cls" || suffix == "json" || suffix.hasSuffix(".cls") || suffix.hasSuffix(".json")
  }

  /// A member's name, parted as WebDataset parts it: at the first dot behind the last slash.
  private struct MemberName {
    var base: String
    var suffix: String

    init(_ name: String) {
      let (folder, file) = name.parted(atLast: .slash).map { ($0.before + "/", $0.after) } ?? ("", name)
      let (stem, suffix) = file.parted(atFirst: UInt8(ascii: ".")) ?? (file, "")
      base = folder + stem
      self.suffix = suffix.lowercased()
    }
  }

  /// The members of one sample.
  private struct Group {
    var base: String
    var image: (name: String, member: ArchiveMember)?
    var label: ArchiveMember?
    var description: ArchiveMember?
  }

  package func read(_ each: (Sample) throws -> Void) throws -> DatasetSummary {
    let shards = Self.shards(source)
    guard !shards.isEmpty else {
      throw DatasetProblems(
        DatasetProblem(file: source.path, what: "holds no tar file", remedy: "Name shards, or their folder"))
    }
    let log = ProblemLog()
    let notices = NoticeLog()
    var summary = DatasetSummary()
    for shard in shards {
      var reader = try TarReader(path: shard)
      var group: Group?
      func close() throws {
        guard let full = group else { return }
        group = nil
        guard let sample = try sample(full, shard: shard, reader, log, notices) else { return }
        summary.samples += 1
        try each(sample)
      }
      while let (name, member) = try reader.next() {
        let parts = MemberName(name)
        if group?.base.utf8.elementsEqual(parts.base.utf8) != true {
          try close()
          group = Group(base: parts.base)
        }
        if ImageName.isImage(name) {
          if group?.image == nil { group?.image = (name, member) }
        } else if parts.suffix == "cls" {
          group?.label = member
        } else if parts.suffix == "json" {
          group?.description = member
        }
      }
      try close()
      if let first = reader.links.first {
        notices.add("skipped links in shards (\(reader.links.count))", "\(shard)/\(first)")
      }
    }
    try log.throwIfAny()
    summary.notices = notices.notices
    return summary
  }

  private func sample(
    _ group: Group, shard: String, _ reader: TarReader, _ log: ProblemLog, _ notices: NoticeLog
  ) throws -> Sample? {
    let shardName = URL(fileURLWithPath: shard).lastPathComponent
    guard let (name, member) = group.image else {
      notices.add("skipped entries without an image", "\(shardName)/\(group.base)")
      return nil
    }
    do {
      let path = "\(shardName)/\(name)"
      var sample = Sample(
        key: path, path: path,
        location: .archiveMember(archive: shard, offset: member.offset, length: member.length), label: "",
        split: Self.split(shardName), source: shard)
      let told = try group.label.flatMap { try label(text($0, reader)) }
      if let member = group.description { try describe(&sample, text(member, reader)) }
      // The description holds the name where there is only a number beside it.
      if let told, sample.label.isEmpty || options.classNames != nil { sample.label = told }
      guard !sample.label.isEmpty else {
        throw RecordFault(
          what: "has neither a .cls nor a label in its .json",
          remedy: "Name the member of the .json that holds it with --label-column")
      }
      sample.split = options.split ?? sample.split
      return sample
    } catch let fault as RecordFault {
      log.add("\(shard)/\(group.base)", fault.what, fault.remedy)
      return nil
    }
  }

  private func text(_ member: ArchiveMember, _ reader: TarReader) throws -> [UInt8] {
    guard member.length <= Self.largestText else {
      throw RecordFault(what: "has a label or description of \(member.length) bytes", remedy: "Shorten it")
    }
    return try reader.bytes(member)
  }

  private func label(_ bytes: [UInt8]) throws -> String? {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw RecordFault(what: "has a .cls that is not UTF-8 text", remedy: "Write a number or a name")
    }
    let label = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard let names = options.classNames, let number = Int(label) else { return label.isEmpty ? nil : label }
    guard names.indices.contains(number) else {
      throw RecordFault(
        what: "has the class \(number), but there are \(names.count) class names", remedy: "Name all classes")
    }
    return names[number]
  }

  /// Adds the attributes of a `.json` file.
  private func describe(_ sample: inout Sample, _ bytes: [UInt8]) throws {
    var values: [SampleAttribute] = []
    do throws(JSONScanner.Fault) {
      try bytes.withUnsafeBufferPointer { buffer throws(JSONScanner.Fault) in
        var scanner = JSONScanner(buffer)
        try scanner.object { (name, scanner) throws(JSONScanner.Fault) in
          if let value = try scanner.valueText() { values.append(SampleAttribute(name: name, value: value)) }
        }
      }
    } catch {
      throw RecordFault(
        what: "has a .json member that is not JSON: \(error.what)", remedy: "Write one object")
    }
    func take(_ flag: String?, _ known: [String]) -> String? {
      let wanted = flag.map { [$0] } ?? known
      guard
        let place = wanted.lazy.compactMap({ name in
          values.firstIndex { $0.name.lowercased() == name.lowercased() }
        }).first
      else { return nil }
      return values.remove(at: place).value
    }
    sample.key = take(options.keyColumn, ManifestColumns.keyNames + ["__key__"]) ?? sample.key
    if let label = take(options.labelColumn, ManifestColumns.labelNames + ["cls"]) {
      if let names = options.classNames, let number = Int(label), names.indices.contains(number) {
        sample.label = names[number]
      } else if label.utf8.first == UInt8(ascii: "{") || label.utf8.first == UInt8(ascii: "[") {
        switch NestedLabel(label) {
        case .one(let only): sample.label = only
        case .none: break
        case .several(let all):
          throw RecordFault(
            what: "has several labels: \(all.joined(separator: ", "))",
            remedy: "Leave one, or name the member that holds it with --label-column")
        }
      } else {
        sample.label = label
      }
    }
    sample.split = take(options.splitColumn, ManifestColumns.splitNames) ?? sample.split
    if let verdict = take(options.verificationColumn, ManifestColumns.verificationNames) {
      sample.verification = try ManifestTable.verification(verdict)
    }
    sample.attributes = values
  }

  private static func split(_ shard: String) -> String {
    // The text before the shard's number: `val-000000.tar`, `imagenet_val_03.tar`.
    let stem = shard.parted(atFirst: UInt8(ascii: "."))?.before ?? shard
    let words = stem.split { !$0.isLetter }.compactMap { SplitName.canonical(String($0)) }
    return words.first ?? SplitName.train
  }
}
