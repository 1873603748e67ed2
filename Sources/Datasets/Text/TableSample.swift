/// The first rows of a table, by which its columns are told.
struct TableSample {
  static let most = 64

  private(set) var columns: [String]
  private(set) var hasHeader: Bool
  /// The texts of each row; `nil` where a field is empty or bad.
  private(set) var rows: [[String?]]
  /// Lines that were passed over before the table.
  private(set) var notices: [String]

  /// Reads the first rows of a table whose columns have names.
  init(named reader: any RecordReader) throws {
    hasHeader = true
    rows = try Self.rows(reader)
    columns = reader.columns
    notices = reader.notices
    pad()
  }

  /// Reads the first rows of a delimited text, and finds out whether the first names columns.
  init(delimited path: String, _ delimiter: UInt8?, options: DatasetOptions, resolver: PathResolver) throws {
    var first: [String] = []
    let reader = try DelimitedReader(path: path, delimiter: delimiter) { record in
      first = record
      return false
    }
    rows = try Self.rows(reader)
    columns = reader.columns
    notices = reader.notices
    hasHeader = options.hasHeader ?? Self.isHeader(first, rows: rows.dropFirst(), options, resolver)
    if hasHeader, !rows.isEmpty {
      rows.removeFirst()
      columns = first.enumerated().map { number, name in
        let name = name.trimmedBlanks
        return name.isEmpty ? "column\(number + 1)" : name
      }
    }
    pad()
  }

  private static func rows(_ reader: any RecordReader) throws -> [[String?]] {
    var rows: [[String?]] = []
    while rows.count < most, try reader.next() {
      if reader.fault != nil { continue }
      rows.append(reader.columns.indices.map { (try? reader.text($0)) ?? nil })
    }
    return rows
  }

  /// Rows of JSON may lack columns that later ones have.
  private mutating func pad() {
    let count = columns.count
    for index in rows.indices {
      rows[index] =
        Array(rows[index].prefix(count)) + Array(repeating: nil, count: max(0, count - rows[index].count))
    }
  }

  /// The texts of a column that are there.
  func cells(_ column: Int) -> [String] { rows.compactMap { $0[column] } }

  /// Whether a first record names columns: it holds a known name, or one that a flag gives, or the cells below name images
  /// and it does not.
  private static func isHeader(
    _ first: [String], rows: ArraySlice<[String?]>, _ options: DatasetOptions, _ resolver: PathResolver
  ) -> Bool {
    let named = [
      options.pathColumn, options.labelColumn, options.keyColumn, options.verificationColumn,
      options.splitColumn,
    ]
    if first.contains(where: { field in named.contains(field) || named.contains(field.trimmedBlanks) }) {
      return true
    }
    func isImage(_ text: String) -> Bool {
      ImageName.isImage(text.trimmedBlanks) || ImageAddress.isAddress(text)
    }
    // A first row such as "cat.jpg,label" has an image in it and is none.
    if first.contains(where: isImage) { return false }
    if ManifestColumns.isKnownPath(first) || ManifestColumns.isKnownLabel(first) { return true }
    for column in first.indices {
      let cells = rows.compactMap { column < $0.count ? $0[column] : nil }
      if cells.isEmpty { continue }
      if cells.count(where: isImage) * 2 > cells.count { return true }
      if options.featuresOnly {
        // Numbered keys below a name without a number.
        let areNumbered = cells.allSatisfy { $0.contains(where: \.isNumber) }
        if areNumbered, !first.contains(where: { $0.contains(where: \.isNumber) }) { return true }
      } else if resolver.finds(cells), !resolver.finds([first[column]]) {
        return true
      }
    }
    return false
  }
}
