import Datasets
import Foundation
import Images
import Torch
import Workspace

/// The images of some samples, found and decoded one by one, from any thread. Made only where libvips can be loaded.
struct SampleImages: Sendable {
  private let locations: [ImageLocation]
  let keys: [String]
  private let access: ImageAccess

  /// - Parameter samples: rising numbers; places are those among them.
  init(_ workspace: Workspace, samples: [Int]) throws {
    try Vips.load()
    var locations: [ImageLocation] = []
    var keys: [String] = []
    var next = 0
    try workspace.forEachSample { sample in
      guard next < samples.count, sample.id == samples[next] else { return }
      next += 1
      locations.append(sample.location)
      keys.append(sample.key)
    }
    access = ImageAccess(workspace)
    precondition(next == samples.count, "samples are there, in rising order")
    self.locations = locations
    self.keys = keys
  }

  /// Files that are in no workspace; their keys are their paths.
  init(files: [String]) throws(VipsError) {
    try Vips.load()
    access = ImageAccess()
    locations = files.map { .file($0) }
    keys = files
  }

  var count: Int { keys.count }
  var limits: ImageLimits { access.limits }

  func decode(
    _ place: Int, into pixels: UnsafeMutableRawBufferPointer, by decoder: ImageDecoder,
    augmentation: Augmentation? = nil, seed: UInt64 = 0
  ) throws(ImageProblem) {
    let source = try access.source(locations[place], key: keys[place])
    if let augmentation {
      var random = SplitMix64(seed: seed)
      try decoder.decode(source, into: pixels, augmentation: augmentation, using: &random)
    } else {
      try decoder.decode(source, into: pixels)
    }
  }

  /// Batches of all of them.
  func loader(_ preparation: ImagePreparation, batchSize: Int = 32, threads: Int) -> BatchLoader {
    let decoder = ImageDecoder(preparation, limits: limits)
    return BatchLoader(
      count: count, preparation: preparation, batchSize: batchSize, threads: threads, ahead: 2 * threads
    ) { (place, pixels) throws(ImageProblem) in try decode(place, into: pixels, by: decoder) }
  }
}
