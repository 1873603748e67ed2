import Foundation
import Testing

@testable import Pipeline

@Suite("Names of packages by system") struct SystemPackagesTests {
  @Test(
    "the command is that of the system",
    arguments: [
      ("ID=debian\nVERSION_ID=\"12\"\n", "apt-get install --no-install-recommends libtorch1.13 libvips42"),
      ("ID=debian\nVERSION_ID=\"13\"\n", "apt-get install --no-install-recommends libtorch-dev libvips42t64"),
      (
        "ID=ubuntu\nID_LIKE=debian\nVERSION_ID='25.04'\n",
        "apt-get install --no-install-recommends libtorch-dev libvips42t64"
      ),
    ])
  func known(release: String, command: String) {
    #expect(SystemPackages(release: release).remedy(.torch, .images) == "Run: \(command)")
  }

  @Test("Ubuntu's names before and since 64-bit time")
  func renamed() {
    let jammy = SystemPackages(release: "ID=ubuntu\nID_LIKE=debian\nVERSION_ID='22.04'\n")
    #expect(jammy.remedy(.images) == "Run: apt-get install --no-install-recommends libvips42")
    let mint = SystemPackages(release: "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"22\"\n")
    #expect(mint.remedy(.images) == "Run: apt-get install --no-install-recommends libvips42t64")
  }

  @Test("an engine comes prepared, is compiled for the system's libtorch, or for PyTorch's wheel")
  func engine() {
    func remedy(_ release: String, _ lacksLibtorchOnly: Bool = false) -> String {
      SystemPackages(release: release).engineRemedy(compile: "BUILD", lacksLibtorchOnly: lacksLibtorchOnly)
    }
    let apt = "Run: apt-get install --no-install-recommends"
    #expect(
      remedy("ID=debian\nVERSION_ID=\"12\"\n", true) == "\(apt) libtorch1.13 libopenblas0-pthread")
    for system in ["ID=debian\nVERSION_ID=\"12\"\n", "ID=debian\nVERSION_ID=\"13\"\n", "ID=debian\n"] {
      #expect(remedy(system) == "\(apt) libtorch-dev libopenblas0-pthread g++, then: BUILD")
    }
    // Ubuntu 24.04 and 22.04 have no libtorch that will do.
    for system in ["ID=ubuntu\nVERSION_ID=\"24.04\"\n", "ID=ubuntu\nVERSION_ID=\"22.04\"\n"] {
      let commands = remedy(system, true).components(separatedBy: ", then: ")
      #expect(commands.count == 4 && commands[0] == "\(apt) g++ python3-venv")
      #expect(commands[3] == "BUILD --python ~/.local/share/cleannet/torch/bin/python")
    }
    #expect(remedy("ID=fedora\nVERSION_ID=42\n").hasPrefix("Run: dnf install gcc-c++ python3, then: "))
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
