import ArgumentParser
import Foundation
import Torch

/// Measures what the README claims. Each subcommand makes its own data from a seed, and prints one line a figure.
@main struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleannet-bench",
    abstract: "Benchmarks of CleanNet.",
    subcommands: [
      TrainBench.self, ScoreBench.self, KMeansBench.self, EmbedBench.self, ImportBench.self,
      ClassifyBench.self,
    ])
}

/// Options that all benchmarks share.
struct BenchOptions: ParsableArguments {
  @Option(help: "Threads.")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func prepare() throws {
    try Engine.load()
    Engine.setProcessThreads(threads)
  }
}

/// Seconds that `body` takes by the clock.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let clock = ContinuousClock()
  let elapsed = try clock.measure(body)
  return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
}

/// The largest resident size of this process so far, in megabytes.
func peakMegabytes() -> Double {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
  return line.flatMap { Double($0.filter(\.isNumber)) }.map { $0 / 1024 } ?? 0
}

/// One figure on a line: name, value, unit.
func report(_ name: String, _ value: Double, _ unit: String) {
  print("\(name): \(String(format: value < 10 ? "%.2f" : "%.1f", value)) \(unit)")
}

/// Non-negative vectors that fall into clusters, as pooled features do.
func clusteredFeatures(count: Int, dimension: Int, clusters: Int, seed: UInt64) -> Tensor {
  let generator = Generator(seed: seed)
  let centres = generator.normal([clusters, dimension]).relu()
  let which = generator.integers(below: clusters, count: count)
  return (centres.indexSelect(which) + generator.normal([count, dimension], standardDeviation: 0.3)).relu()
}
