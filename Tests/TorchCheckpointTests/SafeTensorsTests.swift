import Foundation
import Testing
import Torch

@Suite("Safetensors")
struct SafeTensorsTests {
  private static let oddName = "größe \"quoted\"\\\n\u{01}/"

  @Test("a file made from the format's description is read")
  func reads() throws {
    let path = try Fixtures.path("expected.safetensors")
    let read = try SafeTensors.read(path: path)
    #expect(read.tensors.names == ["flag", "weight", "half", "count", Self.oddName, "empty", "double"])
    #expect(read.metadata == ["format": "pt", "author": "Zoë 🐟\t", "a": ""])
    #expect(try read["flag"]?.floats() == [1, 0, 1])
    #expect(try read["weight"]?.floats() == [0.5, -1.25, 3, 1e-3])
    #expect(read["weight"]?.shape == [2, 2])
    #expect(try read["half"]?.floats() == [0.5, -2])
    #expect(try read["count"]?.floats() == [7])
    #expect(read["count"]?.shape == [])
    #expect(read[Self.oddName]?.dtype == .uint8)
    #expect(read["empty"]?.shape == [0, 5])
    #expect(try read["double"]?.floats() == [Float(1.0 / 3)])
    #expect(try Checkpoint.read(path: path).tensors.names == read.tensors.names)
  }

  @Test("the same tensors are written as the same bytes, over an older file")
  func writes() throws {
    let read = try SafeTensors.read(path: Fixtures.path("expected.safetensors"))
    try Fixtures.withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try Data("older".utf8).write(to: URL(fileURLWithPath: path))
      try SafeTensors.write(tensors: read.tensors, metadata: read.metadata, to: path)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Fixtures.data("expected.safetensors"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])
    }
  }

  @Test(
    "whatever PyTorch saved comes back after writing", arguments: ["types.zip.pt", "training.legacy.pth"])
  func roundTrip(file: String) throws {
    let original = try Checkpoint.read(path: Fixtures.path(file))
    try Fixtures.withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try SafeTensors.write(tensors: original.tensors, metadata: original.metadata, to: path)
      let back = try Checkpoint.read(path: path)
      #expect(back.tensors.names == original.tensors.names)
      #expect(back.tensors.map(\.tensor) == original.tensors.map(\.tensor))
      #expect(back.metadata == original.metadata)
    }
  }

  @Test("no tensors make a file too")
  func empty() throws {
    try Fixtures.withTemporaryFolder { folder in
      try SafeTensors.write(tensors: [], to: folder + "/empty.safetensors")
      #expect(try SafeTensors.read(path: folder + "/empty.safetensors").tensors.isEmpty)
    }
  }

  @Test("a failed writing leaves no file behind")
  func failedWriting() throws {
    let tensor = StoredTensor([1], shape: [])
    try Fixtures.withTemporaryFolder { folder in
      let taken = [(name: "a", tensor: tensor), (name: "a", tensor: tensor)]
      let path = folder + "/model.safetensors"
      #expect(throws: CheckpointError.self) { try SafeTensors.write(tensors: taken, to: path) }
      #expect(throws: CheckpointError.self) {
        try SafeTensors.write(tensors: [(name: "__metadata__", tensor: tensor)], to: path)
      }
      #expect(throws: CheckpointError.self) {
        try SafeTensors.write(
          tensors: [(name: "a", tensor: tensor)], to: folder + "/absent/model.safetensors")
      }
      // A folder of that name cannot be replaced, so the rename fails after all bytes are written.
      try FileManager.default.createDirectory(atPath: path + "/inside", withIntermediateDirectories: true)
      #expect(throws: CheckpointError.self) {
        try SafeTensors.write(tensors: [(name: "a", tensor: tensor)], to: path)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model.safetensors"])
    }
  }

  @Test(
    "headers that break the format are refused with their reason",
    arguments: [
      (
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        8, "'a' twice"
      ),
      (
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
        6, "begins at byte 2"
      ),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "begins at byte 4"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "but 5 follow"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "but 3 follow"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "cannot lie"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "cannot lie"),
      (#"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0, "cannot lie"),
      (#"{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,0]}}"#, 0, "beyond 64 bits"),
      (#"{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}}"#, 0, "whole number"),
      (#"{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}"#, 1, "whole number"),
      (#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1, "F8_E4M3"),
      (#"{"a":{"dtype":"U8","shape":[1]}}"#, 1, "lacks"),
      (#"{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1, "repeated field 'dtype'"),
      (#"{"__metadata__":{"a":"b","a":"c"}}"#, 0, "'a' twice"),
      (#"{"__metadata__":{"a":1}}"#, 0, "quotation mark"),
      (#"{"__metadata__":{"a":"\ud800"}}"#, 0, "not a character"),
      (#"{}{}"#, 0, "something follows"),
      (#"{"a"#, 0, "quotation mark"),
    ])
  func brokenHeaders(json: String, dataCount: Int, reason: String) throws {
    let bytes = Self.file(json: json, dataCount: dataCount)
    let error = try #require(throws: CheckpointError.self) {
      try Checkpoint.read(bytes: bytes, name: "crafted")
    }
    #expect(error.what.contains(reason), "\(error)")
  }

  @Test("a header said to be longer than the file or 100 MB is refused before it is read")
  func headerLength() throws {
    for (length, reason) in [(1_000 as UInt64, "ends before"), (100_000_001, "100 MB"), (.max, "100 MB")] {
      let bytes = withUnsafeBytes(of: length.littleEndian) { Data($0) } + Data("{}".utf8)
      let error = try #require(throws: CheckpointError.self) {
        try Checkpoint.read(bytes: bytes, name: "crafted")
      }
      #expect(error.what.contains(reason), "\(error)")
    }
  }

  private static func file(json: String, dataCount: Int) -> Data {
    withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian) { Data($0) } + Data(json.utf8)
      + Data(count: dataCount)
  }
}
