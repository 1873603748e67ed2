import Testing

@testable import Datasets

@Suite("Lists of addresses") struct URLListTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ name: String, _ text: String) throws -> [Sample] {
    let path = try folder.write(name, text)
    #expect(try DatasetReader.open(source: path).formatName == "url-list")
    return try samples(path) { $0.downloads = "/downloads" }
  }

  @Test(
    "the address is found by its column's name, or by what it holds",
    arguments: [
      ("a.csv", "url,label\nhttp://x/1.jpg,cat\nhttps://x/2,dog\n"),
      ("a.csv", "label,photo\ncat,http://x/1.jpg\ndog,https://x/2\n"),
      ("a.tsv", "id\timage_url\tclass\n1\thttp://x/1.jpg\tcat\n2\thttps://x/2\tdog\n"),
      ("a.csv", "path,label\nhttp://x/1.jpg,cat\nhttps://x/2,dog\n"),
      (
        "a.jsonl",
        "{\"url\": \"http://x/1.jpg\", \"label\": \"cat\"}\n{\"url\": \"https://x/2\", \"label\": \"dog\"}\n"
      ),
      ("a.txt", "http://x/1.jpg cat\nhttps://x/2 dog\n"),
      ("a.txt", "cat http://x/1.jpg\ndog https://x/2\n"),
      ("a.txt", "http://x/1.jpg\tcat\nhttps://x/2\tdog\n"),
      ("a.csv", "http://x/1.jpg,cat\nhttps://x/2,dog\n"),
    ])
  func columns(name: String, text: String) throws {
    let read = try read(name, text)
    #expect(read.map(\.path) == ["http://x/1.jpg", "https://x/2"])
    #expect(read.map(\.label) == ["cat", "dog"])
  }

  @Test("a list of nothing but addresses is one class; commas in them part nothing")
  func bare() throws {
    let read = try read("red pandas.txt", "http://x/1,a.jpg\nhttp://x/2;b.jpg\n")
    #expect(read.map(\.label) == ["red pandas", "red pandas"])
    #expect(read.map(\.key) == ["http://x/1,a.jpg", "http://x/2;b.jpg"])
  }

  @Test("files have names of their own, whatever the address holds")
  func names() throws {
    let addresses = [
      "http://x/a/../../b.jpg", "http://x/b.JPEG?w=1#f", "http://x/b.JPEG?w=2", "http://x/", "http://x/é.png",
      "http://x/e\u{301}.png", "http://x/" + String(repeating: "long/", count: 400) + ".jpg",
    ]
    let names = addresses.map(ImageAddress.fileName)
    #expect(Set(names.map { Array($0.utf8) }).count == addresses.count)
    for name in names {
      #expect(name.wholeMatch(of: /[0-9a-f]{2}\/[0-9a-f]{32}(\.[a-z]+)?/) != nil, "\(name)")
    }
    #expect(names[1].hasSuffix(".jpeg") && !names[3].contains("."))
    // FNV-1a's published value of the empty text.
    #expect(ImageAddress.fileName(of: "") == "6c/6c62272e07bb014262b821756295c58d")
    #expect(ImageAddress.fileName(of: "foobar") == "34/343e1662793c64bf6f0d3597ba446f18")
  }

  @Test("a path beside the address wins, and files are no addresses")
  func paths() throws {
    try folder.write("1.jpg")
    let manifest = try folder.write("m.csv", "path,url,label\n1.jpg,http://x/1.jpg,cat\n")
    #expect(try DatasetReader.open(source: manifest).formatName == "manifest")
    #expect(try samples(manifest).map { $0.attribute("url") } == ["http://x/1.jpg"])
    let plain = try folder.write("p.csv", "url,label\n1.jpg,cat\n")
    #expect(try DatasetReader.open(source: plain).formatName == "manifest")
  }

  @Test("without a folder for downloads, addresses are problems")
  func refused() throws {
    let path = try folder.write("a.csv", "url,label\nhttp://x/1,cat\nhttp://x/2,cat\n")
    #expect(try problems(path).count == 2)
  }

  @Test("a list reads back as it was written", arguments: ["out.csv", "out.tsv", "out.jsonl"])
  func roundTrip(name: String) throws {
    let classes = ["a,b", "say \"hi\"", "c\nd", "日本 語", "http://not/an/image", " "]
    let original = (0..<30).map { index in
      let address = "https://x.example/\(index)/é,\"%20 \(index).jpg?q=\(index)"
      return Sample(
        key: "k\t\(index)", path: address,
        location: .file("/downloads/\(ImageAddress.fileName(of: address))"), label: classes[index % 6],
        split: ["train", "my split"][index % 2], verification: [true, false, nil][index % 3],
        attributes: index % 4 == 0 ? [SampleAttribute(name: "truth \"x\"", value: "a\nb,\(index)")] : [])
    }
    var output = DatasetOutput(
      path: "\(folder.path)/\(name)", classNames: classes, splits: ["train", "my split"])
    output.attributeNames = ["truth \"x\""]
    let writer = try DatasetReader.writer(format: "url-list", output)
    for sample in original { try writer.add(sample) }
    #expect(try writer.finish().isEmpty)
    #expect(try DatasetReader.open(source: output.path).formatName == "url-list")
    let read = try samples(output.path) { $0.downloads = "/downloads" }.map { sample in
      var sample = sample
      sample.source = ""
      sample.line = 0
      return sample
    }
    #expect(read == original)
  }

  @Test("images without an address cannot be listed by one")
  func noAddress() throws {
    let output = DatasetOutput(path: "\(folder.path)/out.csv", classNames: ["cat"])
    let writer = try DatasetReader.writer(format: "url-list", output)
    try writer.add(Sample(key: "a", path: "a.jpg", location: .file("/a.jpg"), label: "cat"))
    #expect { _ = try writer.finish() } throws: { "\($0)".contains("has no address") }
  }
}
