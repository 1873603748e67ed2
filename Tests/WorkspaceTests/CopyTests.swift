import Testing

@testable import Workspace

@Suite("Decisions on copies")
struct CopyTests {
  private let temporary: TemporaryWorkspace
  private let workspace: Workspace

  init() throws {
    temporary = try TemporaryWorkspace()
    workspace = try temporary.open()
    try importTable(
      try temporary.write("a.csv", "key,label\nu,a\nv,b\nx,a\ny,b\nz,a\n"), into: workspace)
  }

  @Test("the image that stays is the one chosen last, and all can be brought back")
  func lastChoice() throws {
    #expect(try workspace.copies().isEmpty)
    try workspace.keepOne(1, of: [0, 1, 2], by: "me")
    #expect(try workspace.copies() == [0: 1, 2: 1])
    try workspace.keepOne(2, of: [0, 1, 2], by: "you")
    #expect(try workspace.copies() == [0: 2, 1: 2])
    try workspace.keepAll([0, 1, 2])
    #expect(try workspace.copies().isEmpty)
  }

  @Test("an image stays where the one kept in its place is left out itself, or is gone")
  func neverAll() throws {
    try workspace.keepOne(1, of: [0, 1], by: "me")
    // Groups may be found anew, with other members.
    try workspace.keepOne(2, of: [1, 2], by: "me")
    #expect(try workspace.copies() == [1: 2])
    try workspace.write { try $0.execute(sql: "UPDATE samples SET gone = 1 WHERE id = 2") }
    #expect(try workspace.copies().isEmpty)
  }

  @Test("check finds a decision that a disk has changed")
  func damage() throws {
    try workspace.keepOne(1, of: [0, 1], by: "me")
    #expect(try workspace.catalogueFindings().isEmpty)
    try workspace.write { try $0.execute(sql: "UPDATE copies SET kept = 3") }
    let findings = try workspace.catalogueFindings()
    #expect(findings.count == 1 && "\(findings)".contains("copies of image 0"))
  }
}
