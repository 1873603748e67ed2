import Datasets
import GRDB

/// Where samples were read from, for messages: the row of a manifest, or the image.
struct SamplePlaces {
  private let segments: Segments
  private let sources: [(first: Int, path: String)]

  /// - Parameters:
  ///   - path: The source being imported, which is not in the catalogue yet.
  ///   - first: Its first sample.
  init(
    _ db: Database, downloads: DownloadPlaces, reading path: String? = nil, from first: Int = 0
  ) throws {
    segments = try Segments(db, downloads)
    var sources = try Row.fetchAll(db, sql: "SELECT first, path FROM sources ORDER BY first").map {
      (first: $0[0] as Int, path: $0[1] as String)
    }
    if let path { sources.append((first, path)) }
    self.sources = sources
  }

  func place(_ sample: Int, _ db: Database) throws -> (file: String, line: Int?) {
    guard
      let row = try Row.fetchOne(
        db, sql: "SELECT line, path, key, location FROM samples WHERE id = ?", arguments: [sample])
    else { return ("sample \(sample)", nil) }
    let segment = segments[sample]
    if let file = segment.file { return (file, row[0]) }
    let path: String = row[1] ?? row[2]
    let location = segment.location(row[3], path: path)
    if case .file(let file) = location { return (file, nil) }
    let source = sources.last { $0.first <= sample }?.path ?? ""
    return ("\(source), \(path)", nil)
  }

  func text(_ sample: Int, _ db: Database) throws -> String {
    let place = try place(sample, db)
    return place.line.map { "\(place.file):\($0)" } ?? place.file
  }
}

/// The runs of samples that share a file and a base; see `Schema`.
struct Segments {
  struct Segment {
    var first: Int
    var file: String?
    var base: String?

    var downloads: DownloadPlaces

    /// The location of a sample from what its row holds.
    func location(_ stored: String?, path: String) -> ImageLocation {
      if let stored { return downloads.location(stored) ?? ImageLocation(encoded: stored) ?? .none }
      return .file("\(base ?? "")/\(path)")
    }
  }

  private let segments: [Segment]
  private let downloads: DownloadPlaces

  init(_ db: Database, _ downloads: DownloadPlaces) throws {
    self.downloads = downloads
    segments = try Row.fetchAll(db, sql: "SELECT first, file, base FROM segments ORDER BY first").map {
      Segment(first: $0[0], file: $0[1], base: $0[2], downloads: downloads)
    }
  }

  /// The segment that a sample lies in.
  subscript(sample: Int) -> Segment {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].first <= sample { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? segments[low - 1] : Segment(first: 0, downloads: downloads)
  }
}
