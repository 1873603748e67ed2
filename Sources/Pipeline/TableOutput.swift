import Datasets
import Foundation

/// Writes rows as CSV, TSV or JSON lines: by the file's name, by default as CSV.
struct TableOutput {
  enum Cell {
    case text(String)
    /// Written without quotes in JSON.
    case number(String)
    /// An empty field; `null` in JSON.
    case empty

    /// A number with up to `digits` significant digits; empty where it is none.
    static func float(_ value: Float, digits: Int = 6) -> Cell {
      value.isFinite ? .number(String(format: "%.\(digits)g", value)) : .empty
    }

    static func float(_ value: Double?) -> Cell { value.map { .float(Float($0)) } ?? .empty }

    static func integer(_ value: Int?) -> Cell { value.map { .number("\($0)") } ?? .empty }
  }

  enum Syntax: String, Sendable {
    case csv, tsv, jsonl

    init(path: String?) {
      let name = path?.lowercased() ?? ""
      self =
        name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") ? .jsonl : name.hasSuffix(".tsv") ? .tsv : .csv
    }
  }

  private let columns: [String]
  private let syntax: Syntax
  private let output: TextOutput

  /// - Parameters:
  ///   - path: nil or `-`: stdout.
  ///   - grows: Whether each row is in the file as soon as it is written, for work that takes long; by default the file
  ///     is written completely or not at all.
  init(_ path: String?, columns: [String], syntax: Syntax? = nil, grows: Bool = false) throws {
    self.columns = columns
    self.syntax = syntax ?? Syntax(path: path)
    output = try TextOutput(path, grows: grows)
    if self.syntax != .jsonl { try output.write(record(columns)) }
  }

  func write(_ cells: [Cell]) throws {
    if syntax == .jsonl {
      let members = try zip(columns, cells).map { name, cell in
        let value =
          switch cell {
          case .text(let text): try text.json()
          case .number(let number): number
          case .empty: "null"
          }
        return "\(try name.json()): \(value)"
      }
      try output.write("{\(members.joined(separator: ", "))}\n")
    } else {
      try output.write(
        record(
          cells.map { cell in
            switch cell {
            case .text(let text), .number(let text): text
            case .empty: ""
            }
          }))
    }
  }

  private func record(_ fields: [String]) -> String {
    DelimitedText.record(fields, delimiter: syntax == .tsv ? "\t" : ",")
  }

  func finish() throws { try output.finish() }
}
