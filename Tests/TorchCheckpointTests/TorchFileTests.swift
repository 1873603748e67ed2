import Foundation
import Testing
import Torch

@Suite("PyTorch files")
struct TorchFileTests {
  @Test(
    "files that PyTorch saved are read as PyTorch reads them",
    arguments: ["types", "model", "training", "nested"], ["zip.pt", "legacy.pth"])
  func agreesWithPyTorch(name: String, format: String) throws {
    try requireAgreement(Checkpoint.read(path: Fixtures.path("\(name).\(format)")), name)
  }

  @Test("later pickle protocols are read too", arguments: ["nested.protocol4.pt", "nested.protocol4.pth"])
  func laterProtocols(file: String) throws {
    try requireAgreement(Checkpoint.read(path: Fixtures.path(file)), "nested")
  }

  private func requireAgreement(_ read: Checkpoint, _ name: String) throws {
    let expected = try Fixtures.expected(name)
    #expect(read.tensors.names == expected.tensors.map(\.name))
    for tensor in expected.tensors {
      let stored = try #require(read[tensor.name])
      #expect(stored.dtype.rawValue == tensor.dtype, "\(tensor.name)")
      #expect(stored.shape == tensor.shape, "\(tensor.name)")
      #expect(stored.hexadecimal == tensor.bytes, "\(tensor.name)")
    }
    #expect(read.metadata == expected.metadata)
  }

  @Test("the prefix of DataParallel is dropped on demand, and only where every name has it")
  func modulePrefix() throws {
    let path = try Fixtures.path("training.zip.pt")
    let stripped = try Checkpoint.read(path: path, stripModulePrefix: true)
    let plain = try Checkpoint.read(path: Fixtures.path("model.zip.pt"), stripModulePrefix: true)
    #expect(stripped.tensors.names == plain.tensors.names)
    #expect(stripped.tensors.names.contains("1.num_batches_tracked"))
    #expect(try Checkpoint.read(path: path).tensors.names == plain.tensors.names.map { "module." + $0 })

    var mixed = plain
    let tensor = try #require(mixed["0.weight"])
    mixed.tensors.append(tensor, named: "module.extra")
    #expect(mixed.strippingPrefix("module.").tensors.names == mixed.tensors.names)
  }

  @Test(
    "files that are no plain weights are refused with the reason",
    arguments: [
      ("hostile.pt", "asks for posix.system"), ("hostile.pth", "asks for posix.system"),
      ("whole_model.pt", "asks for torch.nn.modules.linear.Linear"), ("torchscript.pt", "TorchScript"),
      ("expanded.pt", "repeats the 1 elements"), ("compressed.pt", "compressed"),
      ("make_fixtures.py", "neither safetensors nor"), ("absent.pt", "No such file"),
      (".", "not a regular file"),
    ])
  func refusals(file: String, reason: String) throws {
    let path = try Fixtures.path(file)
    let error = try #require(throws: CheckpointError.self) { try Checkpoint.read(path: path) }
    #expect(error.path == path)
    #expect(error.what.contains(reason), "\(error)")
    #expect(!error.remedy.isEmpty)
  }

