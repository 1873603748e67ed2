import Torch

/// Verification labels that spread over the graph of nearest neighbors of each class; the score is the share of "right"
/// that reaches an image.
///
/// Source: the paper's supervised baselines (section 4.2): label propagation (Zhu & Ghahramani 2002) and label
/// spreading (Zhou et al. 2004). Propagation holds the verified images to their answers. Spreading lets the graph
/// overrule them a little (α = 0.2). An image that no answer reaches gets the share of right among the verified. Cost
/// per class: the neighbor search among its images, `n² · D` operations; the spreading itself is cheap.
package struct LabelPropagation: Detector {
  package var name: String { method == .propagation ? "label-propagation" : "label-spreading" }
  package let kind = DetectorKind.supervised
  package let k: Int
  private let method: NeighborGraph.Method

  private init(_ method: NeighborGraph.Method, k: Int) {
    self.method = method
    self.k = k
  }

  /// Label propagation on the graph of the `k` nearest neighbors.
  package static func propagation(k: Int = 10) -> LabelPropagation { LabelPropagation(.propagation, k: k) }

  /// Label spreading on the graph of the `k` nearest neighbors.
  package static func spreading(k: Int = 10) -> LabelPropagation { LabelPropagation(.spreading, k: k) }

  package func judge(
    _ problem: DetectionProblem, progress: @escaping DetectionProgress
  ) throws(DetectionError) -> Detection {
    let graphs = Memo<Int, NeighborGraph>()
    let scores = try CrossFitting().scores(problem, detector: name, progress: progress) { one, learning in
      let graph = graphs.value(for: one.images[0]) { NeighborGraph(one.features, k: k) }.value
      let prior = Double(learning.count { $0.isRight }) / Double(learning.count)
      return graph.shares(method, known: learning).map { Float($0.isNaN ? prior : $0) }
    }
    return Detection(scores: scores, scoresAreProbabilities: true)
  }
}
