import Foundation
import Testing

@testable import Torch

@Suite("TorchScript")
struct TorchScriptTests {
  private func write(in folder: String, _ forward: (Tensor, Tensor) -> Tensor) throws -> String {
    let path = folder + "/program.pt"
    let weight = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    func input(_ count: Int) -> Tensor { Generator(seed: 1).uniform([count, 3]) }
    try TorchScript.write(
      to: path, parameters: [("weight", weight)], about: #"{"names":["größe","x"]}"#, example: input(2),
      check: input(5)
    ) { forward($0, weight) }
    return path
  }

  @Test("a program computes what was recorded, with weights and constants of its own")
  func computes() throws {
    try Fixtures.withTemporaryFolder { (folder: String) throws in
      let path = try write(in: folder) { input, weight in
        let plain = input.linear(weight, bias: nil) + Tensor([0.5, -0.5] as [Float])
        plain.reluInPlace()
        return plain
      }
      let file = try Data(contentsOf: URL(fileURLWithPath: path))
      let bytes = Tensor(StoredTensor(dtype: .uint8, shape: [file.count], bytes: file))
      let input = Tensor([1, 0, 0, -1, 0, 0] as [Float], shape: [2, 3])
      let output = try #require(
        Engine.functions.run_script(bytes.handle, input.handle).map(Tensor.init(handle:)))
      #expect(output.floats() == [1.5, 3.5, 0, 0])
      let archive = try ZipArchive(FileBytes(file))
      let about = try #require(archive.names.first { $0.hasSuffix("/extra/cleannet.json") })
      #expect(String(decoding: try archive.contents(of: about), as: UTF8.self) == #"{"names":["größe","x"]}"#)
    }
  }

  @Test("a program that was recorded for one size of a batch only is refused, and nothing is left behind")
  func refuses() throws {
    try Fixtures.withTemporaryFolder { (folder: String) throws in
      let error = #expect(throws: CheckpointError.self) {
        try write(in: folder) { input, _ in
          input.reshaped([input.size(0) * 3])
        }
      }
      #expect(error?.what.hasPrefix("libtorch cannot run what it has recorded: ") == true, "\(error as Any)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      // Decided by an element of the example.
      #expect(throws: CheckpointError.self) {
        try write(in: folder) { input, _ in input * input.sum().item }
      }
    }
  }
}
