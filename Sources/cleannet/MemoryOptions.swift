import ArgumentParser
import Files
import Foundation

/// The option of verbs whose memory grows with the data set.
struct MemoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Memory to stay below if possible, such as 4G or 800M (default: half of the machine's). Larger tables are kept in files.",
      valueName: "size"))
  var memory: MemorySize?

  /// Sets the limit of the process.
  func apply() {
    if let memory { MemoryLimit.bytes = memory.bytes }
  }
}

/// A number of bytes on the command line: `4G`, `800M`, or megabytes.
struct MemorySize: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let units: [(suffix: String, shift: Int)] = [("GB", 30), ("MB", 20), ("G", 30), ("M", 20), ("", 20)]
    let text = argument.uppercased()
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let number = Double(text.dropLast(unit.suffix.count)), number.isFinite,
      (64...Double(1 << 24)).contains(number * Double(1 << unit.shift) / Double(1 << 20))
    else { return nil }
    bytes = Int(number * Double(1 << unit.shift))
  }
}
