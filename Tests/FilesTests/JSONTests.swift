import Files
import Testing

@Suite("JSON") struct JSONTests {
  private func scan<Value>(
    _ text: String, _ body: (inout JSONScanner) throws(JSONScanner.Fault) -> Value
  ) throws(JSONScanner.Fault) -> Value {
    try Array(text.utf8).withUnsafeBufferPointer { bytes throws(JSONScanner.Fault) in
      var scanner = JSONScanner(bytes)
      let value = try body(&scanner)
      try scanner.end()
      return value
    }
  }

  @Test("every text comes back from its quotes")
  func quoting() throws {
    let texts =
      (0..<0x20).map { "a\(Character(Unicode.Scalar(UInt8($0))))b" } + ["", "\"\\/", "naïve 𝄞", "\u{7f}"]
    for text in texts {
      let read = try scan(JSONText.quoted(text)) { scanner throws(JSONScanner.Fault) in try scanner.text() }
      #expect(read == text)
    }
  }

  @Test(
    "only whole numbers pass for whole numbers",
    arguments: [
      ("0", 0), ("10", 10), ("9223372036854775807", Int.max), ("-1", nil), ("01", nil), ("1.5", nil),
      ("1e3", nil),
      ("9223372036854775808", nil), ("\"1\"", nil), ("null", nil), ("", nil),
    ] as [(String, Int?)])
  func wholeNumbers(text: String, value: Int?) {
    let read = try? scan(text) { scanner throws(JSONScanner.Fault) in try scanner.wholeNumber() }
    #expect(read == value)
  }

  @Test("a header of safetensors says what is where; a fault is told with its place")
  func header() throws {
    let json = #"{"__metadata__":{"a":"b"},"x":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}  "#
    let header = try SafeTensorsHeader(json: Array(json.utf8))
    #expect(header.metadata == ["a": "b"] && header.entries.count == 1)
    let entry = try #require(header.entries.first)
    #expect(entry.name == "x" && entry.type == "F16" && entry.shape == [2, 3])
    #expect(entry.start == 0 && entry.end == 12)
    let fault = #expect(throws: JSONScanner.Fault.self) {
      try SafeTensorsHeader(json: Array(#"{"x":{"dtype":"F16","shape":[-1]}}"#.utf8))
    }
    #expect(fault?.offset == 29)
  }
}
