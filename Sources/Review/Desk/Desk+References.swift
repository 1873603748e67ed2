extension Desk {
  /// Images that are shown beside a class's name: some that people found right, then the most central ones.
  func references(of label: Int) async throws -> [Int] {
    let samples = state.withLock { $0.catalogue.members[label] }
    let central = try await orders.clusters(of: label, samples).central
    let (answers, scores) = state.withLock { ($0.answers.current, $0.scores) }
    func looksWrong(_ sample: Int) -> Bool {
      answers[sample]?.answer == .wrong || (scores?[sample]?.probability ?? 1) < 0.5
    }
    let most = ClassClusters.maximumCentral
    // A slip must not become what the class looks like: the model, which has not seen the image's own verdict, agrees.
    let verified = samples.filter {
      answers[$0]?.answer == .right && answers[$0]?.isDisputed == false && !looksWrong($0)
    }
    .sorted { (scores?[$0]?.probability ?? 1, $1) > (scores?[$1]?.probability ?? 1, $0) }
    .prefix(most / 2)
    var seen = Set<Int>()
    return Array(
      (verified + central.filter { !looksWrong($0) }).filter { seen.insert($0).inserted }.prefix(most))
  }
}
