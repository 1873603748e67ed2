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

let trained = try await learn(features, labels: labels, classes: classes, verified: verified)
let suspected = suspects(trained)
let wrong = labels.indices.filter { labels[$0] != truth[$0] }
let found = Set(suspected.map(\.image)).intersection(wrong).count
print("\(found) of \(wrong.count) wrong labels found; \(suspected.count - found) right ones suspected")
for judgement in suspected.prefix(3) {
  print(
    "image \(judgement.image): right with probability \(judgement.probability ?? .nan); "
      + "class \(judgement.suggestedClass ?? -1) fits better than \(labels[judgement.image])")
}

// Saved and opened again, in another program as well, it judges new images; and old ones anew after more verdicts.
let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors").path
defer { try? FileManager.default.removeItem(atPath: file) }
try trained.save(to: file)
var model = try LabelModel(path: file)
model.verifications.append(VerificationLabel(image: wrong[0], isRight: false))
let new = centers.indexSelect(Tensor([2, 2])) + random.normal([2, 24], standardDeviation: 0.5)
for judgement in try model.judge(new.clamped(min: 0), labels: [2, 5]) {
  print("new image \(judgement.image): right with probability \(judgement.probability ?? .nan)")
}
