// The program of Scripts/fuzz: libFuzzer calls one parser until the time is over. Only built with CLEANNET_FUZZ.
import Foundation
import FuzzTargets

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

// The target is named by the environment, since libFuzzer reads the arguments.
let wanted = ProcessInfo.processInfo.environment["FUZZ"] ?? ""
guard let target = FuzzTarget.all.first(where: { $0.name == wanted }) else {
  print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
  exit(wanted.isEmpty ? 0 : 64)
}

let scratch = ProcessInfo.processInfo.environment["FUZZ_SCRATCH"] ?? FileManager.default.currentDirectoryPath
// Set once, before libFuzzer calls from one thread.
nonisolated(unsafe) let parse = try target.parser(in: scratch)
var (count, arguments) = (CommandLine.argc, CommandLine.unsafeArgv)
exit(
  runFuzzer(&count, &arguments) { bytes, count in
    parse(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
  })
