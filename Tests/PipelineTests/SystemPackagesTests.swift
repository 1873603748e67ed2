import Testing

@testable import Pipeline

@Suite("What systems call their packages") struct SystemPackagesTests {
  @Test(
    "the command is that of the system",
    arguments: [
      ("ID=debian\nVERSION_ID=\"12\"\n", "apt-get install --no-install-recommends libtorch1.13 libvips42"),
      ("ID=debian\nVERSION_ID=\"13\"\n", "apt-get install --no-install-recommends libtorch-dev libvips42t64"),
      (
        "ID=ubuntu\nID_LIKE=debian\nVERSION_ID='22.04'\n",
        "apt-get install --no-install-recommends libtorch-dev libvips42"
      ),
      (
        "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\"\n",
        "apt-get install --no-install-recommends libtorch-dev libvips42t64"
      ),
    ])
  func known(release: String, command: String) {
    #expect(SystemPackages(release: release).remedy(.torch, .images) == "Run: \(command)")
  }

  @Test("where a package has no name that is known, the library is named")
  func unknown() {
    let fedora = SystemPackages(release: "ID=fedora\nVERSION_ID=42\n")
    #expect(fedora.remedy(.images) == "Run: dnf install vips")
    #expect(
      fedora.remedy(.torch, .images) == "Install libtorch and libvips with this system's package manager")
    #expect(
      SystemPackages(release: "").remedy(.transfers)
        == "Install libcurl with this system's package manager")
  }

  @Test("this system has a name for each component")
  func here() {
    for component in SystemPackages.Component.allCases {
      #expect(SystemPackages.current.remedy(component).hasPrefix("Run: apt-get"))
    }
  }
}
