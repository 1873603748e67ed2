import Testing

@testable import Report

@Suite struct HTMLTests {
  @Test func textsAreEscapedByTheirType() {
    let name = "<img src=x onerror='alert(1)'>&\""
    let html: HTML = "<td title=\"\(name)\">\(name)</td>"
    let safe = "&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;"
    #expect(html.markup == "<td title=\"\(safe)\">\(safe)</td>")
  }
}
