import CleanNet
import Foundation
import Torch

do {
  try Engine.load()
} catch {
  print(error)
  exit(EX_UNAVAILABLE)
}

// Features of 600 made-up images in 6 classes. Every fifth label is wrong.
let classes = 6
let truth = (0..<600).map { $0 % classes }
let labels = truth.enumerated().map { image, label in image % 5 == 0 ? (label + 1) % classes : label }
let random = Generator(seed: 0)
let centers = random.uniform([classes, 24], low: 0, high: 4)
let spread = random.normal([truth.count, 24], standardDeviation: 0.5)
let features = (centers.indexSelect(Tensor(truth)) + spread).clamped(min: 0)

// A person looked at 30 images in each of two classes; the other four have no verdict.
var verified: [Int: Bool] = [:]
for label in [0, 3] {
  for image in labels.indices.filter({ labels[$0] == label }).prefix(30) {
    verified[image] = truth[image] == label
  }
}

let judgements = try judge(features, labels: labels, classes: classes, verified: verified)
let suspects = labels.indices.filter { judgements.isRight($0) == false }
let wrong = labels.indices.filter { labels[$0] != truth[$0] }
let found = Set(suspects).intersection(wrong).count
print("\(found) of \(wrong.count) wrong labels found; \(suspects.count - found) right ones suspected")
for image in suspects.prefix(3) {
  print(
    "image \(image): right with probability \(judgements.probability[image]); "
      + "class \(judgements.suggestedClass[image]) fits better than \(labels[image])")
}
