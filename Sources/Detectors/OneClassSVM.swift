import Torch

/// A one-class support vector machine with an RBF kernel on the images of each class: what lies outside the bulk of the
/// class is called wrong.
///
/// Source: Schölkopf et al. 2001; the paper's unsupervised baseline (section 4.2). The score is the decision function
/// divided by its largest absolute value in the class, so that one threshold suits classes of any size. Cost per class:
/// LIBSVM on at most `maximumExamples` images, and `n · maximumExamples · D` operations.
package struct OneClassSVM: Detector {
  package let name = "one-class-svm"
  package let kind = DetectorKind.unsupervised
  /// The share of images that is taken to lie outside, at most.
  package let nu: Double
  /// A class with more images is learnt from a seeded sample: the kernel matrix grows with their square.
  package let maximumExamples: Int

  package init(nu: Double = 0.5, maximumExamples: Int = 2000) {
    precondition(nu > 0 && nu < 1 && maximumExamples > 0, "ν lies between 0 and 1")
    self.nu = nu
    self.maximumExamples = maximumExamples
  }

  package func loadLibraries() throws(VectorMachineLibraryError) { try VectorMachineLibrary.load() }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    let classes = problem.members.filter { !$0.isEmpty }
    let done = Done(total: classes.count, progress: progress)
    let results: [Result<[Float], LibraryFailure>] = concurrentMap(
      over: classes.count, threads: problem.threads
    ) {
      defer { done.one() }
      do throws(LibraryFailure) {
        return .success(try scores(classes[$0], problem))
      } catch {
        return .failure(error)
      }
    }
    var all = [Float](repeating: .nan, count: problem.labels.count)
    for (images, result) in zip(classes, results) {
      switch result {
      case .success(let scores): for (image, score) in zip(images, scores) { all[image] = score }
      case .failure(let failure): throw .library(detector: name, reason: failure.reason)
      }
    }
    return Detection(scores: all)
  }

  private func scores(_ images: [Int], _ problem: DetectionProblem) throws(LibraryFailure) -> [Float] {
    var random = SplitMix64(seed: problem.seed &+ UInt64(images[0]))
    let sample =
      images.count <= maximumExamples
      ? images : images.shuffled(using: &random).prefix(maximumExamples).sorted()
    let examples = problem.features.rows(sample)
    let product = Kernel.rbf.fitted(examples)
    let machine = try SupportVectorMachine(.oneClass(nu: nu), gram: product(examples, examples))
    var scores: [Float] = []
    problem.forEachChunk(of: images) { _, rows in scores += machine.decisions(product(rows, examples)) }
    let largest = scores.map(abs).max() ?? 1
    return scores.map { $0 / max(largest, 1e-30) }
  }
}