  @Test("instructions and names beyond the list are refused, wherever they stand")
  func closedList() throws {
    func what(_ pickle: [UInt8]) throws -> String {
      try #require(throws: CheckpointError.self) {
        try Checkpoint.read(bytes: LegacyFile.bytes(object: pickle), name: "crafted")
      }.what
    }
    // Only a protocol and the instruction: each byte that is no known instruction is refused as such.
    let known: Set<UInt8> = Set("NJKMGXTU}])taesucRbQqrhj.(".utf8)
      .union([0x80, 0x95, 0x88, 0x89, 0x8A, 0x8C, 0x85, 0x86, 0x87, 0x93, 0x94])
    for byte in UInt8.min...UInt8.max {
      let refused = try what([0x80, 2, byte]).contains("holds the instruction 0x\(String(byte, radix: 16)) ")
      #expect(refused == !known.contains(byte), "\(byte)")
    }
    #expect(try what(LegacyFile.global("os", "system")).contains("can run code; this one asks for os.system"))
    #expect(try what(LegacyFile.global("builtins", "eval")).contains("asks for builtins.eval"))
    #expect(try what(LegacyFile.global("torch", "load")).contains("asks for torch.load"))
    // ("module",) as a persistent identity, which brings source code in a whole saved model.
    #expect(
      try what([0x80, 2, 0x8C, 6] + Array("module".utf8) + [0x85, 0x51, 0x2E]).contains("'module' object"))
  }

  @Test("a dictionary that holds itself, or one thing very often, is refused")
  func endlessNesting() throws {
    // d = {}; d["d"] = d
    let cycle: [UInt8] = [0x80, 2, 0x7D, 0x71, 0, 0x8C, 1, 0x64, 0x68, 0, 0x73, 0x2E]
    // Thirty lists, each holding the one before twice: a billion leaves.
    var doubling: [UInt8] = [0x80, 2, 0x7D, 0x8C, 1, 0x64, 0x5D, 0x71, 0]
    for level in 1...30 as ClosedRange<UInt8> {
      doubling += [0x5D, 0x71, level, 0x28, 0x68, level - 1, 0x68, level - 1, 0x65]
    }
    // Leaves one value of the thirty-one on the stack: the rest go into a tuple, then the dictionary.
    doubling = doubling.prefix(6) + [0x28] + doubling.dropFirst(6) + [0x74, 0x73, 0x2E]
    for (pickle, reason) in [(cycle, "nests"), (doubling, "nests")] {
      let error = try #require(throws: CheckpointError.self) {
        try Checkpoint.read(bytes: LegacyFile.bytes(object: pickle), name: "crafted")
      }
      #expect(error.what.contains(reason), "\(error)")
    }
  }

  @Test("strides lay the elements out in C order, whatever stride a dimension of size 1 has")
  func strides() throws {
    func read(_ offset: Int, _ shape: [Int], _ strides: [Int]) throws -> [Float]? {
      let bytes = LegacyFile.bytes(storageCount: 8, offset: offset, shape: shape, strides: strides)
      return try Checkpoint.read(bytes: bytes, name: "crafted")["t"]?.floats()
    }
    #expect(try read(1, [2, 3], [3, 1]) == [1, 2, 3, 4, 5, 6])
    #expect(try read(1, [2, 3], [1, 2]) == [1, 3, 5, 2, 4, 6])
    #expect(try read(0, [2, 2, 2], [1, 4, 2]) == [0, 2, 4, 6, 1, 3, 5, 7])
    #expect(try read(0, [2, 1, 2], [1, .max, 2]) == [0, 2, 1, 3])
    #expect(try read(7, [1, 1], [.max, .max]) == [7])
    #expect(try read(8, [3, 0], [.max, .max]) == [])
    #expect(try read(2, [4, 2], [0, 1]) == [2, 3, 2, 3, 2, 3, 2, 3])
  }

  @Test(
    "tensors that reach outside their storage are refused",
    arguments: [
      (0, [9], [1]), (1, [8], [1]), (-1, [1], [1]), (9, [0], [1]), (8, [1], [1]), (7, [2], [-1]),
      (0, [2], [.max]),
      (0, [3, 3], [.max / 2, .max / 2]), (0, [.max, .max], [1, 1]), (0, [-1], [1]), (0, [-1, -1], [1, 1]),
      (0, [.max], [0]), (0, [9], [0]), (.max, [2], [1]), (0, [0, -1], [1, 1]),
    ] as [(Int, [Int], [Int])])
  func outsideStorage(offset: Int, shape: [Int], strides: [Int]) throws {
    let bytes = LegacyFile.bytes(storageCount: 8, offset: offset, shape: shape, strides: strides)
    let error = try #require(throws: CheckpointError.self) {
      try Checkpoint.read(bytes: bytes, name: "crafted")
    }
    #expect(error.what.contains("tensor 't'"), "\(error)")
  }

  @Test("a storage of another size than its tensors say is refused", arguments: [7, 9, .max, -1])
  func storageSize(declared: Int) throws {
    let bytes = LegacyFile.bytes(
      storageCount: 8, offset: 0, shape: [1], strides: [1], declaredCount: declared)
    let error = try #require(throws: CheckpointError.self) {
      try Checkpoint.read(bytes: bytes, name: "crafted")
    }
    #expect(error.what.contains("storage"), "\(error)")
  }
}
