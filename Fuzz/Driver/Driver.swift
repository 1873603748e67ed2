import Foundation

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

// Set once, before libFuzzer calls anything, and libFuzzer calls from one thread.
nonisolated(unsafe) private var parse: (UnsafeRawBufferPointer) throws -> Void = { _ in }

/// Lets libFuzzer call a parser until the time that the command line gives is over.
///
/// What the parser refuses by an error is right; a trap, a bad access, a hang or too much memory is a finding.
public func fuzz(_ parser: @escaping (UnsafeRawBufferPointer) throws -> Void) -> Never {
  parse = parser
  var (count, arguments) = (CommandLine.argc, CommandLine.unsafeArgv)
  exit(
    runFuzzer(&count, &arguments) { bytes, count in
      do { try parse(UnsafeRawBufferPointer(start: bytes, count: count)) } catch {
        // What people would read must be made without a fault, too.
        _ = "\(error)".utf8.count
      }
      return 0
    })
}

/// A folder in memory for this process, which Scripts/fuzz removes.
public func makeScratch() throws -> String {
  let folder = "/dev/shm/cleannet-fuzz.\(getpid())"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  return folder
}

/// Takes the name in `FUZZ` from some parsers; lists them where it is missing, as Scripts/fuzz asks for.
public func chosen<Parser>(from parsers: [String: Parser]) -> Parser {
  let name = ProcessInfo.processInfo.environment["FUZZ"] ?? ""
  guard let parser = parsers[name] else {
    print(parsers.keys.sorted().joined(separator: "\n"))
    exit(name.isEmpty ? 0 : 64)
  }
  return parser
}
