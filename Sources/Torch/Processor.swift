import Foundation

/// The abilities of this machine's processor.
package enum Processor {
  /// Whether the processor has instructions for products of bfloat16 numbers, as Linux tells it. Without them such
  /// products are emulated, twenty times slower than float32.
  package static let hasBFloat16: Bool = {
    // Without `/proc`, float32 is the answer that is never wrong.
    hasBFloat16(cpuInfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
  }()

  /// The same, read from the text of `/proc/cpuinfo`.
  package static func hasBFloat16(cpuInfo: String) -> Bool {
    guard let line = cpuInfo.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else {
      return false
    }
    let flags = line.split(whereSeparator: { $0.isWhitespace || $0 == ":" })
    return flags.contains("avx512_bf16") || flags.contains("amx_bf16")
  }
}
