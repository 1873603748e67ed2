import Foundation
import Testing

@testable import Report

@Suite struct PageTests {
  @Test func textsAreEscapedByTheirType() {
    let name = "<img src=x onerror='alert(1)'>&\""
    let html: HTML = "<td title=\"\(name)\">\(name)</td>"
    let safe = "&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;"
    #expect(html.markup == "<td title=\"\(safe)\">\(safe)</td>")
    // A combining mark joins what stands before it in Swift's eyes, not in a browser's.
    let marked: HTML = "\("<\u{301}script>")"
    #expect(!marked.markup.unicodeScalars.contains("<"))
  }

  @Test func jsonCannotEndItsScript() throws {
    let text = "{\"path\":\"</script><!--\"}"
    let markup = HTML.json(text).markup
    #expect(!markup.contains("<"))
    let read = try JSONSerialization.jsonObject(with: Data(markup.utf8)) as? [String: String]
    #expect(read?["path"] == "</script><!--")
  }

  @Test func numbersAreWrittenForReaders() {
    #expect(Figure.grouped(0) == "0" && Figure.grouped(999) == "999" && Figure.grouped(1000) == "1,000")
    #expect(Figure.grouped(1_234_567) == "1,234,567")
    #expect(Figure.percentText(0.1234) == "12.3\u{A0}%")
    #expect(Figure.percent(nil, "/a").markup == "<span class=\"none\">–</span>")
  }
}
