import Files
import Foundation

/// A folder in which neighbors are kept. With many examples finding them takes longer than all the rest, and they
/// follow from features alone. So trainings and judgements after more verdicts need not find them again, and a search
/// that was stopped goes on.
///
/// `lists.safetensors` says what lies where, and, when all is done, how good it is. `neighbors.i32` is the table
/// `[groups, k]` in the order of the lists. `blocks.u64` has a digest of each block of its rows that is done. The unit
/// vectors in the same order are in `vectors.f16`. Results that cannot be written are not kept, and are found again.
public struct NeighborStore: Sendable {
  public let folder: String

  public init(folder: String) { self.folder = folder }

  /// The contents of a store.
  struct Kept {
    var complete: Neighborhoods?
    var partial: Division?
  }

  private static let keyName = "key"
  private static let kName = "k"
  private static let qualityName = "quality"
  private var listsPath: String { "\(folder)/lists.safetensors" }
  private var tablePath: String { "\(folder)/neighbors.i32" }
  private var vectorsPath: String { "\(folder)/vectors.f16" }
  private var blocksPath: String { "\(folder)/blocks.u64" }

  private func makeFolder() {
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  // MARK: Memory

  func table(groups: Int, k: Int) -> MappedBytes {
    makeFolder()
    return .kept(groups * k * 4, at: tablePath)
  }

  func vectors(_ count: Int) -> MappedBytes {
    makeFolder()
    return .kept(count, at: vectorsPath)
  }

  func blocks(_ count: Int) -> MappedBytes {
    makeFolder()
    return .kept(count * 8, at: blocksPath)
  }

  // MARK: Writing

  /// Says what the table's rows will be.
  func begin(_ division: Division, key: String) { write(division, [Self.keyName: key]) }

  /// Says that the table is complete.
  func keep(
    _ division: Division, table: MappedBytes, key: String, quality: NeighborQuality, block: Int
  ) {
    let journal = NeighborJournal(
      table, rows: division.firsts.count, width: division.k * 4, block: block, store: self)
    journal.markAll()
    guard let json = try? quality.json() else { return }
    write(division, [Self.keyName: key, Self.qualityName: json])
  }

  private func write(_ division: Division, _ metadata: [String: String]) {
    func stored(_ values: [Int32]) -> StoredTensor {
      StoredTensor(dtype: .int32, shape: [values.count], bytes: values.withUnsafeBytes { Data($0) })
    }
    var tensors = [
      ("places", stored(division.places)), ("firsts", stored(division.firsts)),
      ("starts", stored(division.starts)),
    ]
    if let clusters = division.clusters { tensors.append(("centroids", clusters.centroids.stored)) }
    makeFolder()
    var file = Checkpoint(metadata: metadata.merging([Self.kName: "\(division.k)"]) { $1 })
    for (name, tensor) in tensors { file.tensors.append(tensor, named: name) }
    try? file.writeSealed(to: listsPath)
  }

  // MARK: Reading

  /// The table that is kept under the key, if it is complete and fits.
  func open(key: String, k: Int, count: Int, block: Int) -> Kept {
    guard let file = Checkpoint.readSealed(path: listsPath), file.metadata[Self.keyName] == key,
      let division = division(file, count: count), division.k <= k
    else {
      // Files of other vectors may still be in use, and must not be mistaken for finished ones: they give way to new files.
      for path in [tablePath, vectorsPath, blocksPath] { unlink(path) }
      return Kept()
    }
    let rows = division.firsts.count
    let table = table(groups: rows, k: division.k)
    let journal = NeighborJournal(
      table, rows: rows, width: division.k * 4, block: block, store: self)
    let partial = division.clusters == nil ? nil : division
    guard journal.pending.isEmpty, let quality = try? file.value(NeighborQuality.self, key: Self.qualityName),
      table.bytes.bindMemory(to: Int32.self).allSatisfy({ $0 >= -1 && Int($0) < count })
    else { return Kept(partial: partial) }
    return Kept(
      complete: Neighborhoods(
        k: division.k, quality: quality, places: division.places, firsts: division.firsts, table: table))
  }

  private func division(_ file: Checkpoint, count: Int) -> Division? {
    func integers(_ name: String, below bound: Int) -> [Int32]? {
      guard let tensor = file[name], tensor.dtype == .int32 else { return nil }
      let values = tensor.bytes.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
      return values.allSatisfy { $0 >= 0 && Int($0) < bound } ? values : nil
    }
    guard let firsts = integers("firsts", below: count), firsts.count <= count,
      let places = integers("places", below: firsts.count), places.count == count,
      let starts = integers("starts", below: firsts.count + 1),
      let k = file.metadata[Self.kName].flatMap({ Int($0) }), k >= 0, k < max(1, firsts.count)
    else { return nil }
    let centroids = file["centroids"].map { Tensor($0) }
    if let centroids {
      guard centroids.rank == 2, starts.count == centroids.size(0) + 1, starts.first == 0,
        starts.last == Int32(firsts.count), zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 })
      else { return nil }
    }
    return Division(
      k: k, places: places, firsts: firsts, starts: starts,
      clusters: centroids.map { SphericalClusters(centroids: $0) })
  }
}

/// Which blocks of a table's rows are done. A block counts only while its bytes are as they were written.
struct NeighborJournal: Sendable {
  private let table: MappedBytes
  private let rows: Int
  private let width: Int
  private let block: Int
  private let digests: MappedBytes

  init(_ table: MappedBytes, rows: Int, width: Int, block: Int, store: NeighborStore?) {
    self.table = table
    self.rows = rows
    self.width = width
    self.block = block
    let count = (rows + block - 1) / block
    digests = store?.blocks(count) ?? MappedBytes(count: count * 8)
  }

  func rows(of block: Int) -> Range<Int> { block * self.block..<min((block + 1) * self.block, rows) }

  private func bytes(of block: Int) -> Range<Int> {
    let rows = rows(of: block)
    return rows.lowerBound * width..<rows.upperBound * width
  }

  private var marks: UnsafeMutableBufferPointer<UInt64> { digests.bytes.bindMemory(to: UInt64.self) }

  /// Blocks that are still to be done.
  var pending: [Int] {
    marks.indices.filter { marks[$0] == 0 || marks[$0] != table.digest(bytes(of: $0)) }
  }

  func write(_ block: Int, _ values: [Int32]) {
    let range = bytes(of: block)
    precondition(values.count * 4 == range.count, "a block's values do not fill it")
    values.withUnsafeBytes {
      UnsafeMutableRawBufferPointer(rebasing: table.bytes[range]).copyMemory(from: $0)
    }
    marks[block] = table.digest(range)
  }

  func markAll() {
    for block in marks.indices { marks[block] = table.digest(bytes(of: block)) }
  }
}
