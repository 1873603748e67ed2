import Foundation
import Testing
import Torch

@Suite("Stored tensors")
struct StoredTensorTests {
  @Test("float32 comes back bit by bit, from a slice at an odd place too")
  func float32() throws {
    let values: [Float] = [0, -0.0, 1.5, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let tensor = StoredTensor(values, shape: [2, 3])
    #expect(tensor.count == 6)
    #expect(try tensor.floats().map(\.bitPattern) == values.map(\.bitPattern))
    let shifted = (Data([0xFF]) + tensor.bytes).dropFirst()
    #expect(try StoredTensor(dtype: .float32, shape: [6], bytes: shifted).floats() == values)
  }

  @Test("short floats are widened exactly")
  func shortFloats() throws {
    // IEEE 754 binary16: 1, -2, the least subnormal 2⁻²⁴, infinity. bfloat16: the upper half of float32.
    let half = StoredTensor(dtype: .float16, shape: [4], bytes: Data([0, 0x3C, 0, 0xC0, 1, 0, 0, 0x7C]))
    #expect(try half.floats() == [1, -2, 0x1p-24, .infinity])
    let brain = StoredTensor(dtype: .bfloat16, shape: [2], bytes: Data([0x80, 0x3F, 0x40, 0xC0]))
    #expect(try brain.floats() == [1, -3])
  }

  @Test("integers and truth values become the same numbers, or an error")
  func integers() throws {
    #expect(try StoredTensor(dtype: .int8, shape: [2], bytes: Data([0xFF, 0x7F])).floats() == [-1, 127])
    #expect(try StoredTensor(dtype: .uint8, shape: [1], bytes: Data([0xFF])).floats() == [255])
    #expect(try StoredTensor(dtype: .int16, shape: [1], bytes: Data([0xFE, 0xFF])).floats() == [-2])
    #expect(try StoredTensor(dtype: .bool, shape: [2], bytes: Data([0, 1])).floats() == [0, 1])
    // 2²⁴ is a float32, 2²⁴ + 1 is not.
    #expect(try StoredTensor(dtype: .int32, shape: [1], bytes: Data([0, 0, 0, 1])).floats() == [0x1p24])
    let inexact = StoredTensor(dtype: .int32, shape: [2], bytes: Data([0, 0, 0, 0, 1, 0, 0, 1]))
    let error = try #require(throws: InexactConversion.self) { try inexact.floats() }
    #expect(error == InexactConversion(index: 1, value: "16777217", dtype: .int32))
  }

  @Test("float64 is rounded, and refused beyond float32's range")
  func float64() throws {
    func tensor(_ value: Double) -> StoredTensor {
      StoredTensor(
        dtype: .float64, shape: [], bytes: withUnsafeBytes(of: value.bitPattern.littleEndian) { Data($0) })
    }
    #expect(try tensor(1.0 / 3).floats() == [Float(1.0 / 3)])
    #expect(try tensor(-.infinity).floats() == [-.infinity])
    #expect(throws: InexactConversion.self) { try tensor(1e39).floats() }
  }

  @Test("a table keeps its order and refuses a second tensor of a name")
  func table() {
    var table = TensorTable()
    let outcomes = [("b", 1), ("a", 2), ("b", 3)].map { name, value in
      table.append(StoredTensor([Float(value)], shape: []), named: name)
    }
    #expect(outcomes == [true, true, false])
    #expect(table.names == ["b", "a"])
    #expect(table["b"] == StoredTensor([1], shape: []))
    #expect(table["c"] == nil)
  }
}
