import Foundation
import Workspace

// Prints the ten labels of a workspace that are most likely wrong: ReadWorkspace FOLDER
guard let folder = CommandLine.arguments.dropFirst().first else {
  print("usage: ReadWorkspace FOLDER")
  exit(EX_USAGE)
}
// A snapshot: everything that is read through it belongs together, whatever others write meanwhile.
let workspace = try Workspace(path: folder).snapshot()
let classes = try workspace.classNames()
guard let run = try workspace.finishedRun(stage: "score"), let scores = try workspace.scores(key: run.key)
else {
  print("Nothing is scored yet. Run: cleannet score -w \(folder)")
  exit(EX_NOINPUT)
}
let suspects = scores.indices.filter { scores[$0].verdict == .wrong }
let worst = suspects.sorted { scores[$0].probability < scores[$1].probability }.prefix(10)
for sample in try workspace.samples(worst) {
  let score = scores[sample.id]
  let better = classes[Int(score.suggestedLabel)]
  print("\(sample.path): \(classes[sample.label]), better \(better) (right with \(score.probability))")
}
