import Files

extension WebDataset: WritableFormat {
  package static func writer(_ output: DatasetOutput) throws -> any DatasetWriter {
    try WebDatasetWriter(output)
  }
}

/// Writes a folder of shards, `<split>-000000.tar`, each sample as its image, its class's number (`.cls`) and all that
/// is known of it (`.json`); and `classes.txt`, the classes' names in the order of their numbers.
final class WebDatasetWriter: DatasetWriter {
  private let session: WritingSession
  private let numbers: [String: Int]
  private let bytes = ImageBytes()
  private var shards: [String: Shard] = [:]

  private struct Shard {
    var tar: TarOutput
    var number: Int
    var count = 0
  }

  init(_ output: DatasetOutput) throws {
    session = try WritingSession(output)
    numbers = Dictionary(output.classNames.enumerated().map { ($1, $0) }) { first, _ in first }
    if output.classNames.allSatisfy({ !$0.utf8.contains(UInt8(ascii: "\n")) }) {
      let file = try OutputFile(session.place, "classes.txt")
      for name in output.classNames { try file.write(name + "\n") }
      try file.finish()
    }
  }

  func add(_ sample: Sample) throws {
    try session.write(sample) {
      let image = try bytes.read(sample.location, key: sample.key)
      var shard = try shard(sample.split)
      // WebDataset's names end at the first dot; a running number is safe, and the key is in the description.
      let name = Self.padded(shard.number * session.output.shardSize + shard.count, 9)
      try shard.tar.add("\(name).\(ImageBytes.suffix(sample))", image)
      if let number = numbers[sample.label] { try shard.tar.add("\(name).cls", Array(String(number).utf8)) }
      try shard.tar.add(
        "\(name).json", Array(JSONText.object(JSONText.members(sample, names: (nil, "key"))).utf8))
      shard.count += 1
      shards[sample.split] = shard
    }
  }

  /// The shard to write to.
  private func shard(_ split: String) throws -> Shard {
    if let shard = shards[split], shard.count < session.output.shardSize { return shard }
    let number = shards[split].map { $0.number + 1 } ?? 0
    try shards[split]?.tar.finish()
    let name = split.fields(at: .slash).joined(separator: "_")
    let file = try OutputFile(session.place, "\(name)-\(Self.padded(number, 6)).tar")
    return Shard(tar: TarOutput(file), number: number)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  func finish() throws -> [String] {
    try session.finish { for shard in shards.values { try shard.tar.finish() } }
  }
}
