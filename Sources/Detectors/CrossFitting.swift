import Torch

/// How a method that learns from a class's verified images judges the class, including those images.
///
/// All other images are judged by a model of all verified images. A verified image must not be judged by a model that was
/// told its answer, or the threshold would be chosen on memories: each is judged by a model of the other folds'.
struct CrossFitting: Sendable {
  /// Folds; fewer where the rarer answer has fewer images, and none where it has fewer than two.
  var folds = 5

  /// One class with its features.
  struct ClassProblem: Sendable {
    let images: [Int]
    /// `[n, D]`
    let features: Tensor
    /// Places of the verified images in `images`, and the answers.
    let verified: [(place: Int, isRight: Bool)]
    let seed: UInt64
  }

  /// Judges the classes that have at least one right and one wrong verified image, `threads` at a time.
  ///
  /// - Parameter judge: Told the verified images to learn from, gives scores of all images of the class.
  /// - Returns: Scores of all images of the problem.
  func scores(
    _ problem: DetectionProblem, detector: String, progress: @escaping DetectionProgress,
    judge:
      @escaping @Sendable (
        ClassProblem, _ learning: [(place: Int, isRight: Bool)]
      ) throws(LibraryFailure) -> [Float]
  ) throws(DetectionError) -> [Float] {
    let classes = problem.members.indices.filter { label in
      let answers = Set(problem.members[label].compactMap { problem.verdicts[$0] })
      return answers.count == 2
    }
    let done = Done(total: classes.count, progress: progress)
    let judged: [Result<(images: [Int], scores: [Float]), LibraryFailure>] = concurrentMap(
      over: classes.count, threads: problem.threads
    ) { index in
      let images = problem.members[classes[index]]
      let verified = images.indices.compactMap { place in
        problem.verdicts[images[place]].map { (place: place, isRight: $0) }
      }
      let one = ClassProblem(
        images: images, features: problem.features.rows(images), verified: verified,
        seed: problem.seed &+ UInt64(classes[index]) &* 0x9E37)
      defer { done.one() }
      do throws(LibraryFailure) {
        return .success((images, try self.scores(one, judge: judge)))
      } catch {
        return .failure(error)
      }
    }
    var all = [Float](repeating: .nan, count: problem.labels.count)
    for result in judged {
      switch result {
      case .success((let images, let scores)):
        for (image, score) in zip(images, scores) { all[image] = score }
      case .failure(let failure): throw .library(detector: detector, reason: failure.reason)
      }
    }
    return all
  }

  private func scores(
    _ one: ClassProblem,
    judge: (ClassProblem, [(place: Int, isRight: Bool)]) throws(LibraryFailure) -> [Float]
  ) throws(LibraryFailure) -> [Float] {
    var scores = try judge(one, one.verified)
    let rarer = min(one.verified.count { $0.isRight }, one.verified.count { !$0.isRight })
    let count = min(folds, rarer)
    guard count >= 2 else {
      // A model without the only image of its kind has nothing to learn from: such a class chooses no threshold.
      for verified in one.verified { scores[verified.place] = .nan }
      return scores
    }
    let fold = CrossValidation.stratified(
      labels: one.verified.map { $0.isRight ? 1 : 0 }, folds: count, seed: one.seed)
    for held in 0..<count {
      let learning = one.verified.indices.filter { fold[$0] != held }.map { one.verified[$0] }
      let judged = try judge(one, learning)
      for index in one.verified.indices where fold[index] == held {
        scores[one.verified[index].place] = judged[one.verified[index].place]
      }
    }
    return scores
  }
}
