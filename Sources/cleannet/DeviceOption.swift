import ArgumentParser
import Pipeline

/// Where networks run and neighbors are searched.
struct DeviceOption: ParsableArguments {
  @Option(
    name: .customLong("device"),
    help: ArgumentHelp(
      "Where to compute: auto (a GPU that the engine can use, else the CPU), cpu, cuda, cuda:1 …",
      discussion:
        "Neighbors are searched on a GPU only if one is named: it then compares all images with all.",
      valueName: "device"),
    completion: .list(["auto", "cpu", "cuda"]))
  var choice = DeviceChoice.auto
}
