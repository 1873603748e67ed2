import Torch

/// A support vector machine on the verified images of each class; the score is its decision function.
///
/// Source: the paper's supervised baseline (section 4.2). Both answers weigh alike. The kernel is computed on
/// features less the verified images' mean, divided by their overall deviation. Cost per class: LIBSVM on as many images
/// as are verified, six times (cross-fitting), and `n · verified · D` operations.
package struct SVMDetector: Detector {
  package var name: String { kernel == .linear ? "svm-linear" : "svm-rbf" }
  package let kind = DetectorKind.supervised
  package let kernel: Kernel
  /// The price of an example on the wrong side.
  package let c: Double

  /// - Parameter c: nil: 0.001 with the linear kernel, whose values grow with the dimension, 1 with the other.
  package init(_ kernel: Kernel, c: Double? = nil) {
    self.kernel = kernel
    self.c = c ?? (kernel == .linear ? 0.001 : 1)
  }

  package func loadLibraries() throws(VectorMachineLibraryError) { try VectorMachineLibrary.load() }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    let scores = try CrossFitting().scores(problem, detector: name, progress: progress) {
      one, learning throws(LibraryFailure) in
      let features = Standardized(one.features, places: learning.map(\.place)).values
      let examples = features.indexSelect(Tensor(learning.map(\.place)))
      let product = kernel.fitted(examples)
      let machine = try SupportVectorMachine(
        .classification(c: c, balanced: true), gram: product(examples, examples),
        answers: learning.map(\.isRight))
      return machine.decisions(product(features, examples))
    }
    return Detection(scores: scores)
  }
}

/// Features, centered and scaled by the statistics of the given rows.
struct Standardized {
  /// `[n, D]`
  let values: Tensor

  init(_ features: Tensor, places: [Int]) {
    let examples = features.indexSelect(Tensor(places))
    let mean = examples.mean(dim: 0)
    let deviation = (examples - mean).squared().mean().item.squareRoot()
    values = (features - mean) / max(1e-12, deviation)
  }
}
